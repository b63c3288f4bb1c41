import { describe, expect, test } from 'vitest'
import { HoldfastError } from '../../src/core/errors.ts'
import { serviceErrors } from '../../src/core/service-errors.ts'
import { SettleBuffer } from '../../src/core/settle-buffer.ts'
import type { SettleRequest, Settlement, Verdict } from '../../src/core/storage/contract.ts'
import { memory } from '../../src/adapters/memory/index.ts'
import { ManualClock } from '../../src/testing/index.ts'
import { Gate, hooked, notedErrors } from './doubles.ts'

const done = (id: string): Settlement => ({ id, fence: 1, kind: 'complete', result: null })

/** A buffer on a storage that answers each settle as the test says. */
async function buffered(answer: (call: number, ids: readonly string[]) => Promise<void> | void) {
  const clock = new ManualClock()
  const inner = memory()
  await inner.open()
  const calls: { at: number; ids: string[] }[] = []
  const storage = hooked(inner, {
    before: async (operation, request) => {
      const ids = operation === 'settle' ? (request as SettleRequest).batch.map(({ id }) => id) : []
      calls.push({ at: clock.monotonic(), ids })
      await answer(calls.length, ids)
    },
  })
  const { service, errors, log } = notedErrors()
  const buffer = new SettleBuffer({
    storage,
    environment: clock,
    session: () => 's',
    errors: service,
  })
  const verdicts: Record<string, Verdict> = {}
  const add = (...ids: string[]): void => {
    for (const id of ids) buffer.add(done(id), ({ verdict }) => (verdicts[id] = verdict))
  }
  return { clock, buffer, add, calls, errors, log, verdicts }
}

describe('outcomes', () => {
  test('of one turn go together, and while two calls are under way the others wait for the next', async () => {
    const gate = new Gate()
    const { clock, buffer, add, calls } = await buffered((call) => (call <= 2 ? gate.promise : undefined))
    for (const ids of [['a', 'b'], ['c'], ['d'], ['e']]) {
      add(...ids)
      await clock.settle()
    }
    expect([calls.map(({ ids }) => ids), buffer.unacknowledged]).toEqual([[['a', 'b'], ['c']], 5])
    gate.open()
    await buffer.drained()
    expect([calls.map(({ ids }) => ids), buffer.unacknowledged]).toEqual([[['a', 'b'], ['c'], ['d', 'e']], 0])
  })

  test('that come while a call ends are not forgotten', async () => {
    for (let turns = 0; turns < 20; turns++) {
      const { buffer, add } = await buffered(() => undefined)
      add('a')
      for (let turn = 0; turn < turns; turn++) await Promise.resolve()
      add('b')
      for (let turn = 0; turn < turns; turn++) await Promise.resolve()
      add('c')
      await buffer.drained()
      expect(buffer.unacknowledged).toBe(0)
    }
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

describe('an outcome that the storage refuses for good', () => {
  const refusal = new HoldfastError('HOLDFAST_PAYLOAD_TOO_LARGE', 'more than a row may hold')
  const refusing = (id: string) => (_: number, ids: readonly string[]) => {
    if (ids.includes(id)) throw refusal
  }

  test('does not hold up those that were settled with it, nor those behind it', async () => {
    const { clock, buffer, add, verdicts, errors } = await buffered(refusing('bad'))
    add('before', 'bad', 'after')
    await clock.settle()
    add('later')
    await clock.settle()
    expect(verdicts).toEqual({ before: 'missing', bad: 'stale', after: 'missing', later: 'missing' })
    expect([buffer.unacknowledged, errors]).toEqual([0, [refusal, refusal]])
  })

  test('is tried alone, once, and then as a failure that says why', async () => {
    const stored: Settlement[] = []
    const clock = new ManualClock()
    const inner = memory()
    await inner.open()
    const storage = hooked(inner, {
      before: (_, request) => {
        const { batch } = request as SettleRequest
        stored.push(...batch)
        if (batch.some(({ kind }) => kind === 'complete')) throw refusal
      },
    })
    const ignore = (): void => undefined
    const errors = serviceErrors(ignore, ignore)
    const buffer = new SettleBuffer({ storage, environment: clock, session: () => 's', errors })
    const told: Settlement[] = []
    buffer.add(done('a'), (_, settlement) => told.push(settlement))
    await clock.settle()
    const failure = {
      id: 'a',
      fence: 1,
      kind: 'fail',
      counts: 'failure',
      error: { code: 'HOLDFAST_PAYLOAD_TOO_LARGE', message: 'more than a row may hold' },
    }
    expect(stored).toMatchObject([done('a'), failure])
    expect(told).toMatchObject([failure])
  })

  test('is not made a failure when it only gives the job back', async () => {
    const { clock, buffer, errors, verdicts } = await buffered(refusing('a'))
    buffer.add(
      { id: 'a', fence: 1, kind: 'release', runAt: 0, delay: null },
      ({ verdict }) => (verdicts['a'] = verdict),
    )
    await clock.settle()
    expect([verdicts, errors]).toEqual([{ a: 'stale' }, [refusal]])
  })

  test('is settled without its progress when that is what was refused', async () => {
    const { clock, buffer, calls, errors, verdicts } = await buffered((call) => {
      if (call === 1) throw refusal
    })
    buffer.add(done('a'), ({ verdict }) => (verdicts['a'] = verdict), {
      session: 's',
      progress: [{ id: 'a', fence: 1, value: 'huge' }],
    })
    await clock.settle()
    expect([verdicts, errors, calls.map(({ ids }) => ids)]).toEqual([{ a: 'missing' }, [refusal], [[], ['a']]])
  })
})

describe('a storage that is away', () => {
  const away = new Error('away')

  test.each([
    'HOLDFAST_STORAGE',
    'HOLDFAST_STORAGE_BUSY',
    'HOLDFAST_STORAGE_FULL',
    'HOLDFAST_STORAGE_TIMEOUT',
    'HOLDFAST_STORAGE_BLOCKED',
    'HOLDFAST_STORAGE_UNAVAILABLE',
    'HOLDFAST_OUTCOME_UNKNOWN',
  ] as const)('is asked again whatever it says of itself: %s', async (code) => {
    const { clock, add, calls } = await buffered((call) => {
      if (call === 1) throw new HoldfastError(code, 'for now')
    })
    add('a')
    await clock.advance('1s')
    // At once it would be the failure that takes the place of an outcome.
    expect(calls.map(({ at }) => at)).toEqual([0, 100])
  })

  test('is asked again after 100 ms, then twice as long each time, at most 5 s', async () => {
    const { clock, add, calls, errors } = await buffered((call) => {
      if (call <= 9) throw away
    })
    add('a')
    await clock.advance('1m')
    expect(calls.map(({ at }) => at)).toEqual([0, 100, 300, 700, 1500, 3100, 6300, 11_300, 16_300, 21_300])
    expect(errors).toHaveLength(9)
  })

  test('hears the same batches again, and what came meanwhile afterwards', async () => {
    const { clock, add, calls } = await buffered((call) => {
      if (call <= 2) throw away
    })
    for (const id of ['a', 'b', 'c', 'd']) {
      add(id)
      await clock.settle()
    }
    await clock.advance('1s')
    expect(calls.map(({ ids }) => ids)).toEqual([['a'], ['b'], ['a'], ['c', 'd'], ['b']])
  })

  test('for one outcome alone works again when that is stored, whatever is stored beside it', async () => {
    let isAway = true
    const { clock, buffer, add, errors, log } = await buffered((_, ids) => {
      if (isAway && ids.includes('a')) throw away
    })
    add('a')
    await clock.settle()
    for (let second = 0; second < 60; second++) {
      add(`b${second}`)
      await clock.advance('1s')
    }
    expect([buffer.unacknowledged, log]).toEqual([1, [away]])
    isAway = false
    await clock.advance('5s')
    expect([buffer.unacknowledged, log]).toEqual([0, [away, errors.length]])
  })

  test('and then refuses what it was asked again works for the others', async () => {
    const { clock, add, log } = await buffered((call, ids) => {
      if (call === 1) throw away
      if (ids.includes('a')) throw new HoldfastError('HOLDFAST_ID_CONFLICT', 'no')
    })
    add('a')
    await clock.advance('1s')
    add('b')
    await clock.settle()
    expect(log.at(-1)).toBe(1)
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
