/** The page's own IndexedDB, but it remembers the connections that were opened through it, so that they can be torn. */
export class Connections implements Pick<IDBFactory, 'cmp' | 'databases' | 'deleteDatabase' | 'open'> {
  readonly #open = new Set<IDBDatabase>()

  open(name: string, version?: number): IDBOpenDBRequest {
    const request = indexedDB.open(name, version)
    request.addEventListener('success', () => this.#open.add(request.result))
    return request
  }

  deleteDatabase(name: string): IDBOpenDBRequest {
    return indexedDB.deleteDatabase(name)
  }

  databases(): Promise<IDBDatabaseInfo[]> {
    return indexedDB.databases()
  }

  cmp(first: unknown, second: unknown): number {
    return indexedDB.cmp(first, second)
  }

  /** Closes them all behind their user's back, as browsers do to pages in the background. Answers how many. */
  tear(): number {
    const torn = this.#open.size
    for (const connection of this.#open) connection.close()
    this.#open.clear()
    return torn
  }
}
