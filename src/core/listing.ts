import { invalidOption } from './errors.ts'
import { type Job, toJob } from './job.ts'
import { atLeast1, integer, knownOptions, readOptions } from './options.ts'
import {
  FILTER_FIELDS,
  type ListRequest,
  type OrderField,
  type StorageAdapter,
  type Where,
} from './storage/contract.ts'

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
const OPERATORS = ['eq', 'ne', 'in', 'nin', 'gt', 'gte', 'lt', 'lte']
const MOST_PER_PAGE = 1000

/** A question about jobs: iterate it for all answers, or ask for one page. Jobs are as they were when read. */
export class JobList implements AsyncIterable<Job> {
  readonly #storage: StorageAdapter
  readonly #now: () => number
  readonly #where: Where
  readonly #orderBy: ListRequest['orderBy']
  readonly #limit: number

  constructor(storage: StorageAdapter, now: () => number, options: ListOptions) {
    const rules = { where: checkWhere, orderBy: checkOrder, limit: atLeast1 }
    const {
      where = {},
      orderBy = { field: 'createdAt', direction: 'desc' },
      limit = Infinity,
    } = readOptions('list', options, rules)
    this.#storage = storage
    this.#now = now
    this.#where = where
    this.#orderBy = orderBy
    this.#limit = limit
  }

  async page(options: PageOptions = {}): Promise<JobPage> {
    const { size = 100, after = null } = readOptions('page', options, { size: pageSize, after: checkCursor })
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
    const now = this.#now()
    const { jobs, cursor } = await this.#storage.list({ where: this.#where, orderBy: this.#orderBy, limit, after, now })
    return { jobs: jobs.map((record) => toJob(record, now)), cursor }
  }
}

function pageSize(field: string, value: unknown): number {
  return integer(field, value, 1, MOST_PER_PAGE)
}

function checkWhere(_field: string, where: unknown): Where {
  knownOptions('where', where, FILTER_FIELDS)
  for (const [field, filter] of Object.entries(where as object)) {
    knownOptions(`where.${field}`, filter, OPERATORS)
    for (const [operator, value] of Object.entries(filter as object))
      checkOperand(`where.${field}.${operator}`, operator, value)
  }
  return where as Where
}

function checkOperand(field: string, operator: string, value: unknown): void {
  if (operator === 'in' || operator === 'nin') {
    if (!Array.isArray(value)) throw invalidOption(field, 'an array', value)
  } else if (operator === 'eq' || operator === 'ne') {
    if (typeof value === 'object' && value !== null) throw invalidOption(field, 'a text, a number or null', value)
  } else if (typeof value !== 'number') throw invalidOption(field, 'a number', value)
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
  if (isCursor(after)) return after as string
  throw invalidOption(field, 'the cursor of a page', after)
}

/** `[order value or null, sequence]` as JSON; see `list` in storage/job-table/query.ts. */
function isCursor(text: unknown): boolean {
  try {
    const parts: unknown = JSON.parse(String(text))
    if (!Array.isArray(parts) || parts.length !== 2) return false
    const [value, sequence] = parts as readonly unknown[]
    return (value === null || typeof value === 'number') && Number.isSafeInteger(sequence)
  } catch {
    return false
  }
}
