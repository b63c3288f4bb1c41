import { OrderedList } from './ordered-list.ts'
import type { JobRow } from './rows.ts'

/** The waiting jobs that have an `expireAt`: those past it by the index's clock, and those to come. */
export class Expirations {
  /** Nobody may claim them. */
  readonly expired: Set<JobRow> = new Set()
  readonly #coming = new OrderedList<JobRow>((a, b) => momentOf(a) - momentOf(b) || a.sequence - b.sequence)

  /** True when the job is past its moment. */
  add(row: JobRow, now: number): boolean {
    const late = momentOf(row) <= now
    if (late) this.expired.add(row)
    else if (row.expireAt !== null) this.#coming.add(row)
    return late
  }

  /** True when the job was past its moment. */
  remove(row: JobRow): boolean {
    if (this.expired.delete(row)) return true
    if (row.expireAt !== null) this.#coming.remove(row)
    return false
  }

  /** The first of those to come, if its moment is now. */
  next(now: number): JobRow | undefined {
    const row = this.#coming.first()
    return row !== undefined && momentOf(row) <= now ? row : undefined
  }

  /** Jobs that another clock took for late. */
  early(now: number): JobRow[] {
    return [...this.expired].filter((row) => momentOf(row) > now)
  }
}

function momentOf(row: JobRow): number {
  return row.expireAt ?? Infinity
}
