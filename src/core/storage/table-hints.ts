import type { Hint, Notifier } from './contract.ts'
import type { JobTable } from './job-table/job-table.ts'

/** What happened in a table, told to whoever listens: hints, by which nobody lives. */
export class TableHints implements Notifier {
  readonly #table: () => JobTable
  readonly #listeners = new Set<(hint: Hint) => void>()

  constructor(table: () => JobTable) {
    this.#table = table
  }

  get isWanted(): boolean {
    return this.#listeners.size > 0
  }

  subscribe(listener: (hint: Hint) => void): () => void {
    this.#listeners.add(listener)
    this.#table().changes ??= []
    return () => {
      this.#listeners.delete(listener)
      if (!this.isWanted) this.#table().changes = null
    }
  }

  /** Tells what happened since the last time, and what the table does not know. */
  publish({ gap, ended }: Required<Pick<Hint, 'gap' | 'ended'>>): void {
    const table = this.#table()
    const ready = table.ready.gates.takeGrown()
    const changes = table.takeChanges()
    if (ready.length === 0 && changes.length === 0 && !gap && !ended) return
    for (const listener of this.#listeners) listener({ ready, changes, gap, ended })
  }
}
