import type {
  AbsorbedEnqueue,
  AttemptOutcome,
  AttemptRecord,
  ErrorData,
  JobRecord,
  NewJob,
  Settlement,
  StoredState,
} from './contract.ts'
import { digestOf } from './digest.ts'
import type { ShelvedJob } from './job-table/rows.ts'
import { joinedList } from './payload-size.ts'
import { copyPlain } from './plain.ts'

/**
 * The life of a job as pure functions: a job in, the fields that change out. Every storage that keeps its jobs in the
 * table uses them; one with an engine of its own says the same in its language, and the conformance kit compares.
 *
 *     waiting ──claim──▶ running ──complete──▶ completed
 *        ▲                  │ ├──fail────────▶ failed ─────┐
 *        ├──retry, release──┘ └──cancelled──▶ cancelled ──┤
 *        └──────────────────── requeue ◀───────────────────┘
 *
 * A waiting job can also be cancelled, completed, failed, rescheduled or removed by administration.
 */
export type Patch = Partial<{ -readonly [Field in keyof JobRecord]: JobRecord[Field] }>

/** A fence names an epoch and a count within it, so that it is never reused, not even when a power cut loses claims. */
const FENCES_PER_EPOCH = 2 ** 20

const HISTORY_LIMIT = 10
const ABSORBED_LIMIT = 16

/** The fence of the next claim. [fence] */
export function nextFence(fence: number, epoch: number): number {
  return Math.max(fence, epoch * FENCES_PER_EPOCH) + 1
}

export interface Claim {
  readonly session: string
  readonly claimId: string
  readonly epoch: number
  readonly now: number
}

/** The attempt is counted and the fence raised in the same step as the job is given away. [claim] [fence] */
export function claimed(job: JobRecord, claim: Claim): Patch {
  const patch: Patch = {
    state: 'running',
    session: claim.session,
    claimId: claim.claimId,
    attempts: job.attempts + 1,
    fence: nextFence(job.fence, claim.epoch),
    startedAt: claim.now,
  }
  // What a patch says is stored, sent to every replica and applied there: nothing that is so already.
  if (job.progress !== null) patch.progress = null
  return patch
}

/** After its second interruption a job may be what killed its sessions: it runs alone. [suspects] */
export function isSuspect(job: Pick<JobRecord, 'interruptions'>): boolean {
  return job.interruptions >= 2
}

/** Whether the attempt named by `fence` still holds the job. [settle] */
export function holds(job: JobRecord, fence: number): boolean {
  return job.state === 'running' && job.fence === fence
}

/**
 * Whether this settle is the repeat of one that took effect: the same attempt ended the same way. Every other settle
 * of an attempt that is over is stale. [repeat]
 */
export function alreadySettled(job: JobRecord, settlement: Settlement): boolean {
  return job.state !== 'running' && job.fence === settlement.fence && job.outcome === outcomeOf(settlement)
}

export function outcomeOf(settlement: Settlement): AttemptOutcome {
  switch (settlement.kind) {
    case 'complete':
      return 'completed'
    case 'retry':
    case 'fail':
      return settlement.counts === 'interruption' ? 'interrupted' : 'failed'
    case 'release':
      return 'released'
    case 'cancelled':
      return 'cancelled'
    default:
      return unreachable(settlement)
  }
}

const STATE_AFTER = {
  complete: 'completed',
  retry: 'waiting',
  fail: 'failed',
  release: 'waiting',
  cancelled: 'cancelled',
} as const

/** The state that an outcome asks for; a request to cancel, or a newer holder of its key, may end the job otherwise. */
export function stateAfter(kind: Settlement['kind']): StoredState {
  return STATE_AFTER[kind]
}

/** The end of the running attempt. [settle] */
export function settled(job: JobRecord, settlement: Settlement, now: number): Patch {
  const outcome = outcomeOf(settlement)
  switch (settlement.kind) {
    case 'complete': {
      const patch = attemptEnded(job, outcome, now)
      patch.state = 'completed'
      patch.finishedAt = now
      if (settlement.result !== job.result) patch.result = copyPlain(settlement.result)
      if (job.error !== null) patch.error = null
      if (job.cancelRequested !== null) patch.cancelRequested = null
      return patch
    }
    case 'fail':
    case 'retry': {
      const error = copyPlain(settlement.error)
      const end =
        settlement.kind === 'fail'
          ? failedFor(job, error, now)
          : waitsAgain(job, settlement.runAt, settlement.delay, error, now)
      return { ...attemptEnded(job, outcome, now, error), ...counted(job, settlement.counts), ...end }
    }
    case 'release':
      return {
        ...attemptEnded(job, outcome, now),
        attempts: job.attempts - 1,
        ...(settlement.unreached === undefined ? {} : { unreached: job.unreached + 1 }),
        ...waitsAgain(job, settlement.runAt, settlement.delay, copyPlain(settlement.unreached ?? job.error), now),
      }
    case 'cancelled':
      return { ...attemptEnded(job, outcome, now), ...cancelled(settlement.reason, now) }
    default:
      return unreachable(settlement)
  }
}

/** What a session held when it was closed in good order: given back, counted as nothing. [session] */
export function released(job: JobRecord, now: number): Patch {
  return {
    ...attemptEnded(job, 'released', now),
    attempts: job.attempts - 1,
    ...waitsAgain(job, job.runAt, null, job.error, now),
  }
}

/** What a session held when an administrator ended it. [amend] */
export function interrupted(job: JobRecord, now: number): Patch {
  const error: ErrorData = {
    name: 'HoldfastError',
    code: 'HOLDFAST_LEASE_LOST',
    message: 'The session was ended by an administrator',
  }
  return {
    ...attemptEnded(job, 'interrupted', now, error),
    ...counted(job, 'interruption'),
    ...waitsAgain(job, job.runAt, null, error, now),
  }
}

/** A waiting job whose time is up; what kept it so long is the cause. [expiry] */
export function expired(job: JobRecord, error: ErrorData, now: number): Patch {
  const cause = job.error === null ? {} : { cause: job.error }
  return { state: 'failed', finishedAt: now, error: { ...copyPlain(error), ...cause } }
}

export function cancelled(reason: string, now: number): Patch {
  return { state: 'cancelled', finishedAt: now, error: null, cancelRequested: reason }
}

/** Counters to 0; history and fence stay. [amend] */
export function requeued(runAt: number, delay: number | null, expireAt: number | null): Patch {
  return {
    state: 'waiting',
    attempts: 0,
    failures: 0,
    interruptions: 0,
    unreached: 0,
    runAt,
    delay,
    expireAt,
    finishedAt: null,
    error: null,
    cancelRequested: null,
    superseded: false,
  }
}

type ShelvedRecord = JobRecord & { readonly shelf?: string | null }

/** The waiting holder of a key takes over a newer call's details, all of them. [keys] */
export function replaced(job: ShelvedRecord, by: ShelvedJob, expiry: (runAt: number) => number | null): Patch {
  const { runAt, delay } = by.jobKeyMode === 'preserveRunAt' && job.attempts === 0 ? job : by
  const patch = payloadTaken(job, by)
  takeDetails(patch, job, by)
  forgetAttempts(patch, job)
  patch.runAt = runAt
  if (job.delay !== delay) patch.delay = delay
  const expireAt = expiry(runAt)
  if (job.expireAt !== expireAt) patch.expireAt = expireAt
  return patch
}

/**
 * Lists become one: what is collected under a key until the job runs. A payload on a shelf stands for itself: lists are
 * never put there. What the payload itself said, of the call with the job's id or of the latest one, goes with it.
 */
function payloadTaken(job: ShelvedRecord, by: ShelvedJob): Patch {
  const { shelf = null } = by
  const added = shelf === null ? copyPlain(by.payload) : by.payload
  const { type, payload } = job
  const joins = Array.isArray(payload) && Array.isArray(added)
  const digest = joins || shelf !== null ? digestOf(by) : null
  const before = job.absorbed.map((call) => ({ id: call.id, digest: call.digest ?? digestOf({ type, payload }) }))
  const patch: Patch & { shelf?: string | null } = remembering(job, before, { id: by.id, digest })
  patch.payload = joins ? joinedList(payload, added) : added
  if ((job.shelf ?? null) !== shelf) patch.shelf = shelf
  if (job.digest === null) patch.digest = digestOf(job)
  return patch
}

/** Only what differs, as in `claimed`. Field by field: in a loop over their names a replacing call took 6 % longer. */
function takeDetails(patch: Patch, job: JobRecord, by: NewJob): void {
  if (job.type !== by.type) patch.type = by.type
  if (job.payloadVersion !== by.payloadVersion) patch.payloadVersion = by.payloadVersion
  if (job.priority !== by.priority) patch.priority = by.priority
  if (job.expireAfter !== by.expireAfter) patch.expireAfter = by.expireAfter
  if (job.timeout !== by.timeout) patch.timeout = by.timeout
  if (job.leaseDuration !== by.leaseDuration) patch.leaseDuration = by.leaseDuration
  if (job.maxRetries !== by.maxRetries) patch.maxRetries = by.maxRetries
  if (job.maxInterruptions !== by.maxInterruptions) patch.maxInterruptions = by.maxInterruptions
  if (job.queueName !== by.queueName) patch.queueName = by.queueName
  if (job.serial !== by.serial) patch.serial = by.serial
  if (job.limitKey !== by.limitKey) patch.limitKey = by.limitKey
  if (job.depth !== by.depth) patch.depth = by.depth
  if (job.unchecked !== (by.unchecked ?? false)) patch.unchecked = !job.unchecked
  if (job.backoff !== by.backoff) patch.backoff = copyPlain(by.backoff)
  if (job.requires.length + by.requires.length > 0) patch.requires = [...by.requires].sort()
}

/** A job that was not tried yet. */
function forgetAttempts(patch: Patch, job: JobRecord): void {
  if (job.attempts !== 0) patch.attempts = 0
  if (job.failures !== 0) patch.failures = 0
  if (job.interruptions !== 0) patch.interruptions = 0
  if (job.unreached !== 0) patch.unreached = 0
  if (job.progress !== null) patch.progress = null
  if (job.error !== null) patch.error = null
}

/** An enqueue was folded into this job: remembered, so that its repeat does nothing. [keys] [repeat] */
export function touched(job: JobRecord, by: NewJob): Patch {
  return remembering(job, job.absorbed, { id: by.id, digest: digestOf(by) })
}

function remembering(job: JobRecord, before: readonly AbsorbedEnqueue[], call: AbsorbedEnqueue): Patch {
  const absorbed = before.length === 0 ? [call] : [...before.slice(1 - ABSORBED_LIMIT), call]
  return { revision: job.revision + 1, absorbed }
}

/** The job lost its key. If it runs it finishes, but is not retried. [keys] */
export function keyLost(job: JobRecord): Patch {
  return job.state === 'running' ? { jobKey: null, superseded: true } : { jobKey: null }
}

function attemptEnded(job: JobRecord, outcome: AttemptOutcome, now: number, error?: ErrorData): Patch {
  const patch: Patch = { session: null, claimId: null, outcome }
  if (job.groups.length > 0) patch.groups = []
  if (outcome !== 'released') {
    const ended = { attempt: job.attempts, fence: job.fence, startedAt: job.startedAt ?? now, endedAt: now, outcome }
    const record: AttemptRecord = error === undefined ? ended : { ...ended, error }
    patch.history = job.history.length === 0 ? [record] : [...job.history.slice(1 - HISTORY_LIMIT), record]
  }
  return patch
}

/** A failure is an answer of whatever the job needs: that was reached. */
function counted(job: JobRecord, counts: 'failure' | 'interruption'): Patch {
  return counts === 'failure' ? { failures: job.failures + 1, unreached: 0 } : { interruptions: job.interruptions + 1 }
}

function failedFor(job: JobRecord, error: ErrorData, now: number): Patch {
  if (job.cancelRequested !== null) return cancelled(job.cancelRequested, now)
  return { state: 'failed', finishedAt: now, error }
}

/** A request to cancel, or a newer job under the key, ends what would otherwise wait again. [beat] [keys] */
function waitsAgain(job: JobRecord, runAt: number, delay: number | null, error: ErrorData | null, now: number): Patch {
  if (job.cancelRequested !== null) return cancelled(job.cancelRequested, now)
  if (job.superseded) {
    const cause = error === null ? {} : { cause: error }
    return {
      state: 'failed',
      finishedAt: now,
      error: {
        name: 'HoldfastError',
        code: 'HOLDFAST_SUPERSEDED',
        message: 'A newer job took its key, or the key was removed',
        ...cause,
      },
    }
  }
  return { state: 'waiting', runAt, delay, error, ...placeKept(job) }
}

export function serialGroup(queueName: string): string {
  return `serial:${queueName}`
}

/** See `SerialMode`. [strict] */
function placeKept({ serial, queueName, groups }: JobRecord): Patch {
  if (serial !== 'strict' || queueName === null) return {}
  return { groups: groups.filter((key) => key === serialGroup(queueName)) }
}

export function unreachable(value: never): never {
  throw new TypeError(`Unhandled: ${JSON.stringify(value)}`)
}
