import type { Disposition, EnqueueAnswer, EnqueueRequest, NewJob } from '../contract.ts'
import { samePlain } from '../plain.ts'
import { keyLost, replaced, touched } from '../transitions.ts'
import type { Draft } from './draft.ts'
import { type JobRow, newJobFields, toRecord } from './rows.ts'

interface Placed {
  readonly id: string
  readonly disposition: Disposition
}

/** All or nothing: an id that says something else refuses the whole batch before anything is written. [enqueue] */
export function enqueue(draft: Draft, { jobs }: EnqueueRequest): () => EnqueueAnswer {
  const { table } = draft
  const named = new Map<string, NewJob>()
  for (const [index, job] of jobs.entries()) {
    const stored = table.row('jobs', job.id) ?? named.get(job.id)
    if (stored !== undefined && !saysTheSame(stored, job)) {
      return () => ({ accepted: false, index, id: job.id })
    }
    named.set(job.id, job)
  }
  const placed = jobs.map((job) => placeJob(draft, job))
  return () => ({
    accepted: true,
    jobs: placed.map(({ id, disposition }) => ({ id, disposition, job: toRecord(table.row('jobs', id) as JobRow) })),
  })
}

/** A job that a later call with its key has updated no longer shows what the call with its id said. */
export function saysTheSame(stored: NewJob | Readonly<JobRow>, job: NewJob): boolean {
  if ('revision' in stored && stored.revision > 0) return true
  return stored.type === job.type && samePlain(stored.payload, job.payload)
}

/** Stores one job, or folds it into the one that holds its key: the rules of graphile-worker's `job_key`. [keys] */
export function placeJob(draft: Draft, job: NewJob): Placed {
  const known = draft.get('jobs', job.id) ?? draft.table.jobOrHolder(job.id)
  if (known !== undefined) return { id: known.id, disposition: dispositionOfRepeat(known, job) }
  const holder = job.jobKey === null ? undefined : holderOf(draft, job.jobKey)
  if (holder === undefined) return create(draft, job)
  if (job.jobKeyMode === 'unsafeDedupe') {
    draft.put('jobs', holder.id, touched(holder, job.id))
    return { id: holder.id, disposition: 'kept' }
  }
  if (holder.state !== 'waiting') {
    draft.put('jobs', holder.id, keyLost(holder))
    return create(draft, job)
  }
  draft.put('jobs', holder.id, replaced(holder, job))
  return { id: holder.id, disposition: 'replaced' }
}

export function holderOf(draft: Draft, jobKey: string): Readonly<JobRow> | undefined {
  const key = draft.get('keys', jobKey)
  return key === undefined ? undefined : draft.get('jobs', key.job)
}

/** The identical request again gets the answer it missed; another call with the same id is told that nothing was new. */
function dispositionOfRepeat(known: Readonly<JobRow>, job: NewJob): Disposition {
  if (known.id === job.id) return known.createdAt === job.createdAt ? 'created' : 'kept'
  return job.jobKeyMode === 'unsafeDedupe' ? 'kept' : 'replaced'
}

function create(draft: Draft, job: NewJob): Placed {
  draft.put('jobs', job.id, newJobFields(job))
  if (job.jobKey !== null) draft.put('keys', job.jobKey, { job: job.id })
  return { id: job.id, disposition: 'created' }
}
