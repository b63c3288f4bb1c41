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
 * by jobs that come or go before it. A page looks at each job once and sorts no more than it shows.
 */
export function list(table: JobTable, { where, orderBy, limit, after, now }: ListRequest): ListAnswer {
  const { field, direction } = orderBy
  const sign = direction === 'asc' ? 1 : -1
  const start = after === null ? null : parseCursor(after)
  // One more than the page shows: it tells that there is another page.
  const first = new FirstOf(limit + 1, (a, b) => sign * comparePlaces(a, b.sequence, orderValue(b, field), field))
  for (const job of candidates(table, where)) {
    if (start !== null && sign * comparePlaces(job, start.sequence, start.value, field) <= 0) continue
    if (first.mayHold(job) && matchesWhere(job, where, now)) first.add(job)
  }
  const found = first.sorted()
  const page = found.slice(0, limit)
  const last = page.at(-1)
  const cursor =
    found.length > limit && last !== undefined ? JSON.stringify([orderValue(last, field), last.sequence]) : null
  return { jobs: page.map(toRecord), cursor }
}

/** The first `size` of many jobs, of which it never holds more than twice as many. */
class FirstOf {
  readonly #size: number
  readonly #compare: (a: JobRow, b: JobRow) => number
  readonly #jobs: JobRow[] = []
  /** What comes after this one is not among them. */
  #last: JobRow | undefined

  constructor(size: number, compare: (a: JobRow, b: JobRow) => number) {
    this.#size = size
    this.#compare = compare
  }

  mayHold(job: JobRow): boolean {
    return this.#last === undefined || this.#compare(job, this.#last) < 0
  }

  add(job: JobRow): void {
    this.#jobs.push(job)
    if (this.#jobs.length >= 2 * this.#size) this.sorted()
  }

  sorted(): readonly JobRow[] {
    this.#jobs.sort(this.#compare)
    if (this.#jobs.length >= this.#size) {
      this.#jobs.length = this.#size
      this.#last = this.#jobs[this.#size - 1]
    }
    return this.#jobs
  }
}

interface Place {
  readonly value: number
  readonly sequence: number
}

/** A missing moment comes before every other. */
function orderValue(job: JobRow, field: OrderField): number {
  return job[field] ?? -Infinity
}

/** Called a few times for each job of a page's search: it makes nothing that would have to be collected. */
function comparePlaces(job: JobRow, sequence: number, value: number, field: OrderField): number {
  const own = orderValue(job, field)
  if (own !== value) return own < value ? -1 : 1
  return job.sequence - sequence
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
