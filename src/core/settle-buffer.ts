import { HoldfastError } from './errors.ts'
import type { ServiceOptions } from './queue-core.ts'
import type { Settlement, Verdict } from './storage/contract.ts'

interface Entry {
  readonly settlement: Settlement
  readonly acknowledged: (verdict: Verdict) => void
}

const FIRST_RETRY = 100
const LAST_RETRY = 5000

/**
 * Group completion: outcomes that arrive while a settle is under way go into the next one together. A settle that the
 * storage could not answer is repeated as it was: a settle takes effect once. [repeat]
 */
export class SettleBuffer {
  readonly #options: ServiceOptions
  #waiting: Entry[] = []
  #underWay: readonly Entry[] = []
  #flushing: Promise<void> | null = null

  constructor(options: ServiceOptions) {
    this.#options = options
  }

  /** Outcomes whose acknowledgement is still to come. */
  get unacknowledged(): number {
    return this.#waiting.length + this.#underWay.length
  }

  /** Whether an outcome of this job waits for its acknowledgement. */
  holds(id: string): boolean {
    return [...this.#waiting, ...this.#underWay].some(({ settlement }) => settlement.id === id)
  }

  add(settlement: Settlement, acknowledged: (verdict: Verdict) => void): void {
    this.#waiting.push({ settlement, acknowledged })
    this.#flushing ??= this.#flush()
  }

  /** Resolves when all that was added so far is acknowledged, or given up because the storage was closed. */
  async drained(): Promise<void> {
    while (this.#flushing !== null) await this.#flushing
  }

  async #flush(): Promise<void> {
    // Handlers that end in the same turn are settled together.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const entries = this.#waiting
      this.#waiting = []
      this.#underWay = entries
      const verdicts = await this.#settle(entries)
      this.#underWay = []
      for (const [at, { acknowledged }] of entries.entries()) acknowledged(verdicts?.[at] ?? 'stale')
    }
    this.#flushing = null
  }

  /** `null` when the storage takes no more writes: whoever holds the jobs next starts them anew. */
  async #settle(entries: readonly Entry[]): Promise<readonly Verdict[] | null> {
    const { storage, environment, session, onError } = this.#options
    const request = { session: session(), batch: entries.map(({ settlement }) => settlement), now: environment.now() }
    for (let delay = FIRST_RETRY; ; delay = Math.min(2 * delay, LAST_RETRY)) {
      try {
        return await storage.settle(request)
      } catch (error) {
        onError(error)
        // No repeat can mend these.
        if (HoldfastError.is(error, 'HOLDFAST_STORAGE_CLOSED') || HoldfastError.is(error, 'HOLDFAST_STORAGE_NEWER'))
          return null
        await new Promise<void>((resolve) => environment.startTimer(resolve, delay, false))
      }
    }
  }
}
