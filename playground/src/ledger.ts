import { type DBSchema, type IDBPDatabase, openDB } from 'idb'

/** A line of the ledger: ids whose `enqueue` was acknowledged, or ends that the queue has accepted, each with its fence. */
export type Line =
  | { readonly acknowledged: readonly string[] }
  | { readonly accepted: readonly (readonly [id: string, fence: number])[] }

interface Schema extends DBSchema {
  lines: { key: number; value: Line }
}

/** Between writes of what was told meanwhile, ms: thousands of jobs end in a second. */
const PAUSE = 100

export const LEDGER = 'holdfast-playground-ledger'

/**
 * What this page was promised and what it saw, written down without holdfast: a database of its own, lines that are
 * only ever added, shared by all tabs. The audit compares it with what the queue says.
 */
export class Ledger {
  readonly #database: Promise<IDBPDatabase<Schema>>
  #accepted: (readonly [string, number])[] = []
  #position = 0

  constructor() {
    this.#database = openDB<Schema>(LEDGER, 1, {
      upgrade: (database) => void database.createObjectStore('lines', { autoIncrement: true }),
    })
  }

  async acknowledged(ids: readonly string[]): Promise<void> {
    await this.#add({ acknowledged: ids })
  }

  accepted(id: string, fence: number): void {
    if (this.#accepted.push([id, fence]) > 1) return
    setTimeout(() => {
      const accepted = this.#accepted
      this.#accepted = []
      // A line that cannot be written is one that the audit makes good for.
      this.#add({ accepted }).catch(() => undefined)
    }, PAUSE)
  }

  /** What this and other tabs have added since the last reading. */
  async readOn(): Promise<readonly Line[]> {
    const store = (await this.#database).transaction('lines').store
    const range = IDBKeyRange.lowerBound(this.#position, true)
    const [keys, lines] = await Promise.all([store.getAllKeys(range), store.getAll(range)])
    this.#position = keys.at(-1) ?? this.#position
    return lines
  }

  async #add(line: Line): Promise<void> {
    await (await this.#database).add('lines', line)
  }
}
