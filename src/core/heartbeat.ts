import type { Attempt } from './attempt.ts'
import type { Environment } from './environment.ts'
import type { ServiceOptions } from './queue-core.ts'
import type { Slots } from './slots.ts'
import { Ticker } from './ticker.ts'

export interface HeartbeatOptions extends ServiceOptions {
  readonly leaseDuration: number
  /** What it keeps alive. */
  readonly slots: Pick<Slots, 'attempts' | 'cancel' | 'giveBack' | 'knows' | 'lose'>
  /** Names of claims whose answer has not come yet. */
  readonly claiming: () => readonly string[]
  /** The session of this name is gone: opens a new one. */
  readonly reopen: (ended: string) => Promise<void>
}

/** A session beats three times per lease, so that one lost beat costs nothing. */
const BEATS_PER_LEASE = 3

/** Timers of a hidden page stretch to a minute, from some minutes on: two beats may be lost even then. ms */
const HIDDEN = 150_000

/** How long others are to wait for a session that falls silent here, and this context for others, whatever the leases. */
export function patience({ hidden }: Pick<Environment, 'hidden'>): number {
  return hidden() ? HIDDEN : 0
}

/**
 * One write per beat keeps all jobs of a session, carries their progress, and brings back what was asked of them. It
 * does not depend on what handlers do, except that it cannot run while one blocks this thread.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions
  readonly #ticker: Ticker
  readonly #unsubscribe: () => void
  #lastAnswer: number
  /** The patience that others are known to have. */
  #patience: number = 0
  /** The lease that the next beat is planned for. */
  #planned: number = Infinity

  constructor(options: HeartbeatOptions) {
    this.#options = options
    this.#lastAnswer = options.environment.monotonic()
    const first = this.#interval()
    this.#ticker = new Ticker({
      environment: options.environment,
      first,
      interval: () => this.#interval(),
      run: () => this.#beat(),
      errors: options.errors,
    })
    // Before timers stretch others learn of it; a page that comes back learns at once what it has lost.
    const { onVisibilityChange, frozen } = options.environment
    // What a page begins when it is being frozen it does not end.
    this.#unsubscribe = onVisibilityChange(() => void (frozen() || this.#ticker.now()))
  }

  /** A job was taken whose lease may be shorter than what the next beat was planned for. */
  taken(leaseDuration: number): void {
    if (leaseDuration >= this.#planned) return
    this.#planned = leaseDuration
    void this.#ticker.now()
  }

  stop(): Promise<void> {
    this.#unsubscribe()
    return this.#ticker.stop()
  }

  /** A job may have a shorter lease than its definition says. */
  #interval(): number {
    let lease = this.#options.leaseDuration
    for (const attempt of this.#options.slots.attempts) lease = Math.min(lease, attempt.record.leaseDuration)
    this.#planned = lease
    return lease / BEATS_PER_LEASE
  }

  async #beat(): Promise<void> {
    const { storage, environment, slots, claiming, reopen } = this.#options
    const attempts = [...slots.attempts]
    const session = this.#options.session()
    const progress = attempts.flatMap((attempt) => attempt.unsavedProgress())
    const asked = patience(environment)
    try {
      const answer = await storage.beat({
        session,
        now: environment.now(),
        holds: attempts.filter((attempt) => !attempt.settled).map(({ record: { id, fence } }) => ({ id, fence })),
        claiming: claiming(),
        progress,
        patience: asked,
      })
      this.#lastAnswer = environment.monotonic()
      this.#patience = asked
      for (const attempt of attempts) attempt.progressSaved(progress)
      for (const { id, reason } of answer.cancel) slots.cancel(id, reason)
      for (const attempt of attempts) if (answer.lost.includes(attempt.record.id)) slots.lose(attempt)
      // The session holds jobs that no attempt here runs: the answer to their claim was lost.
      for (const lease of answer.orphans)
        if (!slots.knows(lease)) slots.giveBack({ ...lease, runAt: environment.now() })
      if (answer.ended) await reopen(session)
    } catch (error) {
      this.#giveUp(attempts)
      throw error
    }
  }

  /** Unheard for a lease, a job must be taken to be somebody else's. */
  #giveUp(attempts: readonly Attempt[]): void {
    const silence = this.#options.environment.monotonic() - this.#lastAnswer
    for (const attempt of attempts) {
      if (silence > Math.max(attempt.record.leaseDuration, this.#patience)) this.#options.slots.lose(attempt)
    }
  }
}
