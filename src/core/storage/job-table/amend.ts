import type { AmendAnswer, Amendment, FinishedState } from '../contract.ts'
import { copyPlain } from '../plain.ts'
import { cancelled, interrupted, keyLost, type Patch, requeued, unreachable } from '../transitions.ts'
import type { Draft } from './draft.ts'
import { endAttempt, removeJob, writeEnd } from './ending.ts'
import { holderOf } from './enqueue.ts'
import { expire, expiryOf, retryUnreached } from './expire.ts'
import { type JobRow, toRecord } from './rows.ts'

/** What one amendment did; the jobs it names are answered as they are afterwards, removed ones as they were. */
interface Amended {
  readonly verdict: AmendAnswer['verdict']
  readonly jobs: readonly Readonly<JobRow>[]
}

const MISSING: Amended = { verdict: 'missing', jobs: [] }

export function amend(draft: Draft, amendment: Amendment, now: number): () => AmendAnswer {
  const { table } = draft
  const { verdict, jobs } = decideAmendment(draft, amendment, now)
  return () => ({ verdict, jobs: jobs.map((job) => toRecord(table.row('jobs', job.id) ?? job)) })
}

function decideAmendment(draft: Draft, amendment: Amendment, now: number): Amended {
  if (amendment.kind === 'forceRelease') return forceRelease(draft, amendment.session, now)
  if (amendment.kind === 'removeKey') return removeKey(draft, amendment.jobKey)
  if (amendment.kind === 'expire') return amended(expire(draft, amendment, now))
  if (amendment.kind === 'retryUnreached') return amended(retryUnreached(draft, amendment, now))
  const job = draft.get('jobs', amendment.id)
  if (job === undefined) return MISSING
  const done = amendJob(draft, job, amendment, now)
  return { verdict: done ? 'ok' : 'ignored', jobs: [job] }
}

function amended(jobs: Amended['jobs']): Amended {
  return { verdict: jobs.length > 0 ? 'ok' : 'ignored', jobs }
}

type JobAmendment = Extract<Amendment, { readonly id: string }>

/** False when the job's state is not one this kind touches. A running job is touched by `cancel` alone. */
function amendJob(draft: Draft, job: Readonly<JobRow>, amendment: JobAmendment, now: number): boolean {
  const { state } = job
  switch (amendment.kind) {
    case 'cancel':
      if (state === 'running') draft.put('jobs', job.id, { cancelRequested: amendment.reason })
      else if (state === 'waiting') writeEnd(draft, job, cancelled(amendment.reason, now))
      return state === 'running' || state === 'waiting'
    case 'requeue': {
      if (state === 'running' || state === 'completed') return false
      const { runAt, delay } = amendment
      draft.put('jobs', job.id, withKey(draft, job, requeued(runAt, delay, expiryOf(draft, job.expireAfter, runAt))))
      return true
    }
    case 'reschedule':
      if (state !== 'waiting') return false
      draft.put('jobs', job.id, rescheduled(draft, job, amendment))
      return true
    case 'complete':
      if (state === 'running' || state === 'completed') return false
      writeEnd(draft, job, { ...ended('completed', now), result: copyPlain(amendment.result), error: null })
      return true
    case 'fail':
      if (state !== 'waiting' && state !== 'cancelled') return false
      writeEnd(draft, job, withKey(draft, job, { ...ended('failed', now), error: copyPlain(amendment.error) }))
      return true
    case 'remove':
      if (state === 'running') return false
      removeJob(draft, job)
      return true
    default:
      return unreachable(amendment)
  }
}

/** A job that was cancelled gave its key up. It takes it back if nobody has it now, else it goes on without. [amend] [keys] */
function withKey(draft: Draft, job: Readonly<JobRow>, to: Patch): Patch {
  if (job.jobKey !== null) {
    const key = draft.get('keys', job.jobKey)
    if (key === undefined) draft.put('keys', job.jobKey, { job: job.id })
    else if (key.job !== job.id) to.jobKey = null
  }
  return to
}

/** By hand; one that was cancelled before does not say why any more. */
function ended(state: FinishedState, finishedAt: number): Patch {
  return { state, finishedAt, cancelRequested: null }
}

/** A new moment is a new wait: the job does not expire before it has come. */
function rescheduled(
  draft: Draft,
  { expireAfter }: Readonly<JobRow>,
  { runAt, priority, maxRetries }: Extract<Amendment, { kind: 'reschedule' }>,
): Patch {
  return {
    ...(runAt === undefined ? {} : { runAt, delay: -1, expireAt: expiryOf(draft, expireAfter, runAt) }),
    ...(priority === undefined ? {} : { priority }),
    ...(maxRetries === undefined ? {} : { maxRetries }),
  }
}

function removeKey(draft: Draft, jobKey: string): Amended {
  const holder = holderOf(draft, jobKey)
  if (holder === undefined) return MISSING
  if (holder.state !== 'running') removeJob(draft, holder)
  else {
    draft.remove('keys', jobKey)
    draft.put('jobs', holder.id, keyLost(holder))
  }
  return { verdict: 'ok', jobs: [holder] }
}

function forceRelease(draft: Draft, session: string, now: number): Amended {
  const { table } = draft
  if (table.row('sessions', session) === undefined) return MISSING
  const held = [...table.runningOf(session)]
  for (const job of held) endAttempt(draft, job, interrupted(job, now))
  draft.remove('sessions', session)
  return { verdict: 'ok', jobs: held }
}
