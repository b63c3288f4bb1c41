import type { Attempt } from './attempt.ts'
import type { CancelTimer, Environment } from './environment.ts'

/** The longest between looks, ms. */
const LOOK = 10_000

/**
 * A look that comes later than this, ms, means that this context stood still. Shorter ones cannot be told from the timers
 * of a hidden page, which come once a minute while its handlers go on.
 */
const STANDSTILL = 75_000

/**
 * One timer for all attempts of an executor. It is set for the earliest moment at which something may be due; most
 * attempts end long before theirs, and starting and stopping a timer for each would cost more than many of them.
 *
 * Time in which this context stood still counts for no timeout: its handlers stood still as well, and a phone that sleeps
 * is no failure of an upload. A page is told when it is frozen; a worker, a computer that sleeps and a process that is
 * stopped show it by a look that comes late. [tests/core/executor-standstill.test.ts]
 */
export class Deadlines {
  readonly #environment: Environment
  readonly #attempts: Iterable<Attempt>
  readonly #due: (attempt: Attempt) => void
  readonly #prolonged: () => void
  #at = Infinity
  #cancel: CancelTimer | null = null
  #unsubscribe: (() => void) | null = null
  /** When the page was told that it stands still from then on. */
  #frozenAt: number | null = null

  /**
   * `due` is called for an attempt that has timed out, and again when its grace is over; `prolonged` when all of them have
   * more time.
   */
  constructor(
    environment: Environment,
    attempts: Iterable<Attempt>,
    due: (attempt: Attempt) => void,
    prolonged: () => void,
  ) {
    this.#environment = environment
    this.#attempts = attempts
    this.#due = due
    this.#prolonged = prolonged
  }

  watch(attempt: Attempt): void {
    const due = next(attempt)
    if (due === Infinity) return
    const { monotonic, startTimer } = this.#environment
    const now = monotonic()
    const at = Math.min(due, now + LOOK)
    if (at >= this.#at) return
    this.#cancel?.()
    this.#at = at
    this.#cancel = startTimer(() => this.#look(), at - now, false)
    this.#unsubscribe ??= this.#environment.onVisibilityChange(() => this.#pageChanged())
    // It may have begun between the word and the standstill.
    if (this.#environment.frozen()) this.#frozenAt ??= now
  }

  stop(): void {
    this.#unwind()
    this.#unsubscribe?.()
    this.#unsubscribe = null
    this.#frozenAt = null
  }

  #unwind(): void {
    this.#cancel?.()
    this.#cancel = null
    this.#at = Infinity
  }

  #look(): void {
    // What runs after the word that all stands still is not to be hurried.
    if (this.#frozenAt !== null) return
    const now = this.#environment.monotonic()
    const late = now - this.#at
    this.#unwind()
    if (late > STANDSTILL) this.#leaveOut(late)
    for (const attempt of this.#attempts) {
      if (next(attempt) <= now) this.#due(attempt)
      this.watch(attempt)
    }
    if (this.#at === Infinity) this.stop()
  }

  #pageChanged(): void {
    const { frozen, monotonic } = this.#environment
    if (frozen()) {
      this.#frozenAt ??= monotonic()
      return
    }
    if (this.#frozenAt === null) return
    this.#leaveOut(monotonic() - this.#frozenAt)
    this.#frozenAt = null
    this.#at = Infinity
    for (const attempt of this.#attempts) this.watch(attempt)
  }

  #leaveOut(span: number): void {
    for (const attempt of this.#attempts) attempt.prolong(span)
    this.#prolonged()
  }
}

function next(attempt: Attempt): number {
  return attempt.ending === null ? attempt.expiresAt : attempt.graceEndsAt
}
