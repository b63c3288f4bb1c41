import { wrap } from 'idb'
import { quiet } from './quiet.ts'

/**
 * The transactions of a page that have not ended. A page that is frozen in the middle of one keeps all other tabs
 * waiting for as long as it is frozen, so they are aborted at `freeze`: whoever waits for one begins anew when the page
 * goes on, and one that is being committed already ends without the page. Dedicated workers are frozen with their page
 * and not told. [tests/browser/pages/frozen.chromium.test.ts]
 */
export class OpenTransactions {
  readonly #open = new Set<IDBTransaction>()

  /** Takes notice of all that are begun on this connection from now on. */
  watch(database: IDBDatabase): void {
    const begin = database.transaction.bind(database)
    database.transaction = (...how) => {
      const transaction = begin(...how)
      this.#open.add(transaction)
      // Who waits for a request of it is told by that; its end is nobody's error where nobody asks for it.
      quiet(wrap(transaction))
      const ended = (): void => void this.#open.delete(transaction)
      transaction.addEventListener('complete', ended)
      transaction.addEventListener('abort', ended)
      return transaction
    }
  }

  abort(): void {
    for (const transaction of this.#open) {
      try {
        transaction.abort()
      } catch {
        // It is being committed.
      }
    }
  }
}
