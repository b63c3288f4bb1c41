import type { BackoffPolicy } from './storage/contract.ts'
import { invalidOption } from './errors.ts'
import { unreachable } from './storage/transitions.ts'
import { isWithin, readOptions, type Span, spanToMs } from './options.ts'
import { isObject } from './storage/plain.ts'

/** 5 s × 5^(n−1): 5, 25, 125 s, the schedule of Aurora's durable workers. No jitter unless asked, at most a day. */
export const DEFAULT_BACKOFF: Extract<BackoffPolicy, { kind: 'exponential' }> = /* @__PURE__ */ Object.freeze({
  kind: 'exponential',
  base: 5000,
  factor: 5,
  max: 86_400_000,
  jitter: 0,
})

/** graphile-worker's cap: e^10 s, a little over 6 hours. */
const GRAPHILE_MOST = 10

/**
 * `base` × `factor`^(n−1) after the n-th failure, at most `max`.
 *
 * @param options.base first delay, default 5 s
 * @param options.factor from 1, default 5
 * @param options.max default 1 day
 * @param options.jitter share of the delay that is random, 0 (default) to 1: a delay d becomes d × (1 ± jitter)
 */
export function exponential(
  options: { base?: Span; factor?: number; max?: Span; jitter?: number } = {},
): BackoffPolicy {
  const checks = { base: spanToMs, factor: factorOf, max: spanToMs, jitter: jitterOf }
  return Object.freeze({ ...DEFAULT_BACKOFF, ...readOptions('exponential', options, checks) })
}

/** The same delay after every failure. `jitter` as for `exponential`. */
export function fixed(delay: Span, options: { jitter?: number } = {}): BackoffPolicy {
  const { jitter = 0 } = readOptions('fixed', options, { jitter: jitterOf })
  return Object.freeze({ kind: 'fixed', delay: spanToMs('fixed.delay', delay), jitter })
}

/**
 * graphile-worker's schedule: e^min(10, n) s after the n-th failure. A definition that uses it has 25 attempts
 * (`maxRetries` 24) unless it says otherwise.
 */
export function graphile(): BackoffPolicy {
  return GRAPHILE
}

const GRAPHILE: BackoffPolicy = /* @__PURE__ */ Object.freeze({ kind: 'graphile' })

export const GRAPHILE_RETRIES = 24

/** The delay in ms after the n-th failure (n from 1). `random` in [0, 1); 0.5 means no jitter. */
export function backoffDelay(policy: BackoffPolicy | null, failures: number, random: number): number {
  const rule = policy ?? DEFAULT_BACKOFF
  switch (rule.kind) {
    case 'graphile':
      return Math.round(Math.exp(Math.min(GRAPHILE_MOST, failures)) * 1000)
    case 'fixed':
      return withJitter(rule.delay, rule.jitter, random)
    case 'exponential':
      // Past some hundred failures the power is infinite, and nothing times that is no number.
      return withJitter(
        Math.min(rule.max, rule.base * Math.min(rule.factor ** (failures - 1), Number.MAX_VALUE)),
        rule.jitter,
        random,
      )
    default:
      return unreachable(rule)
  }
}

function withJitter(delay: number, jitter: number, random: number): number {
  return Math.round(delay * (1 + jitter * (2 * random - 1)))
}

/** A policy as it came from a user, who may have written the data by hand: whole, or refused. */
export function checkBackoff(field: string, policy: unknown): BackoffPolicy {
  if (isPolicy(policy)) return policy
  throw invalidOption(field, 'made by exponential(), fixed() or graphile()', policy)
}

/** As many keys as its kind has, each of them right: so there is no other. */
function isPolicy(value: unknown): value is BackoffPolicy {
  if (!isObject(value)) return false
  const { kind, base, factor, max, delay, jitter } = value
  const keys = Object.keys(value).length
  if (kind === 'graphile') return keys === 1
  if (!isWithin(jitter, 0, 1)) return false
  return kind === 'fixed'
    ? keys === 3 && isWithin(delay, 0)
    : kind === 'exponential' && keys === 5 && isWithin(base, 0) && isWithin(factor, 1) && isWithin(max, 0)
}

function jitterOf(field: string, value: unknown): number {
  if (isWithin(value, 0, 1)) return value
  throw invalidOption(field, 'a number from 0 to 1', value)
}

function factorOf(field: string, value: unknown): number {
  if (isWithin(value, 1)) return value
  throw invalidOption(field, 'a number from 1', value)
}
