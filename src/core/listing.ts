import { invalidOption } from './errors.ts'
import { type Job, toJob } from './job.ts'
import { integerFrom, knownOptions, readOptions } from './options.ts'
import type { QueueCore } from './queue-core.ts'
import { type FieldFilter, FILTER_FIELDS, type ListRequest, type OrderField, type Where } from './storage/contract.ts'

export interface ListOptions {
  /** Conditions; several fields, and several operators of one, mean `and`. Default: all jobs. */
  readonly where?: Where
  /** One field. Default `{ createdAt: 'desc' }`: newest first. A missing moment comes before every other. */
  readonly orderBy?: { readonly [Field in OrderField]?: 'asc' | 'desc' }
  /** The most jobs that iterating yields, from 1. Default: all. */
  readonly limit?: number
}

export interface PageOptions {
  /** Jobs per page, 1 to 1,000. Default 100. */
  readonly size?: number
  /** The `cursor` of the page before. */
  readonly after?: string
}

export interface JobPage {
  readonly jobs: readonly Job[]
  /** Names the place after this page; `null` at the end. */
  readonly cursor: string | null
}

const ORDER_FIELDS: readonly string[] = [
  'createdAt',
  'runAt',
  'startedAt',
  'finishedAt',
  'priority',
] satisfies OrderField[]
const OPERATORS = { eq: plain, ne: plain, in: list, nin: list, gt: number, gte: number, lt: number, lte: number }
const MOST_PER_PAGE = 1000

/** A question about jobs: iterate it for all answers, or ask for one page. Jobs are as they were when read. */
export class JobList implements AsyncIterable<Job> {
  /** Throws once the queue is closed. */
  readonly #open: () => Pick<QueueCore, 'storage' | 'environment'>
  readonly #where: Where
  readonly #orderBy: ListRequest['orderBy']
  readonly #limit: number

  constructor(open: () => Pick<QueueCore, 'storage' | 'environment'>, options: ListOptions) {
    const checks = { where: checkWhere, orderBy: checkOrder, limit: integerFrom(1) }
    const { where = {}, orderBy, limit = Infinity } = readOptions('list', options, checks)
    this.#open = open
    this.#where = where
    this.#orderBy = orderBy ?? { field: 'createdAt', direction: 'desc' }
    this.#limit = limit
  }

  async page(options: PageOptions = {}): Promise<JobPage> {
    const checks = { size: integerFrom(1, MOST_PER_PAGE), after: checkCursor }
    const { size = 100, after = null } = readOptions('page', options, checks)
    return this.#page(size, after)
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Job> {
    let left = this.#limit
    let after: string | null = null
    do {
      const { jobs, cursor }: JobPage = await this.#page(Math.min(left, MOST_PER_PAGE), after)
      yield* jobs
      left -= jobs.length
      after = cursor
    } while (after !== null && left > 0)
  }

  async #page(limit: number, after: string | null): Promise<JobPage> {
    const { storage, environment } = this.#open()
    const now = environment.now()
    const { jobs, cursor } = await storage.list({ where: this.#where, orderBy: this.#orderBy, limit, after, now })
    return { jobs: jobs.map((record) => toJob(record, now)), cursor }
  }
}

function checkWhere(_field: string, where: unknown): Where {
  return readOptions('where', where, Object.fromEntries(FILTER_FIELDS.map((field) => [field, filter])))
}

function filter(field: string, value: unknown): FieldFilter {
  const read = readOptions(field, value, OPERATORS)
  // A condition on nothing would be met by every job: nobody means that.
  for (const operator of Object.keys(value as object))
    if (!(operator in read)) throw invalidOption(`${field}.${operator}`, 'given a value', undefined)
  return read
}

function plain(field: string, value: unknown): string | number | boolean | null {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  return number(field, value, 'a text, a number, true, false or null')
}

function list(field: string, value: unknown): readonly (string | number)[] {
  if (!Array.isArray(value)) throw invalidOption(field, 'an array', value)
  return Array.from(value, (item: unknown) =>
    typeof item === 'string' ? item : number(`${field}[]`, item, 'a text or a number'),
  )
}

function number(field: string, value: unknown, rule = 'a number'): number {
  if (typeof value === 'number' && !Number.isNaN(value)) return value
  throw invalidOption(field, rule, value)
}

function checkOrder(_field: string, orderBy: unknown): ListRequest['orderBy'] {
  knownOptions('orderBy', orderBy, ORDER_FIELDS)
  const [first, ...more] = Object.entries(orderBy as object)
  if (first === undefined || more.length > 0) throw invalidOption('orderBy', 'an object with one field', orderBy)
  const [field, direction] = first as [OrderField, unknown]
  if (direction !== 'asc' && direction !== 'desc') throw invalidOption(`orderBy.${field}`, "'asc' or 'desc'", direction)
  return { field, direction }
}

function checkCursor(field: string, after: unknown): string {
  if (typeof after === 'string' && isCursor(after)) return after
  throw invalidOption(field, 'the cursor of a page', after)
}

/** `[order value or null, sequence]` as JSON; see `list` in storage/job-table/query.ts. */
function isCursor(text: string): boolean {
  try {
    const parts: unknown = JSON.parse(text)
    if (!Array.isArray(parts) || parts.length !== 2) return false
    const [value, sequence] = parts as readonly unknown[]
    return (value === null || typeof value === 'number') && Number.isSafeInteger(sequence)
  } catch {
    return false
  }
}
