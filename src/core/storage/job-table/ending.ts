import type { Patch } from '../transitions.ts'
import type { Draft } from './draft.ts'
import type { JobRow } from './rows.ts'

/** Writes what ends a running attempt: the job, the groups that counted it, and the key it may free. */
export function endAttempt(draft: Draft, job: Readonly<JobRow>, to: Patch): void {
  writeEnd(draft, job, to)
  for (const key of job.groups) {
    const group = draft.get('groups', key)
    if (group === undefined) continue
    const running = Math.max(0, group.running - 1)
    if (to.groups?.includes(key) === true) draft.put('groups', key, { running, holder: job.id })
    else if (running === 0 && group.window === null) draft.remove('groups', key)
    else draft.put('groups', key, { running })
  }
}

/** Writes what ends a waiting job, or makes another of it. Completion and cancellation free its key; a failed job keeps it. [keys] */
export function writeEnd(draft: Draft, job: Readonly<JobRow>, to: Patch): void {
  leaveQueue(draft, job, to)
  draft.put('jobs', job.id, to)
  if (to.state === 'completed' || to.state === 'cancelled') freeKey(draft, job)
}

/** A job that does not run goes without a trace. */
export function removeJob(draft: Draft, job: Readonly<JobRow>): void {
  leaveQueue(draft, job)
  freeKey(draft, job)
  draft.remove('jobs', job.id)
}

/** A waiting job that kept its place in a serial queue makes room for the next. [strict] */
function leaveQueue(draft: Draft, { state, groups }: Readonly<JobRow>, to?: Patch): void {
  if (state !== 'waiting' || groups.length === 0) return
  for (const key of groups) {
    if ((draft.get('groups', key)?.running ?? 0) === 0) draft.remove('groups', key)
    else draft.put('groups', key, { holder: null })
  }
  if (to !== undefined) to.groups = []
}

function freeKey(draft: Draft, job: Readonly<JobRow>): void {
  if (job.jobKey !== null && draft.get('keys', job.jobKey)?.job === job.id) draft.remove('keys', job.jobKey)
}
