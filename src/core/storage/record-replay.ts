import type { JobTable } from './job-table/job-table.ts'
import type { Unit } from './job-table/rows.ts'

/**
 * The units of one record, applied in their order. They were decided one on top of the other, so a unit that names a
 * row which an earlier one of the record was to write stands only with that one. Versions alone do not tell: they count
 * changes, and the record that came between may have changed the row as often as the void unit would have, to something
 * else. [claim: a claim that was decided on a change that came too late takes no job from another]
 */
export class RecordReplay {
  readonly #table: JobTable
  /** Rows that void units were to write. */
  readonly #unwritten = new Set<string>()

  constructor(table: JobTable) {
    this.#table = table
  }

  /** False when the unit is void. */
  apply(unit: Unit): boolean {
    const builds = this.#unwritten.size > 0 && unit.some((change) => this.#unwritten.has(nameOf(change)))
    if (!builds && this.#table.apply(unit)) return true
    for (const change of unit) if (change.to !== undefined) this.#unwritten.add(nameOf(change))
    return false
  }
}

function nameOf({ table, key }: Unit[number]): string {
  return `${table}:${key}`
}
