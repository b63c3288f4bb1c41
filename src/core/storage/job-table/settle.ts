import type { NewJob, Settlement, Verdict } from '../contract.ts'
import { alreadySettled, holds, type Patch, settled } from '../transitions.ts'
import type { Draft } from './draft.ts'
import { placeJob, saysTheSame } from './enqueue.ts'
import type { JobRow } from './rows.ts'

/** One attempt's end: compare state and fence, then the guard, then write outcome and new jobs in one unit. */
export function settle(draft: Draft, settlement: Settlement, now: number): Verdict {
  const job = draft.get('jobs', settlement.id)
  if (job === undefined) return 'missing'
  if (!holds(job, settlement.fence)) return alreadySettled(job, settlement) ? 'ok' : 'stale'
  if (settlement.when !== undefined && !guardHolds(draft, job, settlement.when)) return 'stale'
  const conflict = settlement.enqueue?.find((next) => conflicts(draft, next))
  endAttempt(draft, job, settled(job, conflict === undefined ? settlement : refused(settlement, conflict), now))
  if (conflict === undefined) for (const next of settlement.enqueue ?? []) placeJob(draft, next)
  return 'ok'
}

function conflicts(draft: Draft, next: NewJob): boolean {
  const stored = draft.get('jobs', next.id)
  return stored !== undefined && !saysTheSame(stored, next)
}

/** A job that cannot be chained must not be lost without a word: the one that asked for it is failed, for all to see. */
function refused({ id, fence }: Settlement, { id: taken }: NewJob): Settlement {
  const message = `A job with id \`${taken}\` is stored already, with another type or payload: it was not chained`
  return {
    id,
    fence,
    kind: 'fail',
    counts: 'failure',
    error: { name: 'HoldfastError', code: 'HOLDFAST_ID_CONFLICT', message },
  }
}

/** Writes what ends a running attempt: the job, the groups that counted it, and the key it may free. */
export function endAttempt(draft: Draft, job: Readonly<JobRow>, to: Patch): void {
  writeJob(draft, job, to)
  for (const key of job.groups) {
    const group = draft.get('groups', key)
    if (group === undefined) continue
    if (group.running <= 1 && group.window === null) draft.remove('groups', key)
    else draft.put('groups', key, { running: Math.max(0, group.running - 1) })
  }
}

/** Completion and cancellation free the job's key; a failed job keeps it. [keys] */
export function writeJob(draft: Draft, job: Readonly<JobRow>, to: Patch): void {
  draft.put('jobs', job.id, to)
  if (to.state === 'completed' || to.state === 'cancelled') freeKey(draft, job)
}

export function freeKey(draft: Draft, job: Readonly<JobRow>): void {
  if (job.jobKey !== null && draft.get('keys', job.jobKey)?.job === job.id) draft.remove('keys', job.jobKey)
}

/** The reaper acts on what it saw: a beat in between means that the session lives. [reaper] */
function guardHolds(draft: Draft, job: Readonly<JobRow>, when: NonNullable<Settlement['when']>): boolean {
  if ('ended' in when) return true
  const session = draft.get('sessions', job.session ?? '')
  if (session === undefined) return true
  draft.require('sessions', job.session ?? '')
  return session.beats === when.beats
}
