import type { Flush } from './flush.ts'

/** One try of an exchange. */
export class Attempt {
  /** Something was added: whether it stands is not known before the transaction's end. */
  appended = false
  #flush: Flush | null = null
  #over = false

  uses(flush: Flush): void {
    this.#flush = flush
  }

  /** It took too long, or failed: what it still does counts for nothing. */
  end(): void {
    this.#over = true
    try {
      // One that waits for a frozen page must not keep its own place in the line, behind which all others wait.
      if (!this.appended) this.#flush?.abort()
    } catch {
      // It has ended, or its connection has.
    }
  }

  isOver(): boolean {
    return this.#over
  }
}
