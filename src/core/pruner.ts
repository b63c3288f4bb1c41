import type { Environment } from './environment.ts'
import type { Events } from './events.ts'
import { integerFrom, orInfinite, readOptions, type Span, spanToMs } from './options.ts'
import type { ServiceErrors } from './service-errors.ts'
import type { ErrorData, FinishedState, StorageAdapter } from './storage/contract.ts'
import { tellTaken } from './telling.ts'
import { Ticker } from './ticker.ts'

/** How long finished jobs of one kind are kept. */
export interface Retention {
  /** They go when they are older than this (`Infinity`: never for their age) … */
  readonly maxAge?: Span
  /** … or not among the newest so many. From 0; `Infinity`: never for their number. */
  readonly maxCount?: number
}

/** Default: completed 1 day / 1,000; failed and cancelled 30 days / 10,000. */
export interface RetentionOptions {
  readonly completed?: Retention
  readonly failed?: Retention
  readonly cancelled?: Retention
}

export interface KeptFor {
  readonly state: FinishedState
  readonly maxAge: number
  readonly maxCount: number
}

const DAY = 86_400_000

/** Whatever the rules say, the end of a job can be read for this long. ms */
const SPARED = 10_000
const INTERVAL = 10_000
const BATCH = 1000

/** The wall clock and the monotonic one may drift apart by this much between two runs before it counts as a jump. ms */
const CLOCK_STEP = 60_000

export function retentionRules(options: unknown = {}): readonly KeptFor[] {
  const checks = { completed: retention, failed: retention, cancelled: retention }
  const { completed, failed, cancelled } = readOptions('retention', options, checks)
  return [
    { state: 'completed', maxAge: DAY, maxCount: 1000, ...completed },
    { state: 'failed', maxAge: 30 * DAY, maxCount: 10_000, ...failed },
    { state: 'cancelled', maxAge: 30 * DAY, maxCount: 10_000, ...cancelled },
  ]
}

function retention(field: string, value: unknown): { readonly maxAge?: number; readonly maxCount?: number } {
  return readOptions(field, value, { maxAge: orInfinite(spanToMs), maxCount: orInfinite(integerFrom(0)) })
}

export interface PrunerOptions {
  readonly storage: StorageAdapter
  readonly environment: Environment
  readonly events: Events
  readonly rules: readonly KeptFor[]
}

/** What one run has done. */
export interface Cleanup {
  /** Jobs that were failed since their time was up; that takes two runs, at least a second apart. */
  readonly expired: number
  /** Finished jobs that went by retention. */
  readonly removed: number
  /**
   * The clock jumped since the run before, so nothing went by `maxAge` that is not older by both readings; the next run
   * believes it.
   */
  readonly clockJumped: boolean
}

const EXPIRED: ErrorData = /* @__PURE__ */ Object.freeze({
  name: 'HoldfastError',
  code: 'HOLDFAST_EXPIRED',
  message: 'expired',
})

/** Jobs failed in one step: each brings the error that it had along. */
const EXPIRED_BATCH = 100

/** Fails jobs whose time is up and removes finished ones by retention, in bounded steps. A queue has one. */
export class Pruner {
  readonly #options: PrunerOptions
  #wall: number
  #monotonic: number

  constructor(options: PrunerOptions) {
    const { environment } = options
    this.#options = options
    this.#wall = environment.now()
    this.#monotonic = environment.monotonic()
  }

  /** Runs now and then, as long as an executor is at work. */
  ticker(errors: ServiceErrors): Ticker {
    const { environment } = this.#options
    const first = INTERVAL * (0.5 + environment.random())
    return new Ticker({ environment, first, interval: () => INTERVAL, run: () => this.prune(), errors })
  }

  async prune(): Promise<Cleanup> {
    const { storage, rules } = this.#options
    const { now, believed, clockJumped } = this.#look()
    const expired = await this.#expire(now)
    const request = {
      rules: rules.map(({ state, maxAge, maxCount }) => ({ state, finishedBefore: believed - maxAge, keep: maxCount })),
      spareSince: believed - SPARED,
      limit: BATCH,
      now,
    }
    for (let removed = 0; ; ) {
      const answer = await storage.prune(request)
      removed += answer.removed
      if (!answer.more) return { expired, removed, clockJumped }
    }
  }

  /** By the earlier of two readings of the clock, which the storage sees to. [expiry] */
  async #expire(now: number): Promise<number> {
    const { storage, events } = this.#options
    const batch = [{ kind: 'expire', error: EXPIRED, limit: EXPIRED_BATCH }] as const
    for (let expired = 0; ; ) {
      const [{ jobs } = { jobs: [] }] = await storage.amend({ batch, now })
      for (const job of jobs) tellTaken(events, job, now)
      expired += jobs.length
      if (jobs.length < EXPIRED_BATCH) return expired
    }
  }

  /**
   * A dead letter must not go because a clock was a year ahead for a moment: after a jump what counts is the earlier of
   * this reading and the one before with the time that has passed by the monotonic clock. That one may have stood still
   * meanwhile, as it does while a computer sleeps; where it does so between all runs, age lags behind by one. [clock]
   */
  #look(): { readonly now: number; readonly believed: number; readonly clockJumped: boolean } {
    const { environment } = this.#options
    const [now, monotonic] = [environment.now(), environment.monotonic()]
    const expected = this.#wall + monotonic - this.#monotonic
    this.#wall = now
    this.#monotonic = monotonic
    const clockJumped = Math.abs(now - expected) > CLOCK_STEP
    return { now, believed: clockJumped ? Math.min(now, expected) : now, clockJumped }
  }
}
