import { describe, expect, test } from 'vitest'
import { backoffDelay, checkBackoff, exponential, fixed, graphile } from '../../src/core/backoff.ts'
import type { BackoffPolicy } from '../../src/index.ts'
import { problemOf } from './doubles.ts'

const delays = (policy: BackoffPolicy | null, count: number, random = 0.5): number[] =>
  Array.from({ length: count }, (_, n) => backoffDelay(policy, n + 1, random))

describe('the delay after the n-th failure', () => {
  test('is 5, 25, 125 s where nothing else is said', () => {
    expect(delays(null, 4)).toEqual([5000, 25_000, 125_000, 625_000])
    expect(delays(exponential(), 4)).toEqual([5000, 25_000, 125_000, 625_000])
  })

  test('has no jitter unless asked', () => {
    expect(delays(null, 3, 0)).toEqual(delays(null, 3, 0.999))
  })

  test('is at most a day, or what `max` says', () => {
    expect(backoffDelay(null, 50, 0.5)).toBe(86_400_000)
    expect(backoffDelay(null, 5000, 0.5)).toBe(86_400_000)
    expect(delays(exponential({ base: '1s', factor: 2, max: '5s' }), 5)).toEqual([1000, 2000, 4000, 5000, 5000])
  })

  test('may be the same every time', () => {
    expect(delays(fixed('200ms'), 3)).toEqual([200, 200, 200])
    expect(delays(exponential({ base: 100, factor: 1 }), 3)).toEqual([100, 100, 100])
  })

  test("may be graphile-worker's: e^min(10, n) s", () => {
    expect(delays(graphile(), 3)).toEqual([2718, 7389, 20_086])
    expect(delays(graphile(), 25).slice(9)).toEqual(Array.from({ length: 16 }, () => 22_026_466))
  })

  test('with jitter lies between d × (1 − jitter) and d × (1 + jitter)', () => {
    const policy = fixed('10s', { jitter: 0.1 })
    expect([0, 0.5, 1].map((random) => backoffDelay(policy, 1, random))).toEqual([9000, 10_000, 11_000])
    expect(backoffDelay(exponential({ jitter: 1 }), 1, 0)).toBe(0)
  })
})

describe('a policy', () => {
  test('is plain data, and frozen', () => {
    for (const policy of [exponential(), fixed(1), graphile()]) {
      expect(structuredClone(policy)).toEqual(policy)
      expect(Object.isFrozen(policy)).toBe(true)
      expect(checkBackoff('backoff', policy)).toBe(policy)
    }
  })

  test.each([
    [() => exponential({ base: -1 }), 'exponential.base'],
    [() => exponential({ factor: 0.5 }), 'exponential.factor'],
    [() => exponential({ factor: Infinity }), 'exponential.factor'],
    [() => exponential({ max: '-1s' as '1s' }), 'exponential.max'],
    [() => exponential({ jitter: 1.1 }), 'exponential.jitter'],
    [() => exponential({ jitter: -0.1 }), 'exponential.jitter'],
    [() => exponential({ jitter: Number.NaN }), 'exponential.jitter'],
    [() => exponential({ delay: 5 } as never), 'exponential.delay'],
    [() => fixed('5 parsecs' as '5s'), 'fixed.delay'],
    [() => fixed(1, { jitter: 2 }), 'fixed.jitter'],
    [() => checkBackoff('backoff', { kind: 'linear' }), 'backoff'],
    [() => checkBackoff('backoff', null), 'backoff'],
    [() => checkBackoff('backoff', 5000), 'backoff'],
    [() => checkBackoff('backoff', { kind: 'fixed', delay: -1, jitter: 0 }), 'backoff'],
    [() => checkBackoff('backoff', { kind: 'exponential' }), 'backoff'],
  ])('that is none is refused: %s', async (call, field) => {
    expect(await problemOf(call)).toEqual({ code: 'HOLDFAST_INVALID_OPTION', field })
  })
})
