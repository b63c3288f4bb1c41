import type { DumpedRecord } from './contract.ts'
import type { Unit } from './job-table/rows.ts'
import type { LogRecord } from './log.ts'
import { copyPlain } from './plain.ts'

/** How many records are kept to be shown, and about how many changes of each: what they hold stays in memory. */
const RECORDS = 100
const CHANGES = 10

/** The records that a replica met last, so that people can see the log grow. */
export class NewestRecords {
  #records: DumpedRecord[] = []

  add({ id, format, units }: LogRecord): void {
    const shown: Unit[] = []
    let changes = 0
    for (const unit of units) {
      if (changes < CHANGES) shown.push(unit.slice(0, CHANGES))
      changes += unit.length
    }
    this.#records.push({ id, format, changes, units: shown })
    if (this.#records.length > 2 * RECORDS) this.#records = this.#records.slice(-RECORDS)
  }

  /** Copies, oldest first. */
  show(): readonly DumpedRecord[] {
    return copyPlain(this.#records.slice(-RECORDS))
  }
}
