import { checkWhere, type JobFilter } from './conditions.ts'
import { invalidOption } from './errors.ts'
import { type Job, toJob } from './job.ts'
import { boolean, type Check, integerFrom, readOptions } from './options.ts'
import type { QueueCore } from './queue-core.ts'
import {
  type FilterField,
  FILTER_FIELDS,
  type JobRecord,
  type ListOrder,
  type ListRequest,
} from './storage/contract.ts'
import { isObject } from './storage/plain.ts'

type Direction = ListOrder['direction']
type PathOrder = Direction | { readonly [name: string]: PathOrder }

/** By one field or path into the payload: `{ createdAt: 'desc' }`, `{ payload: { to: 'asc' } }`, `'createdAt'`, `'-createdAt'`. */
export type OrderBy = string | ({ readonly [Field in FilterField]?: Direction } & { readonly payload?: PathOrder })

export interface ListOptions {
  /** Conditions; several fields, and several operators of one, mean `and`. Default: all jobs. See docs/queries.md. */
  readonly where?: JobFilter
  /** The first decides, then the next. Default `{ createdAt: 'desc' }`: newest first. What is missing is before all else. */
  readonly orderBy?: OrderBy | readonly OrderBy[]
  /** The most jobs that iterating yields, from 1. Default: all. */
  readonly limit?: number
  /** False: jobs come without their payloads (`null`), for which nothing large is read from the storage. Default true. */
  readonly payloads?: boolean
}

export interface PageOptions {
  /** Jobs per page, 1 to 1,000. Default 100. */
  readonly size?: number
  /** The `cursor` of the page before. */
  readonly after?: string
}

export interface JobPage {
  readonly jobs: readonly Job[]
  /** Names the place after each job. */
  readonly cursors: readonly string[]
  /** Names the place after this page; `null` at the end. */
  readonly cursor: string | null
}

type Order = ListRequest['orderBy']

const MOST_PER_PAGE = 1000
/** Names in a path into a payload. */
const MOST_PATH = 64

/** A question about jobs: iterate it for all answers, or ask for one page. Jobs are as they were when read. */
export class JobList implements AsyncIterable<Job> {
  /** Throws once the queue is closed. */
  readonly #open: () => Pick<QueueCore, 'storage' | 'environment'>
  /** Of each page. */
  readonly #asked: Pick<ListRequest, 'where' | 'orderBy' | 'payloads'>
  readonly #limit: number

  constructor(open: () => Pick<QueueCore, 'storage' | 'environment'>, options: ListOptions) {
    const fitting = { where: ofList(checkWhere), orderBy: ofList(checkOrder) }
    const checks = { ...fitting, limit: integerFrom(1), payloads: boolean }
    const { where = {}, orderBy, limit = Infinity, payloads = true } = readOptions('list', options, checks)
    this.#open = open
    this.#asked = { where, orderBy: orderBy ?? [{ path: ['createdAt'], direction: 'desc' }], payloads }
    this.#limit = limit
  }

  async page(options: PageOptions = {}): Promise<JobPage> {
    return this.toPage(options)()
  }

  /** @internal */
  toPage(options: PageOptions): () => Promise<JobPage> {
    const checks = { size: integerFrom(1, MOST_PER_PAGE), after: cursorOf(this.#asked.orderBy) }
    const { size = 100, after = null } = readOptions('page', options, checks)
    return () => this.#page(size, after)
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
    const answer = await storage.list({ ...this.#asked, limit, after, now })
    const shown = (record: JobRecord): JobRecord => (this.#asked.payloads ? record : { ...record, payload: null })
    return { ...answer, jobs: answer.jobs.map((record) => toJob(shown(record), now)) }
  }
}

/** They are named in errors without what they are an option of. */
function ofList<Value>(check: Check<Value>): Check<Value> {
  return (field, value) => check(field.slice('list.'.length), value)
}

function checkOrder(field: string, orderBy: unknown): Order {
  const orders = (Array.isArray(orderBy) ? Array.from<unknown>(orderBy) : [orderBy]).map((one) =>
    typeof one === 'string' ? shortOrder(field, one) : orderOf(field, one, []),
  )
  if (orders.length === 0) throw invalidOption(field, 'at least one order', orderBy)
  return orders as unknown as Order
}

/** `createdAt`, `-createdAt`, `payload.address.city`. */
function shortOrder(field: string, order: string): ListOrder {
  const falls = order.startsWith('-')
  return ordered(field, order.slice(Number(falls)).split('.'), falls ? 'desc' : 'asc')
}

/** `{ createdAt: 'desc' }`, `{ payload: { address: { city: 'asc' } } }`. */
function orderOf(field: string, order: unknown, path: readonly string[]): ListOrder {
  const names = isObject(order) && !Array.isArray(order) ? Object.keys(order) : []
  const [name] = names
  if (!isObject(order) || name === undefined || names.length > 1 || path.length > MOST_PATH)
    throw invalidOption(field, "an object with one field, as { createdAt: 'desc' }, or its name", order)
  const next = [...path, name]
  const direction = order[name]
  if (direction === 'asc' || direction === 'desc') return ordered(field, next, direction)
  if (isObject(direction) && next[0] === 'payload') return orderOf(`${field}.${name}`, direction, next)
  throw invalidOption(`${field}.${name}`, "'asc' or 'desc'", direction)
}

function ordered(field: string, path: readonly string[], direction: ListOrder['direction']): ListOrder {
  const [first = ''] = path
  const known = first === 'payload' || ((FILTER_FIELDS as readonly string[]).includes(first) && path.length === 1)
  if (known) return { path: path as ListOrder['path'], direction }
  throw invalidOption(field, `by one of ${FILTER_FIELDS.join(', ')} or a path into the payload`, path.join('.'))
}

function cursorOf({ length }: Order): Check<string> {
  return (field, after) => {
    if (typeof after === 'string' && isCursor(after, length + 1)) return after
    throw invalidOption(field, 'the cursor of a page in the same order', after)
  }
}

/** A sequence after the values of an order, as JSON; see storage/job-table/job-order.ts. */
function isCursor(text: string, length: number): boolean {
  try {
    const parts: unknown = JSON.parse(text)
    return Array.isArray(parts) && parts.length === length && Number.isSafeInteger(parts.at(-1))
  } catch {
    return false
  }
}
