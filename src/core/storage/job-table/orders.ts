import type { FilterField, StoredState } from '../contract.ts'
import { OrderedList } from './ordered-list.ts'
import type { JobRow } from './rows.ts'

export type OrderedField = Extract<FilterField, `${string}At` | 'priority' | 'type' | 'queueName' | 'jobKey'>

export function isOrdered(field: string): field is OrderedField {
  return Object.hasOwn(VALUE_IN, field)
}

/** Fields, each in the direction of the first (1) or against it; then the order of enqueues, in that of the last. */
export type Ordering = readonly [Term, ...Term[]]
type Term = readonly [OrderedField, 1 | -1]

/** Orders of several fields that are kept at the same time: there are too many to keep all that were ever asked for. */
const MOST_COMPOUND = 8

/** One order that is kept: of all jobs, or of those in one state. */
interface Kept {
  readonly name: string
  readonly ordering: Ordering
  readonly state: StoredState | null
  readonly list: OrderedList<JobRow>
}

/**
 * Jobs in the order of one field or several, for lists. That of the creation of all is kept from the start: a job is added at its end
 * and stays where it is. Each other one is made when a list first needs it and kept from then on: a queue that nobody
 * asks pays neither memory nor time for it, one that is asked about 10 bytes for each job.
 */
export class Orders {
  readonly #created = new OrderedList(inOrder('createdAt'))
  readonly #others: Kept[] = []

  by(ordering: Ordering, state: StoredState | null): OrderedList<JobRow> {
    const name = ordering.join()
    const isCreated = name === 'createdAt,1'
    if (isCreated && state === null) return this.#created
    const known = this.#others.find((kept) => kept.name === name && kept.state === state)
    if (known !== undefined) return known.list
    const all = this.#created.toArray()
    const rows = state === null ? all : all.filter((row) => row.state === state)
    const compare = ordering.length > 1 ? inOrders(ordering) : inOrder(ordering[0][0])
    if (!isCreated) rows.sort(compare)
    const list = new OrderedList(compare, rows)
    const compound = this.#others.filter((kept) => kept.ordering.length > 1)
    if (ordering.length > 1 && compound.length === MOST_COMPOUND)
      this.#others.splice(this.#others.indexOf(compound[0] as Kept), 1)
    this.#others.push({ name, ordering, state, list })
    return list
  }

  /** `fields`: those that have changed, among which is never `createdAt`; absent: the job is new. */
  add(row: JobRow, fields?: object): void {
    if (fields === undefined) this.#created.add(row)
    for (const kept of this.#others) if (moves(kept, row, fields)) kept.list.add(row)
  }

  /** To be called before they change. */
  remove(row: JobRow, fields?: object): void {
    if (fields === undefined) this.#created.remove(row)
    for (const kept of this.#others) if (moves(kept, row, fields)) kept.list.remove(row)
  }
}

/** Whether a job that is in this order, or will be, has another place there with these fields than without. */
function moves({ ordering, state }: Kept, row: JobRow, fields: object | undefined): boolean {
  if (state !== null && row.state !== state) return false
  return fields === undefined || ordering.some(([field]) => field in fields) || (state !== null && 'state' in fields)
}

/** Each read has a place of its own in the code, which makes lists of many jobs twice as fast. */
const VALUE_IN: { readonly [Field in OrderedField]: (row: JobRow) => JobRow[Field] } = {
  createdAt: (row) => row.createdAt,
  runAt: (row) => row.runAt,
  startedAt: (row) => row.startedAt,
  finishedAt: (row) => row.finishedAt,
  priority: (row) => row.priority,
  type: (row) => row.type,
  queueName: (row) => row.queueName,
  jobKey: (row) => row.jobKey,
}

/** How two jobs compare by one field. */
export function comparing(field: OrderedField): (a: JobRow, b: JobRow) => number {
  const valueIn = VALUE_IN[field]
  return (a, b) => compareOrdered(valueIn(a), valueIn(b))
}

/** What is not set comes first. */
function compareOrdered(a: JobRow[OrderedField], b: JobRow[OrderedField]): number {
  if (a === b) return 0
  if (a === null) return -1
  return b === null || a > b ? 1 : -1
}

/** How the job's field compares with a value of that field. */
export function compareField(row: JobRow, value: JobRow[OrderedField], field: OrderedField): number {
  return compareOrdered(row[field], value)
}

/** By one field, then by the order of enqueues. */
export function inOrder(field: OrderedField): (a: JobRow, b: JobRow) => number {
  const compare = comparing(field)
  return (a, b) => compare(a, b) || a.sequence - b.sequence
}

function inOrders(ordering: Ordering): (a: JobRow, b: JobRow) => number {
  const terms = ordering.map(([field, sign]) => ({ compare: comparing(field), sign }))
  const last = terms.at(-1)?.sign ?? 1
  return (a, b) => {
    for (const { compare, sign } of terms) {
      const order = compare(a, b)
      if (order !== 0) return sign * order
    }
    return last * (a.sequence - b.sequence)
  }
}
