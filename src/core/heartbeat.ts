import type { Attempt } from './attempt.ts'
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

/**
 * One write per beat keeps all jobs of a session, carries their progress, and brings back what was asked of them. It
 * does not depend on what handlers do, except that it cannot run while one blocks this thread.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions
  readonly #ticker: Ticker
  #lastAnswer: number
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
      onError: options.onError,
    })
  }

  /** A job was taken whose lease may be shorter than what the next beat was planned for. */
  taken(leaseDuration: number): void {
    if (leaseDuration >= this.#planned) return
    this.#planned = leaseDuration
    void this.#ticker.now()
  }

  stop(): Promise<void> {
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
    try {
      const answer = await storage.beat({
        session,
        now: environment.now(),
        holds: attempts.filter((attempt) => !attempt.settled).map(({ record: { id, fence } }) => ({ id, fence })),
        claiming: claiming(),
        progress,
      })
      this.#lastAnswer = environment.monotonic()
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
      if (silence > attempt.record.leaseDuration) this.#options.slots.lose(attempt)
    }
  }
}
