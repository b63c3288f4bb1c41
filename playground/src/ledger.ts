import { type DBSchema, type IDBPDatabase, openDB } from 'idb'

/**
 * A line of the ledger: ids whose `enqueue` was acknowledged, ids that somebody removed, or ends that the queue has
 * accepted, each with its fence.
 */
export type Line =
  | { readonly acknowledged: readonly string[] }
  | { readonly removed: readonly string[] }
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
  readonly #open: () => Promise<IDBPDatabase<Schema>>
  #database: Promise<IDBPDatabase<Schema>> | null = null
  #accepted: (readonly [string, number])[] = []
  #position = 0

  constructor(open = openLedger) {
    this.#open = open
  }

  async acknowledged(ids: readonly string[]): Promise<void> {
    await this.#add({ acknowledged: ids })
  }

  async removed(ids: readonly string[]): Promise<void> {
    await this.#add({ removed: ids })
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
    const [keys, lines] = await this.#use((database) => {
      const { store } = database.transaction('lines')
      const range = IDBKeyRange.lowerBound(this.#position, true)
      return Promise.all([store.getAllKeys(range), store.getAll(range)])
    })
    this.#position = keys.at(-1) ?? this.#position
    return lines
  }

  async #add(line: Line): Promise<void> {
    await this.#use((database) => database.add('lines', line))
  }

  /**
   * Browsers kill connections of pages in the background, so whatever fails is done again with a new one. A line that
   * was written all the same stands there twice, and says no more than once.
   */
  async #use<Value>(work: (database: IDBPDatabase<Schema>) => Promise<Value>): Promise<Value> {
    const database = (this.#database ??= this.#open())
    try {
      return await work(await database)
    } catch {
      if (this.#database === database) this.#database = null
      database.then((dead) => dead.close()).catch(() => undefined)
      return work(await (this.#database ??= this.#open()))
    }
  }
}

export function openLedger(): Promise<IDBPDatabase<Schema>> {
  return openDB<Schema>(LEDGER, 1, {
    upgrade: (database) => void database.createObjectStore('lines', { autoIncrement: true }),
    // A later version of this page is not to wait for tabs that still show this one.
    blocking: (_current, _wanted, event) => (event.target as IDBDatabase).close(),
  })
}
