import { describe, expect, test } from 'vitest'
import { HoldfastError } from '../../src/core/errors.ts'
import { SettleBuffer } from '../../src/core/settle-buffer.ts'
import type { SettleRequest, Settlement, Verdict } from '../../src/core/storage/contract.ts'
import { memory } from '../../src/adapters/memory/index.ts'
import { ManualClock } from '../../src/testing/index.ts'
import { Gate, hooked } from './doubles.ts'

const done = (id: string): Settlement => ({ id, fence: 1, kind: 'complete', result: null })

/** A buffer on a storage that answers each settle as the test says. */
async function buffered(answer: (call: number) => Promise<void> | void) {
  const clock = new ManualClock()
  const inner = memory()
  await inner.open()
  const calls: { at: number; ids: string[] }[] = []
  const storage = hooked(inner, {
    before: async (_, request) => {
      const ids = (request as SettleRequest).batch.map(({ id }) => id)
      calls.push({ at: clock.monotonic(), ids })
      await answer(calls.length)
    },
  })
  const errors: unknown[] = []
  const buffer = new SettleBuffer({
    storage,
    environment: clock,
    onError: (error) => errors.push(error),
  })
  const verdicts: Record<string, Verdict> = {}
  const add = (...ids: string[]): void => {
    for (const id of ids) buffer.add(done(id), ({ verdict }) => (verdicts[id] = verdict))
  }
  return { clock, buffer, add, calls, errors, verdicts }
}

describe('outcomes', () => {
  test('of one turn go together, those that arrive meanwhile into the next call', async () => {
    const gate = new Gate()
    const { clock, buffer, add, calls } = await buffered((call) => (call === 1 ? gate.promise : undefined))
    add('a', 'b')
    await clock.settle()
    add('c')
    await clock.settle()
    add('d')
    await clock.settle()
    expect([calls.map(({ ids }) => ids), buffer.unacknowledged]).toEqual([[['a', 'b']], 4])
    gate.open()
    await clock.settle()
    expect([calls.map(({ ids }) => ids), buffer.unacknowledged]).toEqual([
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
      0,
    ])
  })

  test('each get the verdict of their own', async () => {
    const { clock, add, verdicts } = await buffered(() => undefined)
    add('nobody', 'nobody else')
    await clock.settle()
    expect(verdicts).toEqual({ nobody: 'missing', 'nobody else': 'missing' })
  })

  test('are held until they are acknowledged', async () => {
    const gate = new Gate()
    const { clock, buffer, add } = await buffered(() => gate.promise)
    add('a')
    await clock.settle()
    expect([buffer.holds('a'), buffer.holds('b')]).toEqual([true, false])
    gate.open()
    await clock.settle()
    expect(buffer.holds('a')).toBe(false)
  })
})

describe('a storage that is away', () => {
  const away = new Error('away')

  test('is asked again after 100 ms, then twice as long each time, at most 5 s', async () => {
    const { clock, add, calls, errors } = await buffered((call) => {
      if (call <= 9) throw away
    })
    add('a')
    await clock.advance('1m')
    expect(calls.map(({ at }) => at)).toEqual([0, 100, 300, 700, 1500, 3100, 6300, 11_300, 16_300, 21_300])
    expect(errors).toHaveLength(9)
  })

  test('hears the same batch again, and what came meanwhile afterwards', async () => {
    const { clock, add, calls } = await buffered((call) => {
      if (call === 1) throw away
    })
    add('a')
    await clock.settle()
    add('b')
    await clock.advance('1s')
    expect(calls.map(({ ids }) => ids)).toEqual([['a'], ['a'], ['b']])
  })

  test('for good lets its waiters go: the outcome is given up', async () => {
    const { clock, buffer, add, verdicts } = await buffered(() => {
      throw new HoldfastError('HOLDFAST_STORAGE_CLOSED', 'closed')
    })
    add('a')
    await clock.settle()
    await buffer.drained()
    expect([verdicts['a'], buffer.unacknowledged]).toEqual(['stale', 0])
  })

  test('is waited for by `drained`', async () => {
    const { clock, buffer, add } = await buffered((call) => {
      if (call === 1) throw away
    })
    add('a')
    let drained = false
    void buffer.drained().then(() => (drained = true))
    await clock.settle()
    expect(drained).toBe(false)
    await clock.advance(100)
    expect(drained).toBe(true)
  })
})
