import type { Disposition, EnqueueAnswer, EnqueueRequest, NewJob } from '../contract.ts'
import { digestOf, samePayload } from '../digest.ts'
import { joinedSize } from '../payload-size.ts'
import { keyLost, replaced, touched } from '../transitions.ts'
import type { Draft } from './draft.ts'
import { writeEnd } from './ending.ts'
import { expiryOf } from './expire.ts'
import { type JobRow, newJobFields, type ShelvedJob, toRecord } from './rows.ts'

interface Placed {
  readonly id: string
  readonly disposition: Disposition
}

/** A job whose id is known from a call that said something else. */
export interface Conflict {
  readonly index: number
  readonly id: string
}

/** All or nothing: an id that says something else refuses the whole batch. [enqueue] */
export function enqueue(draft: Draft, { jobs }: EnqueueRequest): () => EnqueueAnswer {
  const { table } = draft
  const placed = placeAll(draft, jobs)
  if ('index' in placed) return () => ({ accepted: false, ...placed })
  return () => ({
    accepted: true,
    jobs: placed.map(({ id, disposition }) => ({ id, disposition, job: toRecord(table.row('jobs', id) as JobRow) })),
  })
}

/**
 * Stores these jobs one after the other, as calls of their own would; where the id of one says something else nothing is
 * left of what the draft wrote. [enqueue] [keys]
 */
export function placeAll(draft: Draft, jobs: readonly NewJob[]): readonly Placed[] | Conflict {
  const all: Placed[] = []
  for (const [index, job] of jobs.entries()) {
    const placed = placeJob(draft, job)
    if (placed === null) {
      draft.discard()
      return { index, id: job.id }
    }
    all.push(placed)
  }
  return all
}

/**
 * Stores one job, or folds it into the one that holds its key: the rules of graphile-worker's `job_key`. `null` where its
 * id is known, here or in the storage, from a call that said something else. [keys]
 */
function placeJob(draft: Draft, job: NewJob): Placed | null {
  const known = draft.get('jobs', job.id) ?? draft.holderOfFolded(job.id)
  if (known !== undefined)
    return saysTheSame(known, job) ? { id: known.id, disposition: dispositionOfRepeat(known, job) } : null
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
 * Whether the call that made a job, or was folded into it, said what this one says. One whose payload a later call with
 * the key has replaced no longer shows that itself, nor does one whose payload stands elsewhere: they have a digest of it.
 */
function saysTheSame(known: Readonly<JobRow>, job: ShelvedJob): boolean {
  const call = known.id === job.id ? known : known.absorbed.find(({ id }) => id === job.id)
  const digest = call?.digest ?? null
  if (digest === null && job.digest === undefined)
    return known.type === job.type && samePayload(known.payload, job.payload)
  return digestOf({ type: known.type, payload: known.payload, digest }) === digestOf(job)
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
