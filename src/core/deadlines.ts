import type { Attempt } from './attempt.ts'
import type { CancelTimer, Environment } from './environment.ts'

/**
 * One timer for all attempts of an executor. It is set for the earliest moment at which something may be due; most
 * attempts end long before theirs, and starting and stopping a timer for each would cost more than many of them.
 */
export class Deadlines {
  readonly #environment: Environment
  readonly #attempts: Iterable<Attempt>
  readonly #due: (attempt: Attempt) => void
  #at = Infinity
  #cancel: CancelTimer | null = null

  /** `due` is called for an attempt that has timed out, and again when its grace is over. */
  constructor(environment: Environment, attempts: Iterable<Attempt>, due: (attempt: Attempt) => void) {
    this.#environment = environment
    this.#attempts = attempts
    this.#due = due
  }

  watch(attempt: Attempt): void {
    const at = next(attempt)
    if (at >= this.#at) return
    this.#cancel?.()
    this.#at = at
    this.#cancel = this.#environment.startTimer(() => this.#look(), at - this.#environment.monotonic(), false)
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = null
    this.#at = Infinity
  }

  #look(): void {
    this.stop()
    const now = this.#environment.monotonic()
    for (const attempt of this.#attempts) {
      if (next(attempt) <= now) this.#due(attempt)
      this.watch(attempt)
    }
  }
}

function next(attempt: Attempt): number {
  return attempt.ending === null ? attempt.expiresAt : attempt.graceEndsAt
}
