import { compareValues, partOf, type ReadPart } from '../condition-test.ts'
import type { ListRequest, StoredState } from '../contract.ts'
import { isObject, tagOf } from '../plain.ts'
import { comparing, isOrdered, type Ordering, type Orders } from './orders.ts'
import type { JobRow } from './rows.ts'

export interface Place {
  readonly values: readonly unknown[]
  readonly sequence: number
}

interface Term {
  readonly sign: number
  readonly valueOf: (row: JobRow) => unknown
  readonly compare: (a: JobRow, b: JobRow) => number
}

/** The order of a list, and the cursors that name places in it: JSON of the values a job is ordered by and its sequence. */
export class JobOrder {
  readonly #terms: readonly Term[]
  /** Of the last term: ties by the order of enqueues go in its direction. */
  readonly #sign: number
  /** The fields up to the first for which no order of jobs can be kept; `null`: it is the first of all. */
  readonly #ordering: Ordering | null
  /** By how many terms the jobs of the latest walk came in order. */
  #walked = 0
  /** For each term that is no field of a job: what jobs are ordered by, copied once however often it is compared. */
  readonly #copies: Map<JobRow, unknown>[] = []

  constructor(orderBy: ListRequest['orderBy'], read: ReadPart) {
    this.#terms = orderBy.map(({ path: [field, ...path], direction }) => {
      const sign = direction === 'asc' ? 1 : -1
      if (isOrdered(field)) return { sign, valueOf: (row) => row[field], compare: comparing(field) }
      const copies = new Map<JobRow, unknown>()
      this.#copies.push(copies)
      const valueOf = (row: JobRow): unknown => {
        // What is missing is ordered as null.
        if (!copies.has(row)) copies.set(row, sortable(path.reduce(partOf, read(row, field))))
        return copies.get(row)
      }
      return { sign, valueOf, compare: (a, b) => compareValues(valueOf(a), valueOf(b)) }
    })
    this.#sign = this.#terms.at(-1)?.sign ?? 1
    const ordering: Ordering[number][] = []
    for (const { path, direction } of orderBy) {
      if (!isOrdered(path[0])) break
      ordering.push([path[0], direction === orderBy[0].direction ? 1 : -1])
    }
    const [first, ...more] = ordering
    this.#ordering = first === undefined ? null : [first, ...more]
  }

  compare(a: JobRow, b: JobRow): number {
    for (const { sign, compare } of this.#terms) {
      const order = compare(a, b)
      if (order !== 0) return sign * order
    }
    return this.#sign * (a.sequence - b.sequence)
  }

  compareTo(row: JobRow, { values, sequence }: Place, terms: number = this.#terms.length): number {
    for (const [at, { sign, valueOf }] of this.#terms.entries()) {
      if (at === terms) return 0
      const order = compareValues(valueOf(row), values[at])
      if (order !== 0) return sign * order
    }
    return this.#sign * (row.sequence - sequence)
  }

  /** This job is compared no more: what it is ordered by need not be held. */
  forget(row: JobRow): void {
    for (const copies of this.#copies) copies.delete(row)
  }

  /** Whether no job from `row` on, in the order of the walk, can come before `last`. */
  isPast(row: JobRow, last: JobRow): boolean {
    const walked = this.#walked
    return walked === this.#terms.length || this.#terms.slice(0, walked).some(({ compare }) => compare(row, last) !== 0)
  }

  /**
   * All jobs, or those in one state, in the order of the fields, from the place on or somewhat before; `null` where no
   * order is kept. `near`: a few are looked at, for which no order is made of more than the first field, and none of one
   * state if there is one of all.
   */
  walk(orders: Orders, state: StoredState | null, after: Place | null, near: boolean): Iterable<JobRow> | null {
    if (this.#ordering === null) return null
    const ordering: Ordering = near ? [this.#ordering[0]] : this.#ordering
    this.#walked = ordering.length
    const kept = orders.by(ordering, near && ordering[0][0] === 'createdAt' ? null : state)
    const step = this.#terms[0]?.sign === 1 ? 1 : -1
    if (after === null) return kept.walk(step === 1 ? 0 : kept.size, step)
    // Among equals the sequence tells, if nothing else comes before it.
    const isWhole = ordering.length === this.#terms.length
    const rank = kept.rank((row) => {
      const order = this.compareTo(row, after, ordering.length)
      return step === 1 ? order > 0 || (order === 0 && !isWhole) : order < 0 || (order === 0 && isWhole)
    })
    return kept.walk(rank, step)
  }

  cursorOf(row: JobRow): string {
    return JSON.stringify([...this.#terms.map(({ valueOf }) => valueOf(row)), row.sequence])
  }

  placeOf(cursor: string): Place {
    const values = JSON.parse(cursor) as unknown[]
    const sequence = values.pop() as number
    return { values, sequence }
  }
}

/** A value as a cursor can hold it: a Date as its epoch ms, what else JSON does not have as nothing. [structured] */
function sortable(value: unknown): unknown {
  if (!isObject(value)) return value ?? null
  if (Array.isArray(value)) return value.map(sortable)
  const tag = tagOf(value)
  if (tag !== 'Object') return tag === 'Date' ? Number(value) : null
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, sortable(part)]))
}
