import { patience } from './heartbeat.ts'
import type { ServiceOptions } from './queue-core.ts'
import { interruption } from './settlement.ts'
import type { JobRecord, SessionRecord, Settlement } from './storage/contract.ts'
import { settled } from './storage/transitions.ts'
import { Ticker } from './ticker.ts'

export interface ReaperOptions extends ServiceOptions {
  /** The shortest lease among the types this executor handles, ms: it looks three times as often. */
  readonly leaseDuration: number
  readonly types: readonly string[]
  /** Told of each job that was taken back, as it is then. */
  readonly interrupted: (job: JobRecord) => void
}

/** How long a session has shown the same beats, as far as this reaper was awake to see it. */
interface Watch {
  beats: number
  silence: number
}

const LOOKS_PER_LEASE = 3
const BATCH = 1000

/** A tick later than this many intervals means that this process slept. */
const LATE = 2

/** The most that counts of the time since the last look, in intervals: in what goes beyond it others may have slept too. */
const ON_TIME = 1.1

/**
 * Takes back the jobs of sessions that fell silent. No wall clock has a say: a job goes when its session has shown the
 * same number of beats for the job's lease on this reaper's own monotonic clock, and the settle takes effect only if
 * the number is still the same then. Only types that this executor handles are taken. [reaper]
 *
 * After a sleep all sessions count anew, so that those that slept beside it have a lease's time to beat. In a hidden
 * page, whose ticks may be a minute late, it looks less often and waits longer. [tests/core/reaper.test.ts]
 */
export class Reaper {
  readonly #options: ReaperOptions
  readonly #watches = new Map<string, Watch>()
  readonly #ticker: Ticker
  readonly #stops: readonly ((() => void) | undefined)[]
  #lastLook: number
  readonly #firstLook: Promise<unknown>

  constructor(options: ReaperOptions) {
    const { environment } = options
    this.#options = options
    this.#lastLook = environment.monotonic()
    this.#ticker = new Ticker({
      environment,
      // A random phase: executors that start together look one after the other, and the first look saves the others work.
      first: environment.random() * this.#interval(),
      interval: () => this.#interval(),
      run: () => this.#look(),
      errors: options.errors,
    })
    this.#stops = [
      options.storage.notifier?.subscribe(({ ended }) => {
        if (ended === true) void this.#ticker.now()
      }),
      environment.onVisibilityChange(() => void (environment.frozen() || this.#ticker.now())),
    ]
    // Of a death that was proven before it began nobody tells any more.
    this.#firstLook = this.#buryAll().catch(options.errors.again)
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops) stop?.()
    await Promise.all([this.#firstLook, this.#ticker.stop()])
  }

  #interval(): number {
    const { leaseDuration, environment } = this.#options
    return Math.max(leaseDuration, patience(environment)) / LOOKS_PER_LEASE
  }

  async #look(): Promise<void> {
    const { environment } = this.#options
    const now = environment.monotonic()
    const elapsed = now - this.#lastLook
    const interval = this.#interval()
    this.#lastLook = now
    if (elapsed > LATE * interval) this.#watches.clear()
    const sessions = await this.#buryAll()
    // Until it was read a session may have beaten, however long the storage took.
    const waited = environment.monotonic() - now
    for (const id of this.#watches.keys()) if (!sessions.some((session) => session.id === id)) this.#watches.delete(id)
    for (const session of sessions) {
      const silence = this.#watch(session, Math.min(elapsed, ON_TIME * interval), waited)
      if (silence > 0) await this.#reap(session, silence)
    }
  }

  #watch({ id, beats }: SessionRecord, elapsed: number, waited: number): number {
    const watch = this.#watches.get(id)
    if (watch?.beats === beats) watch.silence += elapsed
    else this.#watches.set(id, { beats, silence: -waited })
    return this.#watches.get(id)?.silence ?? 0
  }

  /** Answers the sessions of which nobody knows whether they are over: all others but its own. */
  async #buryAll(looks = 10): Promise<readonly SessionRecord[]> {
    const { storage, session: own } = this.#options
    const others = (await storage.sessions()).filter(({ id }) => id !== own())
    let found = 0
    for (const session of others) if (session.ended === true) found += await this.#bury(session)
    // What a session wrote as it died may come to light only now, and jobs beyond a batch have waited. Not without end: were
    // a proof wrong, its session would go on.
    return found > 0 && looks > 1 ? this.#buryAll(looks - 1) : others.filter(({ ended }) => ended !== true)
  }

  /** There is proof that the session is over: nobody has to wait for its leases. Answers how many jobs it was found to hold. */
  async #bury(session: SessionRecord): Promise<number> {
    const { storage, environment, types } = this.#options
    const held = await storage.running({ session: session.id, types, limit: BATCH })
    if (held.length > 0) await this.#takeBack(held, session)
    // Others may hold on to jobs of types that are not handled here: then the name stays.
    else await storage.session({ close: session.id, now: environment.now(), when: { beats: session.beats } })
    return held.length
  }

  /** Whatever the proof, only while the session shows the same beats: a page that comes back beats under a new name. */
  async #takeBack(jobs: readonly JobRecord[], { beats }: SessionRecord): Promise<void> {
    const { storage, environment, withAutomations } = this.#options
    const now = environment.now()
    const ends = jobs.map((job) => ({ ...interruption(job, environment), when: { beats } }))
    const batch = (await withAutomations?.(ends)) ?? ends
    const answers = await storage.settle({ batch, now })
    for (const [at, { verdict, became }] of answers.entries()) {
      const job = jobs[at] as JobRecord
      // Where the job became what was asked, it is the same function of the same values, and needs no reading.
      if (verdict === 'ok')
        this.#options.interrupted(became ?? { ...job, ...settled(job, batch[at] as Settlement, now) })
    }
  }

  async #reap(session: SessionRecord, silence: number): Promise<void> {
    const { storage, environment, types } = this.#options
    const held = await storage.running({ session: session.id, types, limit: BATCH })
    const wait = Math.max(session.patience, patience(environment))
    const expired = held.filter((job) => silence >= Math.max(job.leaseDuration, wait))
    if (expired.length > 0) await this.#takeBack(expired, session)
    else if (held.length === 0 && silence >= Math.max(session.leaseDuration, wait)) {
      // It holds nothing (the storage checks that of all types), so its name can go. By its own lease, not by that of
      // whoever looks: an executor of long jobs beats more rarely than one of short jobs expects.
      await storage.session({ close: session.id, now: environment.now(), when: { beats: session.beats } })
    }
  }
}
