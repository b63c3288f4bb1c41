import { backoffDelay } from './backoff.ts'
import type { Environment } from './environment.ts'
import type { ServiceOptions } from './queue-core.ts'
import type { ErrorData, JobRecord, SessionRecord, Settlement } from './storage/contract.ts'
import { Ticker } from './ticker.ts'

export interface ReaperOptions extends ServiceOptions {
  /** The shortest lease among the types this executor handles, ms. */
  readonly leaseDuration: number
  readonly types: readonly string[]
  readonly interrupted: (job: JobRecord, settlement: Settlement) => void
}

/** How long a session has shown the same beats, as far as this reaper was awake to see it. */
interface Watch {
  beats: number
  silence: number
}

const LOOKS_PER_LEASE = 3
const BATCH = 1000

/** A tick later than this many intervals means that this process slept: what it did not see does not count. */
const LATE = 2

/**
 * Takes back the jobs of sessions that fell silent. No wall clock has a say: a job goes when its session has shown the
 * same number of beats for the job's lease on this reaper's own monotonic clock, and the settle takes effect only if
 * the number is still the same then. Only types that this executor handles are taken. [reaper]
 */
export class Reaper {
  readonly #options: ReaperOptions
  readonly #watches = new Map<string, Watch>()
  readonly #ticker: Ticker
  readonly #interval: number
  #lastLook: number

  constructor(options: ReaperOptions) {
    const { environment } = options
    this.#options = options
    this.#interval = options.leaseDuration / LOOKS_PER_LEASE
    this.#lastLook = environment.monotonic()
    this.#ticker = new Ticker({
      environment,
      // A random phase: executors that start together look one after the other, and the first look saves the others work.
      first: environment.random() * this.#interval,
      interval: () => this.#interval,
      run: () => this.#look(),
      onError: options.onError,
    })
  }

  stop(): Promise<void> {
    return this.#ticker.stop()
  }

  async #look(): Promise<void> {
    const { storage, environment } = this.#options
    const now = environment.monotonic()
    const elapsed = now - this.#lastLook
    this.#lastLook = now
    const sessions = await storage.sessions()
    for (const id of this.#watches.keys()) if (!sessions.some((session) => session.id === id)) this.#watches.delete(id)
    for (const session of sessions) {
      if (session.id === this.#options.session()) continue
      const silence = this.#watch(session, elapsed <= LATE * this.#interval ? elapsed : 0)
      if (silence > 0) await this.#reap(session, silence)
    }
  }

  #watch({ id, beats }: SessionRecord, elapsed: number): number {
    const watch = this.#watches.get(id)
    if (watch?.beats === beats) watch.silence += elapsed
    else this.#watches.set(id, { beats, silence: 0 })
    return this.#watches.get(id)?.silence ?? 0
  }

  async #reap(session: SessionRecord, silence: number): Promise<void> {
    const { storage, environment, types, leaseDuration } = this.#options
    const held = await storage.running({ session: session.id, types, limit: BATCH })
    const expired = held.filter((job) => silence >= job.leaseDuration)
    const now = environment.now()
    if (expired.length > 0) {
      const batch = expired.map((job) => interruption(job, { beats: session.beats }, environment))
      const verdicts = await storage.settle({ session: this.#options.session(), batch, now })
      for (const [at, verdict] of verdicts.entries()) {
        if (verdict === 'ok') this.#options.interrupted(expired[at] as JobRecord, batch[at] as Settlement)
      }
    } else if (held.length === 0 && silence >= leaseDuration) {
      // It holds nothing (the storage checks that of all types), so its name can go.
      await storage.session({ close: session.id, now, when: { beats: session.beats } })
    }
  }
}

const WORKER_DIED: ErrorData = /* @__PURE__ */ Object.freeze({
  name: 'HoldfastError',
  code: 'HOLDFAST_WORKER_DIED',
  message: 'worker died',
})

/**
 * What becomes of a job whose session is gone: it runs again, at once after the first interruption, by its backoff
 * after the second, and ends `failed` when it was interrupted more often than it may be.
 */
export function interruption(
  job: JobRecord,
  when: NonNullable<Settlement['when']>,
  { now, random }: Pick<Environment, 'now' | 'random'>,
): Settlement {
  const { id, fence } = job
  const interruptions = job.interruptions + 1
  if (interruptions > job.maxInterruptions)
    return { id, fence, when, kind: 'fail', error: WORKER_DIED, counts: 'interruption' }
  const delay = interruptions < 2 ? 0 : backoffDelay(job.backoff, interruptions - 1, random())
  return { id, fence, when, kind: 'retry', runAt: now() + delay, delay, error: WORKER_DIED, counts: 'interruption' }
}
