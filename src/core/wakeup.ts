import type { CancelTimer, Environment } from './environment.ts'

/** The longest an idle executor sleeps: hints may be lost, a look is certain. ms, ± 20 %. */
const POLL = 1000

/**
 * When to claim next, while there is nothing to claim now: at the earliest moment at which time alone could make a job
 * claimable, and at every poll. A clock that is wrong about that moment costs one poll.
 */
export class Wakeup {
  readonly #environment: Environment
  readonly #wake: () => void
  #cancel: CancelTimer | null = null

  constructor(environment: Environment, wake: () => void) {
    this.#environment = environment
    this.#wake = wake
  }

  sleepUntil(nextRunAt: number | null): void {
    const { now, random, startTimer } = this.#environment
    this.#cancel?.()
    // Executors that started together do not stay together: a herd would claim the same jobs at the same moment.
    const poll = POLL * (0.8 + 0.4 * random())
    const due = nextRunAt === null ? Infinity : nextRunAt - now()
    this.#cancel = startTimer(this.#wake, Math.min(due, poll), false)
  }

  cancel(): void {
    this.#cancel?.()
    this.#cancel = null
  }
}
