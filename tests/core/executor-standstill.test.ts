import { expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import { systemEnvironment } from '../../src/core/environment.ts'
import { defineJob, type HandlerContext, openQueue } from '../../src/index.ts'
import { ManualClock, testQueue } from '../../src/testing/index.ts'
import { Stage } from './doubles.ts'

const task = defineJob({ type: 'task', timeout: '5m', leaseDuration: '30s' })

/** A queue with a job `a` that has run for two of its five minutes. */
async function twoMinutesLater() {
  const { queue, clock } = await testQueue()
  const stage = new Stage()
  const contexts: HandlerContext[] = []
  const run = (payload: unknown, context: HandlerContext): unknown => {
    contexts.push(context)
    return stage.run(payload, context)
  }
  const executor = queue.createExecutor({ handlers: [task.handler(run)], killGrace: 1000 })
  await executor.start()
  await queue.enqueue(task, null, { id: 'a' })
  await clock.settle()
  await clock.advance('2m')
  return { queue, clock, stage, executor, contexts }
}

type Setting = Awaited<ReturnType<typeof twoMinutesLater>>

/** Each with what it leaves of the timeout, ms. */
const standstills: readonly (readonly [string, number, (setting: Setting) => void])[] = [
  [
    'a page that is frozen for an hour and told so',
    180_000,
    ({ clock }) => {
      clock.setFrozen(true)
      clock.sleep('1h')
      clock.setFrozen(false)
    },
  ],
  // To the next look, ten seconds later, it may have been awake.
  ['a computer that sleeps for an hour and tells nobody', 170_000, ({ clock }) => clock.sleep('1h')],
]

test.each(standstills)('%s leaves %i ms of the timeout', async (_, left, standStill) => {
  const setting = await twoMinutesLater()
  const { queue, clock, stage } = setting
  standStill(setting)
  await clock.advance(left - 1)
  expect(stage.abortedFor('a')).toBe(null)
  await clock.advance(1)
  expect(stage.abortedFor('a')).toBe('HOLDFAST_TIMEOUT')
  await clock.advance('1s')
  expect(await queue.get('a')).toMatchObject({ failures: 1, error: { code: 'HOLDFAST_TIMEOUT' } })
})

test('a frozen page takes nothing of a short timeout, however short it is frozen', async () => {
  const { queue, clock, stage } = await twoMinutesLater()
  await queue.enqueue(task, null, { id: 'short', timeout: '10s' })
  await clock.advance('8s')
  clock.setFrozen(true)
  clock.sleep('20s')
  clock.setFrozen(false)
  await clock.advance(1999)
  expect(stage.abortedFor('short')).toBe(null)
  await clock.advance(1)
  expect(stage.abortedFor('short')).toBe('HOLDFAST_TIMEOUT')
})

test('what still runs after the word that the page is frozen times nothing out', async () => {
  const { clock, stage } = await twoMinutesLater()
  clock.setFrozen(true)
  await clock.advance('10m')
  expect(stage.abortedFor('a')).toBe(null)
  clock.setFrozen(false)
  await clock.advance('3m')
  expect(stage.abortedFor('a')).toBe('HOLDFAST_TIMEOUT')
})

test('the grace after a timeout stands still with the page', async () => {
  const { queue, clock, stage } = await twoMinutesLater()
  await clock.advance('3m')
  clock.setFrozen(true)
  clock.sleep('1h')
  clock.setFrozen(false)
  await clock.advance(999)
  expect((await queue.get('a'))?.status).toBe('running')
  stage.end('a', 'just in time')
  await clock.settle()
  expect(await queue.get('a')).toMatchObject({ status: 'completed' })
})

test('the deadline of the context moves with it', async () => {
  const setting = await twoMinutesLater()
  standstills[0]?.[2](setting)
  expect(setting.contexts[0]?.deadline).toBe(setting.clock.now() + 180_000)
})

test('timers of a hidden page that come once a minute count in full', async () => {
  const { clock, stage } = await twoMinutesLater()
  clock.setHidden(true)
  for (let minute = 0; minute < 2; minute++) {
    clock.sleep(59_999)
    await clock.advance(1)
  }
  expect(stage.abortedFor('a')).toBe(null)
  clock.sleep(59_999)
  await clock.advance(1)
  expect(stage.abortedFor('a')).toBe('HOLDFAST_TIMEOUT')
})

test('a page that was frozen while nothing ran gives a later job its whole time and no more', async () => {
  const { queue, clock, stage } = await twoMinutesLater()
  stage.end('a', null)
  await clock.advance('1m')
  clock.setFrozen(true)
  clock.sleep('1h')
  clock.setFrozen(false)
  await queue.enqueue(task, null, { id: 'b' })
  await clock.advance(299_999)
  expect(stage.abortedFor('b')).toBe(null)
  await clock.advance(1)
  expect(stage.abortedFor('b')).toBe('HOLDFAST_TIMEOUT')
})

test('an executor that stops when its page goes, and starts when it is back, ends what takes too long', async () => {
  const clock = new ManualClock()
  const page = new EventTarget()
  const { frozen, onVisibilityChange } = systemEnvironment({
    setTimeout: () => 0,
    clearTimeout: () => undefined,
    addEventListener: (type, listener) => page.addEventListener(type, listener),
    removeEventListener: (type, listener) => page.removeEventListener(type, listener),
  })
  const { now, monotonic, random, startTimer } = clock
  const environment = { now, monotonic, random, startTimer, frozen, onVisibilityChange }
  const queue = await openQueue({ storage: memory(), environment })
  const stage = new Stage()
  const executor = queue.createExecutor({ handlers: [task.handler(stage.run)], killGrace: 1000 })
  await executor.start()
  page.dispatchEvent(new Event('pagehide'))
  await executor.stop()
  page.dispatchEvent(new Event('pageshow'))
  await executor.start()
  await queue.enqueue(task, null, { id: 'a' })
  await clock.advance('5m')
  expect(stage.abortedFor('a')).toBe('HOLDFAST_TIMEOUT')
  await clock.advance('1s')
  expect(await queue.get('a')).toMatchObject({ failures: 1, error: { code: 'HOLDFAST_TIMEOUT' } })
})
