import { type ReadPart, type Test, testOf } from '../condition-test.ts'
import type { JobCounts, JobStatus, ListAnswer, ListRequest, StoredState, Where } from '../contract.ts'
import type { JobTable } from './job-table.ts'
import { JobOrder, type Place } from './job-order.ts'
import { type Candidates, candidatesFor, everyJob } from './narrowing.ts'
import { lowest } from './ordered-list.ts'
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

/** Payloads that are not in the table. Those not at hand are noted, and the answer is no answer while there are any. */
export interface PayloadReader {
  readonly payloadOf: (row: JobRow) => unknown
  /** So many are missing that they have to be fetched before the search goes on. */
  readonly isFull: boolean
}

const IN_TABLE: PayloadReader = { payloadOf: (row) => row.payload, isFull: false }

/** So few are looked through in less time than it takes to think about it, or to make an order for them. */
const FEW = 1000

/** Jobs that are looked at in the order asked for before it is worth finding out where else to look. */
const FIRST_LOOK = 2000

/**
 * One page. The cursor holds the order values and the sequence of the last job shown, so that a page is not disturbed
 * by jobs that come or go before it. [tests/core/search.test.ts]
 *
 * Where an order of all jobs is kept for the first field, a search walks it from the cursor on and stops when the page
 * is full. If that takes long, because few jobs fit, it looks through the fewest that the conditions leave in question.
 */
export function list(table: JobTable, request: ListRequest, payloads: PayloadReader = IN_TABLE): ListAnswer {
  const search = new Search(table, request, payloads)
  const { jobs, isMore } = search.page()
  const cursors = jobs.map((job) => search.order.cursorOf(job))
  return { jobs: jobs.map(toRecord), cursors, cursor: isMore ? (cursors.at(-1) ?? null) : null }
}

class Search {
  readonly order: JobOrder
  readonly #table: JobTable
  readonly #where: Where
  readonly #limit: number
  readonly #now: number
  readonly #after: Place | null
  readonly #payloads: PayloadReader
  readonly #fits: Test

  constructor(table: JobTable, { where, orderBy, limit, after, now }: ListRequest, payloads: PayloadReader) {
    const read = readerOf(now, payloads)
    this.order = new JobOrder(orderBy, read)
    this.#table = table
    this.#where = where
    this.#limit = limit
    this.#now = now
    this.#after = after === null ? null : this.order.placeOf(after)
    this.#payloads = payloads
    this.#fits = testOf(where as Parameters<typeof testOf>[0], true, read)
  }

  page(): { readonly jobs: readonly JobRow[]; readonly isMore: boolean } {
    const found = this.#find()
    return { jobs: found.slice(0, this.#limit), isMore: found.length > this.#limit }
  }

  /** One more than the page shows, if there is: it tells that there is another page. */
  #find(): readonly JobRow[] {
    const { jobs } = this.#table.tables
    // A page of many is looked for among more, or what was found would be sorted again for each.
    const few = Math.min(20 * this.#limit, Math.max(FEW, 2 * this.#limit))
    let best: Candidates = everyJob(this.#table)
    if (best.size > few) best = this.#narrowed(false)
    if (best.size > few) {
      const near = this.#walk(Math.min(best.size, FIRST_LOOK))
      if (near !== null) return near
      best = this.#narrowed(true)
      const far = best.size > jobs.size / 4 ? this.#walk(Infinity) : null
      if (far !== null) return far
    }
    return this.#look(best.rows(), Infinity) ?? []
  }

  #narrowed(withOrders: boolean): Candidates {
    return candidatesFor({ table: this.#table, now: this.#now, withOrders }, this.#where)
  }

  /** In the order that is kept; `null` without one, or when it would take more than `most` looks. */
  #walk(most: number): readonly JobRow[] | null {
    const rows = this.order.walk(this.#table.orders, stateIn(this.#where), this.#after, most < Infinity)
    return rows === null ? null : this.#look(rows, most, true)
  }

  #look(rows: Iterable<JobRow>, most: number, inOrder = false): readonly JobRow[] | null {
    const { order } = this
    const first = new FirstOf(this.#limit + 1, order)
    let looked = 0
    for (const row of rows) {
      if (this.#payloads.isFull || (inOrder && first.isFull && order.isPast(row, first.last))) break
      if (looked++ === most) return null
      const follows = this.#after === null || order.compareTo(row, this.#after) > 0
      if (follows && first.mayHold(row) && this.#fits(row)) first.add(row)
      else order.forget(row)
    }
    return first.jobs
  }
}

/** The stored state that all jobs have for which this holds, if it names one. */
function stateIn({ status }: Where): StoredState | null {
  const named = status?.eq as JobStatus | undefined
  if (named === undefined) return null
  return named === 'pending' || named === 'scheduled' ? 'waiting' : named
}

function readerOf(now: number, { payloadOf }: PayloadReader): ReadPart {
  return (row, name) => {
    if (name === 'status') return statusOf(row as JobRow, now)
    return name === 'payload' ? payloadOf(row as JobRow) : (row as JobRow)[name as keyof JobRow]
  }
}

/** The first `size` of many jobs, in order. */
class FirstOf {
  readonly jobs: JobRow[] = []
  readonly #size: number
  readonly #order: JobOrder

  constructor(size: number, order: JobOrder) {
    this.#size = size
    this.#order = order
  }

  get isFull(): boolean {
    return this.jobs.length >= this.#size
  }

  get last(): JobRow {
    return this.jobs.at(-1) as JobRow
  }

  mayHold(job: JobRow): boolean {
    return !this.isFull || this.#order.compare(job, this.last) < 0
  }

  add(job: JobRow): void {
    const { jobs } = this
    if (this.isFull) this.#order.forget(jobs.pop() as JobRow)
    const rank = lowest(0, jobs.length, (at) => this.#order.compare(jobs[at] as JobRow, job) > 0)
    jobs.splice(rank, 0, job)
  }
}
