import { backoffDelay } from './backoff.ts'
import type { Environment } from './environment.ts'
import { HoldfastError, toErrorData } from './errors.ts'
import { isUnreachable, RetryLater } from './outcome.ts'
import type { ErrorData, JobRecord, LeaseRef, Settlement } from './storage/contract.ts'

/** Errors that no retry can mend: what the handler asked for, and a result that cannot be stored as it is. */
const PERMANENT: ReadonlySet<string> = new Set([
  'HOLDFAST_FAILED_PERMANENTLY',
  'HOLDFAST_INVALID_PAYLOAD',
  'HOLDFAST_PAYLOAD_TOO_LARGE',
])

/** Between attempts that did not reach the network: doubled from one to the next. ms */
const FIRST_TRY = 5000
const LAST_TRY = 300_000

type Circumstances = Pick<Environment, 'now' | 'random' | 'conditions'>

/**
 * What a thrown error, or the reason for which an attempt was ended, means for its job. A handler that ends because it
 * was asked to is settled by the reason it was given, whatever it throws then.
 *
 * `null`: the lease is lost, and there is nothing to settle.
 */
export function settlementOf(
  job: JobRecord,
  thrown: unknown,
  ending: HoldfastError | null,
  environment: Circumstances,
): Settlement | null {
  const lease: LeaseRef = { id: job.id, fence: job.fence }
  switch (ending?.code) {
    case 'HOLDFAST_LEASE_LOST':
      return null
    case 'HOLDFAST_CANCELLED':
      return { ...lease, kind: 'cancelled', reason: ending.message }
    case 'HOLDFAST_STOPPING':
      return RetryLater.is(thrown)
        ? snoozed(lease, thrown, environment)
        : { ...lease, kind: 'release', runAt: job.runAt, delay: null }
    case 'HOLDFAST_TIMEOUT':
      return failure(job, timedOut(ending, thrown), environment)
    default:
      return RetryLater.is(thrown) ? snoozed(lease, thrown, environment) : failure(job, thrown, environment)
  }
}

function snoozed(lease: LeaseRef, { after }: RetryLater, { now }: Pick<Environment, 'now'>): Settlement {
  return { ...lease, kind: 'release', runAt: now() + after, delay: after }
}

function failure(job: JobRecord, thrown: unknown, environment: Circumstances): Settlement {
  const { now, random, conditions } = environment
  const lease: LeaseRef = { id: job.id, fence: job.fence }
  const error = toErrorData(thrown)
  const failures = job.failures + 1
  const permanent = HoldfastError.is(thrown) && PERMANENT.has(thrown.code)
  // What the platform says of its network is not always so: an error that only a missing network makes counts too.
  if (!permanent && job.requires.includes('online') && (!conditions().includes('online') || isUnreachable(thrown)))
    return givenBack(job, error, now())
  if (failures > job.maxRetries || permanent) return { ...lease, kind: 'fail', error, counts: 'failure' }
  const delay = backoffDelay(job.backoff, failures, random())
  return { ...lease, kind: 'retry', runAt: now() + delay, delay, error, counts: 'failure' }
}

/** Nothing was wrong with the job, and its error is that of the network. */
function givenBack({ id, fence, unreached }: JobRecord, error: ErrorData, now: number): Settlement {
  const delay = Math.min(FIRST_TRY * 2 ** unreached, LAST_TRY)
  return { id, fence, kind: 'release', runAt: now + delay, delay, unreached: error }
}

const WORKER_DIED: ErrorData = /* @__PURE__ */ Object.freeze({
  name: 'HoldfastError',
  code: 'HOLDFAST_WORKER_DIED',
  message: 'worker died',
})

/**
 * What becomes of a job whose session or thread is gone: it runs again, at once after the first interruption, by its
 * backoff after the second, and ends `failed` when it was interrupted more often than it may be.
 */
export function interruption(
  job: JobRecord,
  { now, random }: Pick<Environment, 'now' | 'random'>,
  cause?: unknown,
): Settlement {
  const { id, fence } = job
  const error = cause === undefined ? WORKER_DIED : { ...WORKER_DIED, cause: toErrorData(cause) }
  const interruptions = job.interruptions + 1
  if (interruptions > job.maxInterruptions) return { id, fence, kind: 'fail', error, counts: 'interruption' }
  const delay = interruptions < 2 ? 0 : backoffDelay(job.backoff, interruptions - 1, random())
  return { id, fence, kind: 'retry', runAt: now() + delay, delay, error, counts: 'interruption' }
}

/** The handler's own words, if it had any beyond handing on the reason, stay as the cause. From a thread comes a copy. */
function timedOut(ending: HoldfastError, thrown: unknown): HoldfastError {
  return HoldfastError.is(thrown, 'HOLDFAST_TIMEOUT') || thrown === undefined
    ? ending
    : new HoldfastError('HOLDFAST_TIMEOUT', ending.message, { cause: thrown })
}
