import type { StoredState } from '../contract.ts'
import { OrderedList } from './ordered-list.ts'
import type { JobRow } from './rows.ts'

const FIELDS = ['createdAt', 'runAt', 'startedAt', 'finishedAt', 'priority', 'type', 'queueName', 'jobKey'] as const
export type OrderedField = (typeof FIELDS)[number]

export function isOrdered(field: string): field is OrderedField {
  return (FIELDS as readonly string[]).includes(field)
}

/** One order that is kept: of all jobs, or of those in one state. */
interface Kept {
  readonly field: OrderedField
  readonly state: StoredState | null
  readonly list: OrderedList<JobRow>
}

/**
 * Jobs in the order of one field, for lists. Each order is made when a list first needs it and kept from then on: a queue
 * that nobody asks pays neither memory nor time, one that is asked about 10 bytes for each job in each order.
 */
export class Orders {
  readonly #rows: ReadonlyMap<string, JobRow>
  readonly #kept: Kept[] = []

  constructor(rows: ReadonlyMap<string, JobRow>) {
    this.#rows = rows
  }

  by(field: OrderedField, state: StoredState | null = null): OrderedList<JobRow> {
    const known = this.#kept.find((kept) => kept.field === field && kept.state === state)
    if (known !== undefined) return known.list
    const compare = (a: JobRow, b: JobRow): number => compareField(a, b[field], field) || a.sequence - b.sequence
    const list = new OrderedList(compare)
    const rows = [...this.#rows.values()].filter((row) => state === null || row.state === state)
    for (const row of rows.sort(compare)) list.add(row)
    this.#kept.push({ field, state, list })
    return list
  }

  /** `fields`: those that have changed; absent: the job is new. */
  add(row: JobRow, fields?: object): void {
    for (const kept of this.#kept) if (moves(kept, row, fields)) kept.list.add(row)
  }

  /** To be called before they change. */
  remove(row: JobRow, fields?: object): void {
    for (const kept of this.#kept) if (moves(kept, row, fields)) kept.list.remove(row)
  }
}

/** Whether a job that is in this order, or will be, has another place there with these fields than without. */
function moves({ field, state }: Kept, row: JobRow, fields: object | undefined): boolean {
  if (state !== null && row.state !== state) return false
  return fields === undefined || field in fields || (state !== null && 'state' in fields)
}

/** How the job's field compares with a value of that field; what is not set comes first. */
export function compareField(row: JobRow, value: JobRow[OrderedField], field: OrderedField): number {
  const own = row[field]
  if (own === value) return 0
  if (own === null) return -1
  return value === null || own > value ? 1 : -1
}
