import type { Progress } from './attempt.ts'
import { HoldfastError, toErrorData } from './errors.ts'
import { patience } from './heartbeat.ts'
import type { ServiceOptions } from './queue-core.ts'
import type { SettleAnswer, Settlement, SettleRequest } from './storage/contract.ts'
import { isThenable } from './thenable.ts'

/** Told the answer, and what it is about: the outcome that was added, or the failure that took its place. */
type Acknowledged = (answer: SettleAnswer, settlement: Settlement) => void

/** Progress that no heartbeat has stored, and the session that holds the job, which may not be the executor's any more. */
interface Unsaved {
  readonly session: string
  readonly progress: readonly Progress[]
}

const NOTHING: Unsaved = { session: '', progress: [] }

interface Entry {
  settlement: Settlement
  unsaved: Unsaved
  readonly acknowledged: Acknowledged
}

const FIRST_RETRY = 100
const LAST_RETRY = 5000

/** What may be mended while we wait, and what nobody knows the end of. Errors without a code count among them. */
const REPEATED: readonly string[] = [
  'HOLDFAST_STORAGE',
  'HOLDFAST_STORAGE_BUSY',
  'HOLDFAST_STORAGE_FULL',
  'HOLDFAST_STORAGE_TIMEOUT',
  'HOLDFAST_STORAGE_BLOCKED',
  'HOLDFAST_STORAGE_UNAVAILABLE',
  'HOLDFAST_OUTCOME_UNKNOWN',
]

/** The storage takes no more writes: whoever holds the jobs next starts them anew. */
const OVER: readonly string[] = ['HOLDFAST_STORAGE_CLOSED', 'HOLDFAST_STORAGE_NEWER']

const GIVEN_UP: SettleAnswer = { verdict: 'stale', became: null }

/**
 * Group completion: outcomes that arrive while settles are under way go into the next one together. A settle that the
 * storage could not answer is repeated as it was: a settle takes effect once. [repeat]
 *
 * A group that the storage refuses for good is settled one by one, so that what is wrong with one outcome is no harm to
 * the others. The one that is refused alone too becomes a failure that says why; where that is no option, or is refused
 * as well, the job is left to the next heartbeat or the reaper.
 */
export class SettleBuffer {
  readonly #options: ServiceOptions
  readonly #held = new Set<Entry>()
  /** Groups whose last try failed and that will be tried again: while there is one, the storage does not work again. */
  readonly #repeated = new Set<readonly Entry[]>()
  #waiting: Entry[] = []
  /**
   * Two settles may be under way: while a flush of the storage carries one, the next is handed over for the flush after
   * it, and goes there together with the claim for the slots that fell free.
   */
  readonly #flushes: (Promise<void> | null)[] = [null, null]

  constructor(options: ServiceOptions) {
    this.#options = options
  }

  /** Outcomes whose acknowledgement is still to come. */
  get unacknowledged(): number {
    return this.#held.size
  }

  /** Whether an outcome of this job waits for its acknowledgement. */
  holds(id: string): boolean {
    return [...this.#held].some(({ settlement }) => settlement.id === id)
  }

  /** `unsaved` is stored before the outcome, after which it would be stale. */
  add(settlement: Settlement, acknowledged: Acknowledged, unsaved: Unsaved = NOTHING): void {
    const entry = { settlement, unsaved, acknowledged }
    this.#held.add(entry)
    this.#waiting.push(entry)
    // What waits already will be taken by a flush that is under way.
    const at = this.#waiting.length === 1 ? this.#flushes.indexOf(null) : -1
    if (at !== -1) this.#flushes[at] = this.#flush(at)
  }

  /** Resolves when all that was added so far is acknowledged, or given up because the storage was closed. */
  async drained(): Promise<void> {
    while (this.#held.size > 0) for (const flush of this.#flushes) if (flush !== null) await flush
  }

  async #flush(at: number): Promise<void> {
    // Handlers that end in the same turn are settled together.
    await Promise.resolve()
    while (this.#waiting.length > 0) await this.#settle(this.#waiting.splice(0))
    this.#flushes[at] = null
  }

  async #settle(entries: readonly Entry[]): Promise<void> {
    let answers: readonly SettleAnswer[] | null
    try {
      answers = await this.#ask(entries)
    } catch (refusal) {
      for (const entry of entries) await (entries.length > 1 ? this.#settle([entry]) : this.#refused(entry, refusal))
      return
    }
    for (const [at, entry] of entries.entries()) this.#acknowledge(entry, answers?.[at] ?? GIVEN_UP)
  }

  async #refused(entry: Entry, refusal: unknown): Promise<void> {
    const { id, fence, kind } = entry.settlement
    this.#options.errors.once(refusal)
    // It may have been the progress that was refused.
    if (entry.unsaved.progress.length > 0) entry.unsaved = NOTHING
    else if (kind === 'complete' || kind === 'retry')
      entry.settlement = { id, fence, kind: 'fail', error: toErrorData(refusal), counts: 'failure' }
    else {
      this.#acknowledge(entry, GIVEN_UP)
      return
    }
    await this.#settle([entry])
  }

  #acknowledge(entry: Entry, answer: SettleAnswer): void {
    this.#held.delete(entry)
    entry.acknowledged(answer, entry.settlement)
  }

  /** `null` when the storage takes no more writes. Throws what no repeat can mend. */
  async #ask(entries: readonly Entry[]): Promise<readonly SettleAnswer[] | null> {
    const { storage, environment, errors, withAutomations } = this.#options
    const batch = entries.map(({ settlement }) => settlement)
    const now = environment.now()
    // Made once, so that what is repeated is the same.
    let request: SettleRequest | null = null
    const unsaved = entries.filter((entry) => entry.unsaved.progress.length > 0).map((entry) => entry.unsaved)
    for (let delay = FIRST_RETRY; ; delay = Math.min(2 * delay, LAST_RETRY)) {
      try {
        for (const session of new Set(unsaved.map((own) => own.session))) {
          const progress = unsaved.flatMap((own) => (own.session === session ? own.progress : []))
          // Its answer is for the heartbeat, which asks for itself.
          await storage.beat({ session, now, holds: [], claiming: [], progress, patience: patience(environment) })
        }
        if (request === null) {
          const complete = withAutomations?.(batch) ?? batch
          // Not awaited without need: the claim for the slots that fell free goes into the same flush.
          request = { batch: isThenable(complete) ? await complete : complete, now }
        }
        const answers = await storage.settle(request)
        this.#repeated.delete(entries)
        if (this.#repeated.size === 0) errors.over()
        return answers
      } catch (error) {
        this.#repeated.delete(entries)
        if (HoldfastError.is(error) && !REPEATED.includes(error.code) && !OVER.includes(error.code)) throw error
        errors.again(error)
        if (HoldfastError.is(error) && OVER.includes(error.code)) return null
        this.#repeated.add(entries)
        await new Promise<void>((resolve) => environment.startTimer(resolve, delay, false))
      }
    }
  }
}
