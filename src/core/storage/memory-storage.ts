import type { StorageDump, StorageHealth, StorageTraits } from './contract.ts'
import { answerOf, decide, type Operation, type Part, partsOf } from './job-table/decide.ts'
import { JobTable } from './job-table/job-table.ts'
import { TableHints } from './table-hints.ts'
import { TableStorage } from './table-storage.ts'

/**
 * The table alone: nobody else writes to it and nothing can go wrong, so a call has taken effect when it returns, and
 * its promise only says so. Closing and opening it again keeps the jobs.
 */
export class MemoryStorage extends TableStorage {
  readonly traits: StorageTraits
  readonly notifier: TableHints
  readonly #table = new JobTable()
  #isOpen = false
  #hasNews = false

  constructor({ name, payload }: Pick<StorageTraits, 'payload'> & { readonly name: string }) {
    super(name)
    this.traits = Object.freeze({ durable: false, scope: 'instance', payload, transactions: false })
    this.notifier = new TableHints(() => this.#table)
  }

  open(): Promise<void> {
    this.#isOpen = true
    return Promise.resolve()
  }

  close(): Promise<void> {
    this.#isOpen = false
    return Promise.resolve()
  }

  health(): StorageHealth {
    const jobs = this.#table.tables.jobs.size
    return { state: 'ok', cause: null, damaged: 0, jobs, weaker: false, resets: 0 }
  }

  dump(): Promise<StorageDump> {
    return this.read((table) => ({ records: [], rows: table.sizes }))
  }

  protected async call<Answer>(operation: Operation): Promise<Answer> {
    this.assertOpen(this.#isOpen)
    const parts: Part[] = []
    decide(this.#table, operation, partsOf(operation), parts)
    this.#publish()
    const answers = parts.map(({ answer }) => answer)
    return answerOf(operation, answers) as Answer
  }

  protected async read<Answer>(from: (table: JobTable) => Answer): Promise<Answer> {
    this.assertOpen(this.#isOpen)
    return from(this.#table)
  }

  /** Once for all calls of one turn. */
  #publish(): void {
    if (this.#hasNews) return
    this.#hasNews = true
    void Promise.resolve().then(() => {
      this.#hasNews = false
      this.notifier.publish({ gap: false, ended: false })
    })
  }
}
