// What a signal does is tested in processes of their own: tests/package/signals.test.ts.
import { expect, test } from 'vitest'
import { stopOnSignals, type StopOnSignalsOptions } from '../../src/runtimes/node/index.ts'
import { problemOf } from '../core/doubles.ts'

const queue = { close: () => Promise.resolve() }

function listening(): readonly number[] {
  return (['SIGINT', 'SIGTERM', 'SIGUSR2'] as const).map((signal) => process.listenerCount(signal))
}

test.each([
  [{ graze: '10s' }, 'stopOnSignals.graze'],
  [{ grace: 'soon' }, 'stopOnSignals.grace'],
  [{ grace: '10 s' }, 'stopOnSignals.grace'],
  [{ grace: null }, 'stopOnSignals.grace'],
  [{ signals: ['SIGFOO'] }, 'stopOnSignals.signals'],
  [{ signals: ['SIGINT', 'toString'] }, 'stopOnSignals.signals'],
  [{ signals: ['SIGINT', 'SIGKILL'] }, 'stopOnSignals.signals'],
  [{ signals: [] }, 'stopOnSignals.signals'],
  [{ signals: 'SIGINT' }, 'stopOnSignals.signals'],
  [{ onStop: 5 }, 'stopOnSignals.onStop'],
  [null, 'stopOnSignals'],
])('stopOnSignals(queue, %j) is refused, naming the field, and listens to nothing', async (options, field) => {
  const before = listening()
  const problem = await problemOf(() => stopOnSignals(queue, options as unknown as StopOnSignalsOptions))
  expect(problem).toEqual({ code: 'HOLDFAST_INVALID_OPTION', field })
  expect(listening()).toEqual(before)
})

test('what cannot be closed is refused', async () => {
  const problem = await problemOf(() => stopOnSignals({} as never))
  expect(problem).toEqual({ code: 'HOLDFAST_INVALID_OPTION', field: 'queue.close' })
})

test('it listens to the signals it was given, until that is taken back', () => {
  const before = listening()
  const remove = stopOnSignals(queue, { signals: ['SIGUSR2'], grace: 0, onStop: () => undefined })
  const during = listening()
  remove()
  expect([during.map((count, at) => count - (before[at] ?? 0)), listening()]).toEqual([[0, 0, 1], before])
})
