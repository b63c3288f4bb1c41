import { backoffDelay } from './backoff.ts'
import type { AttemptRecord, BackoffPolicy, ErrorData, JobRecord, JobStatus, SerialMode } from './storage/contract.ts'
import { statusOf } from './storage/job-table/query.ts'

/** A job as it was when it was read. Moments are epoch ms, spans ms. */
export interface Job<Payload = unknown> {
  readonly id: string
  readonly type: string
  readonly payload: Payload
  /** Version of the definition that stored the payload; see `version` of `defineJob`. */
  readonly payloadVersion: number
  readonly priority: number
  readonly status: JobStatus
  /** Claims that counted: those given back (a snooze, a clean stop, no network) do not. */
  readonly attempts: number
  readonly failures: number
  readonly interruptions: number
  /** Attempts, one after the other up to now, that did not reach the network and were given back. */
  readonly unreached: number
  readonly maxRetries: number
  readonly maxInterruptions: number
  /** The same as `failures`. */
  readonly retryCount: number
  readonly createdAt: number
  readonly runAt: number
  /** When it is failed if it has not come to its end; `null`: never. */
  readonly expireAt: number | null
  readonly startedAt: number | null
  readonly finishedAt: number | null
  readonly timeout: number
  readonly leaseDuration: number
  /** The latest sign of life of its session while it runs; its start until the first. */
  readonly lastHeartbeat: number | null
  /** Rises at every claim and is never reused: pass it on to systems that should refuse a late writer. */
  readonly fence: number
  readonly session: string | null
  readonly jobKey: string | null
  readonly queueName: string | null
  readonly serial: SerialMode
  readonly requires: readonly string[]
  readonly backoff: BackoffPolicy | null
  readonly progress: unknown
  readonly result: unknown
  readonly error: ErrorData | null
  /** Why it was cancelled, or is asked to end while it still runs. */
  readonly cancelReason: string | null
  readonly history: readonly AttemptRecord[]
  readonly revision: number
}

// eslint-disable-next-line max-lines-per-function -- one line per field of a job
export function toJob<Payload = unknown>(
  record: JobRecord,
  now: number,
  lastHeartbeat: number | null = record.startedAt,
): Job<Payload> {
  return {
    id: record.id,
    type: record.type,
    payload: record.payload as Payload,
    payloadVersion: record.payloadVersion,
    priority: record.priority,
    status: statusOf(record, now),
    attempts: record.attempts,
    failures: record.failures,
    interruptions: record.interruptions,
    unreached: record.unreached,
    maxRetries: record.maxRetries,
    maxInterruptions: record.maxInterruptions,
    retryCount: record.failures,
    createdAt: record.createdAt,
    runAt: record.runAt,
    expireAt: record.expireAt,
    startedAt: record.startedAt,
    finishedAt: record.finishedAt,
    timeout: record.timeout,
    leaseDuration: record.leaseDuration,
    lastHeartbeat: record.state === 'running' ? lastHeartbeat : null,
    fence: record.fence,
    session: record.session,
    jobKey: record.jobKey,
    queueName: record.queueName,
    serial: record.serial,
    requires: record.requires,
    backoff: record.backoff,
    progress: record.progress,
    result: record.result,
    error: record.error,
    cancelReason: record.cancelRequested,
    history: record.history,
    revision: record.revision,
  }
}

/** Whether a waiting job's time has come. `now` in epoch ms. */
export function isDue(job: Pick<Job, 'status' | 'runAt'>, now: number): boolean {
  return job.status === 'pending' || (job.status === 'scheduled' && job.runAt <= now)
}

/**
 * Whether a running job's session has given no sign of life for the job's lease, by the wall clock. For display: what
 * takes a job away is the reaper's own observation, never this.
 */
export function isLeaseExpired(job: Pick<Job, 'status' | 'lastHeartbeat' | 'leaseDuration'>, now: number): boolean {
  return job.status === 'running' && now - (job.lastHeartbeat ?? 0) > job.leaseDuration
}

/** The delay in ms before the job would be retried if it failed now, without jitter. */
export function nextRetryDelay(job: Pick<Job, 'failures' | 'backoff'>): number {
  return backoffDelay(job.backoff, job.failures + 1, 0.5)
}
