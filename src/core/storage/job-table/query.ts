import type {
  FieldFilter,
  FilterField,
  JobCounts,
  JobStatus,
  ListAnswer,
  ListRequest,
  OrderField,
  Where,
} from '../contract.ts'
import type { JobTable } from './job-table.ts'
import { type JobRow, toRecord } from './rows.ts'

/** The public status: a waiting job is `scheduled` until its time has come. */
export function statusOf(job: Pick<JobRow, 'state' | 'delay' | 'runAt'>, now: number): JobStatus {
  if (job.state !== 'waiting') return job.state
  return job.delay !== null && job.runAt > now ? 'scheduled' : 'pending'
}

export function counts(table: JobTable, now: number): JobCounts {
  table.ready.advance(now)
  const scheduled = table.ready.delayed
  return {
    pending: table.ready.waiting - scheduled,
    scheduled,
    running: table.runningCount,
    completed: table.finished.completed.size,
    failed: table.finished.failed.size,
    cancelled: table.finished.cancelled.size,
  }
}

/**
 * One page. The cursor holds the order value and the sequence of the last job shown, so that a page is not disturbed
 * by jobs that come or go before it.
 */
export function list(table: JobTable, { where, orderBy, limit, after, now }: ListRequest): ListAnswer {
  const sign = orderBy.direction === 'asc' ? 1 : -1
  const place = (job: JobRow): Place => ({ value: orderValue(job, orderBy.field), sequence: job.sequence })
  const start = after === null ? null : parseCursor(after)
  const matches: JobRow[] = []
  for (const job of candidates(table, where)) {
    if (start !== null && sign * comparePlaces(place(job), start) <= 0) continue
    if (matchesWhere(job, where, now)) matches.push(job)
  }
  matches.sort((a, b) => sign * comparePlaces(place(a), place(b)))
  const page = matches.slice(0, limit)
  const last = page.at(-1)
  const cursor = matches.length > limit && last !== undefined ? JSON.stringify(Object.values(place(last))) : null
  return { jobs: page.map(toRecord), cursor }
}

interface Place {
  readonly value: number
  readonly sequence: number
}

/** A missing moment comes before every other. */
function orderValue(job: JobRow, field: OrderField): number {
  return job[field] ?? -Infinity
}

function comparePlaces(a: Place, b: Place): number {
  if (a.value !== b.value) return a.value < b.value ? -1 : 1
  return a.sequence - b.sequence
}

function parseCursor(text: string): Place {
  const [value, sequence] = JSON.parse(text) as [number | null, number]
  return { value: value ?? -Infinity, sequence }
}

/** A condition on the status alone reads that status's list instead of all jobs. */
function candidates(table: JobTable, where: Where): Iterable<JobRow> {
  const status = where.status?.eq
  if (status === 'completed' || status === 'failed' || status === 'cancelled') return table.finished[status]
  return table.tables.jobs.values()
}

export function matchesWhere(job: JobRow, where: Where, now: number): boolean {
  for (const field in where) {
    const filter = where[field as FilterField]
    if (
      filter !== undefined &&
      !matchesField(field === 'status' ? statusOf(job, now) : job[field as Exclude<FilterField, 'status'>], filter)
    )
      return false
  }
  return true
}

function matchesField(value: string | number | null, filter: FieldFilter): boolean {
  if (filter.eq !== undefined && value !== filter.eq) return false
  if (filter.ne !== undefined && value === filter.ne) return false
  if (filter.in !== undefined && (value === null || !filter.in.includes(value))) return false
  if (filter.nin !== undefined && value !== null && filter.nin.includes(value)) return false
  const bounds = filter.gt ?? filter.gte ?? filter.lt ?? filter.lte
  if (bounds === undefined) return true
  if (typeof value !== 'number') return false
  return (
    value > (filter.gt ?? -Infinity) &&
    value >= (filter.gte ?? -Infinity) &&
    value < (filter.lt ?? Infinity) &&
    value <= (filter.lte ?? Infinity)
  )
}
