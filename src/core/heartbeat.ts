import type { Attempt } from './attempt.ts'
import type { Environment } from './environment.ts'
import { HoldfastError } from './errors.ts'
import type { LeaseRef, StorageAdapter } from './storage/contract.ts'
import { Ticker } from './ticker.ts'

/** What a heartbeat keeps alive, and whom it tells. */
export interface Held {
  readonly session: () => string
  readonly attempts: () => Iterable<Attempt>
  /** Whether this claim is no orphan: it runs here, or its outcome is on its way. */
  readonly knows: (lease: LeaseRef) => boolean
  /** Names of claims whose answer has not come yet. */
  readonly claiming: () => readonly string[]
  readonly cancelRequested: (id: string, reason: string) => void
  /** This very attempt, not one that the same job may have here since. */
  readonly lost: (attempt: Attempt) => void
  /** The session holds a job that no attempt here runs: the answer to its claim was lost. */
  readonly orphan: (lease: LeaseRef) => void
  readonly sessionEnded: (session: string) => Promise<void>
}

export interface HeartbeatOptions {
  readonly storage: StorageAdapter
  readonly environment: Environment
  readonly leaseDuration: number
  readonly held: Held
  readonly onError: (error: unknown) => void
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
    for (const attempt of this.#options.held.attempts()) lease = Math.min(lease, attempt.record.leaseDuration)
    this.#planned = lease
    return lease / BEATS_PER_LEASE
  }

  async #beat(): Promise<void> {
    const { storage, environment, held } = this.#options
    const attempts = [...held.attempts()]
    const session = held.session()
    const progress = attempts.flatMap((attempt) => attempt.unsavedProgress())
    try {
      const answer = await storage.beat({
        session,
        now: environment.now(),
        holds: attempts.filter((attempt) => !attempt.settled).map(({ record: { id, fence } }) => ({ id, fence })),
        claiming: held.claiming(),
        progress,
      })
      this.#lastAnswer = environment.monotonic()
      for (const attempt of attempts) attempt.progressSaved(progress)
      for (const { id, reason } of answer.cancel) held.cancelRequested(id, reason)
      for (const attempt of attempts) if (answer.lost.includes(attempt.record.id)) held.lost(attempt)
      for (const lease of answer.orphans) if (!held.knows(lease)) held.orphan(lease)
      if (answer.ended) await held.sessionEnded(session)
    } catch (error) {
      this.#giveUp(attempts)
      throw error
    }
  }

  /** Unheard for a lease, a job must be taken to be somebody else's. */
  #giveUp(attempts: readonly Attempt[]): void {
    const silence = this.#options.environment.monotonic() - this.#lastAnswer
    for (const attempt of attempts) {
      if (silence > attempt.record.leaseDuration) this.#options.held.lost(attempt)
    }
  }
}

export function leaseLost(id: string): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_LEASE_LOST',
    `Job ${id} is no longer held by this attempt: nothing it still does counts`,
  )
}
