import type { Disposition, EnqueueAnswer, EnqueueRequest, NewJob } from '../contract.ts'
import { digestOf, samePayload } from '../digest.ts'
import { joinedSize } from '../payload-size.ts'
import { keyLost, replaced, touched } from '../transitions.ts'
import type { Draft } from './draft.ts'
import { writeEnd } from './ending.ts'
import { expiryOf } from './expire.ts'
import { type JobRow, newJobFields, toRecord } from './rows.ts'

interface Placed {
  readonly id: string
  readonly disposition: Disposition
}

/** All or nothing: an id that says something else refuses the whole batch before anything is written. [enqueue] */
export function enqueue(draft: Draft, { jobs }: EnqueueRequest): () => EnqueueAnswer {
  const { table } = draft
  const conflict = conflictIn(draft, jobs)
  if (conflict !== null) return () => ({ accepted: false, ...conflict })
  const placed = jobs.map((job) => placeJob(draft, job))
  return () => ({
    accepted: true,
    jobs: placed.map(({ id, disposition }) => ({ id, disposition, job: toRecord(table.row('jobs', id) as JobRow) })),
  })
}

/** The first of these jobs whose id is known, here or in the storage, from a call that said something else. */
export function conflictIn(draft: Draft, jobs: readonly NewJob[]): { index: number; id: string } | null {
  const named = new Map<string, NewJob>()
  for (const [index, job] of jobs.entries()) {
    const { id } = job
    const known = draft.get('jobs', id) ?? named.get(id)
    if (known === undefined ? wasFoldedOtherwise(draft, job) : !saysTheSame(known, job)) return { index, id }
    if (jobs.length > 1) named.set(id, job)
  }
  return null
}

/** A job that a later call with its key has replaced no longer shows what the call with its id said. */
function saysTheSame(known: NewJob | Readonly<JobRow>, job: NewJob): boolean {
  if (isDigested(known) || isDigested(job)) return digestOf(known) === digestOf(job)
  return known.type === job.type && samePayload(known.payload, job.payload)
}

/** Its payload stands elsewhere, or was replaced since. */
function isDigested(said: (NewJob & { readonly digest?: number }) | Readonly<JobRow>): boolean {
  return (said.digest ?? null) !== null
}

function wasFoldedOtherwise(draft: Draft, job: NewJob): boolean {
  const call = draft.holderOfFolded(job.id)?.absorbed.find(({ id }) => id === job.id)
  return call !== undefined && call.digest !== digestOf(job)
}

/** Stores one job, or folds it into the one that holds its key: the rules of graphile-worker's `job_key`. [keys] */
export function placeJob(draft: Draft, job: NewJob): Placed {
  const known = draft.get('jobs', job.id) ?? draft.holderOfFolded(job.id)
  if (known !== undefined) return { id: known.id, disposition: dispositionOfRepeat(known, job) }
  const holder = job.jobKey === null ? undefined : holderOf(draft, job.jobKey)
  if (holder === undefined) return create(draft, job)
  if (job.jobKeyMode === 'unsafeDedupe') draft.put('jobs', holder.id, touched(holder, job))
  else if (holder.state !== 'waiting' || cannotJoin(holder, job)) {
    draft.put('jobs', holder.id, keyLost(holder))
    return create(draft, job)
  } else {
    const expiry = (runAt: number): number | null => expiryOf(draft, job.expireAfter, job.createdAt, runAt)
    writeEnd(draft, holder, replaced(holder, job, expiry))
  }
  draft.fold(job.id, holder.id)
  return { id: holder.id, disposition: dispositionOfFolded(job) }
}

/**
 * Lists of two payload versions cannot become one, nor one that a schema has seen and one that it will see before the
 * job runs, nor those that would be larger than a payload may be. None of them may be lost either: the older goes on
 * without the key. [versions] [keys]
 */
function cannotJoin(holder: Readonly<JobRow>, job: NewJob): boolean {
  const { payload, payloadVersion, unchecked = false, joinedAtMost } = job
  if (!Array.isArray(holder.payload) || !Array.isArray(payload)) return false
  if (holder.payloadVersion !== payloadVersion || holder.unchecked !== unchecked) return true
  if (joinedAtMost === undefined) return false
  const { json, binary } = joinedSize(holder.payload, payload)
  return json > joinedAtMost.json || binary > joinedAtMost.binary
}

export function holderOf(draft: Draft, jobKey: string): Readonly<JobRow> | undefined {
  const key = draft.get('keys', jobKey)
  return key === undefined ? undefined : draft.get('jobs', key.job)
}

/** The identical request again gets the answer it missed; another call with the same id is told that nothing was new. */
function dispositionOfRepeat(known: Readonly<JobRow>, job: NewJob): Disposition {
  if (known.id === job.id) return known.createdAt === job.createdAt ? 'created' : 'kept'
  return dispositionOfFolded(job)
}

function dispositionOfFolded({ jobKeyMode }: NewJob): Disposition {
  return jobKeyMode === 'unsafeDedupe' ? 'kept' : 'replaced'
}

function create(draft: Draft, job: NewJob): Placed {
  draft.put('jobs', job.id, newJobFields(job, expiryOf(draft, job.expireAfter, job.createdAt, job.runAt)))
  if (job.jobKey !== null) draft.put('keys', job.jobKey, { job: job.id })
  return { id: job.id, disposition: 'created' }
}
