import type { NewJob } from '../../core/storage/contract.ts'

/** Time never passes by itself: a case says what time it is, and starts here. */
export const NOW = 1_800_000_000_000
export const SECOND = 1000
export const MINUTE = 60_000
export const HOUR: number = 60 * MINUTE
export const YEAR: number = 365 * 24 * 60 * MINUTE

type Due = Pick<NewJob, 'runAt' | 'delay'>

/** A job with a delay: due `span` ms after `now`. */
export function delayed(span: number, now: number = NOW): Due {
  return { runAt: now + span, delay: span }
}

/** A job with a moment given by the user: no delay bounds it. */
export function at(moment: number): Due {
  return { runAt: moment, delay: -1 }
}
