import { Attempt } from './attempt.ts'
import { Deadlines } from './deadlines.ts'
import { HoldfastError, leaseLost } from './errors.ts'
import { checkedJson } from './payload.ts'
import type { QueueCore } from './queue-core.ts'
import type { AttemptEnds, OpenRunner } from './runner.ts'
import type { SettleBuffer } from './settle-buffer.ts'
import { interruption, settlementOf } from './settlement.ts'
import type { JobRecord, LeaseRef, NewJob, SettleAnswer, Settlement } from './storage/contract.ts'
import { isSuspect, settled } from './storage/transitions.ts'
import { allOf, isThenable } from './thenable.ts'
import { tellAs, type Told } from './telling.ts'

export interface SlotsOptions {
  readonly core: QueueCore
  readonly state: unknown
  readonly killGrace: number
  readonly buffer: SettleBuffer
  /** A handler has ended, or an outcome was acknowledged: there may be room for another job. */
  readonly onRoom: () => void
}

export interface Tally {
  claimed: number
  completed: number
  failed: number
  retried: number
  cancelled: number
  released: number
  lost: number
  interrupted: number
}

/**
 * The jobs an executor runs: job to the runner, outcome back, settled. A slot is taken until its handler ends; an
 * attempt may be settled before that, when its handler does not heed the signal.
 */
export class Slots implements AttemptEnds {
  readonly attempts: Set<Attempt> = new Set()
  /** How many of them are suspects, which run alone. */
  suspects = 0
  /** Attempts whose outcome is open, by job. */
  readonly #current = new Map<string, Attempt>()
  readonly tally: Tally = {
    claimed: 0,
    completed: 0,
    failed: 0,
    retried: 0,
    cancelled: 0,
    released: 0,
    lost: 0,
    interrupted: 0,
  }
  /** Who runs the handlers, while the executor is started. */
  runner: OpenRunner | null = null
  readonly #options: SlotsOptions
  readonly #deadlines: Deadlines
  #waiters: (() => void)[] = []

  constructor(options: SlotsOptions) {
    this.#options = options
    this.#deadlines = new Deadlines(
      options.core.environment,
      this.attempts,
      (attempt) => this.#overtime(attempt),
      () => this.runner?.prolonged?.(),
    )
  }

  /** Attempts whose outcome is still open. */
  get unsettled(): readonly Attempt[] {
    return [...this.attempts].filter((attempt) => !attempt.settled)
  }

  /** How many more jobs the runner can start now. */
  get places(): number {
    return this.runner?.places ?? Infinity
  }

  run(record: JobRecord): void {
    const { core, state } = this.#options
    const attempt = new Attempt(record, core, state)
    this.tally.claimed += 1
    // Whoever ran this job here before lost it to this claim.
    const before = this.#current.get(record.id)
    if (before !== undefined) this.lose(before)
    this.#current.set(record.id, attempt)
    this.attempts.add(attempt)
    if (isSuspect(record)) this.suspects += 1
    this.#deadlines.watch(attempt)
    if (core.events.has('started')) core.events.tell('started', { job: attempt.job })
    this.runner?.run(attempt)
  }

  returned(attempt: Attempt, value: unknown): void {
    if (attempt.settled) return this.#free(attempt)
    const jobs = allOf(attempt.chained ?? [])
    attempt.chained = null
    if (!isThenable(jobs)) return this.#complete(attempt, value, jobs)
    jobs.then(
      (chained) => this.#complete(attempt, value, chained),
      (error: unknown) => this.threw(attempt, error),
    )
  }

  threw(attempt: Attempt, error: unknown): void {
    if (!attempt.settled) this.#settleAs(attempt, error)
    this.#free(attempt)
  }

  /** What was asked of the attempt before counts; else a death is an interruption, and anything else no fault of it. */
  gone(attempt: Attempt, died: HoldfastError | null): void {
    if (!attempt.settled) {
      if (attempt.ending !== null) this.#settleAs(attempt, attempt.ending)
      else if (died === null) this.#settle(attempt, givenBack(attempt.record))
      else this.#settle(attempt, interruption(attempt.record, this.#options.core.environment, died.cause))
    }
    this.#free(attempt)
  }

  /** Gives back a job that was claimed and will not be run here. */
  giveBack(job: LeaseRef & Pick<JobRecord, 'runAt'>): void {
    this.#options.buffer.add(givenBack(job), () => undefined)
  }

  /** Whether this claim is no orphan: it runs here, or its outcome is on its way. */
  knows({ id, fence }: LeaseRef): boolean {
    return this.#options.buffer.holds(id) || this.#current.get(id)?.record.fence === fence
  }

  cancel(id: string, reason: string): void {
    for (const attempt of this.unsettled)
      if (attempt.record.id === id) this.#ask(attempt, new HoldfastError('HOLDFAST_CANCELLED', reason))
  }

  /** Somebody else has the job, or may have it: the attempt ends without a word to the storage. */
  lose(attempt: Attempt): void {
    if (!attempt.settled) this.#lost(attempt)
  }

  stopAll(): void {
    for (const attempt of this.unsettled)
      this.#ask(attempt, new HoldfastError('HOLDFAST_STOPPING', 'The executor is stopping'))
  }

  /** Resolves when no attempt's outcome is open. */
  async allSettled(): Promise<void> {
    while (this.unsettled.length > 0) await this.change()
  }

  /** Resolves when an attempt is settled or a slot falls free. */
  change(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve))
  }

  /** Ends the threads of the runner; no attempt's outcome is open any more. */
  async stop(): Promise<void> {
    this.#deadlines.stop()
    const { runner } = this
    this.runner = null
    await runner?.close()
  }

  #ask(attempt: Attempt, reason: HoldfastError): void {
    if (attempt.ending !== null) return
    attempt.abort(reason, this.#options.core.environment.monotonic() + this.#options.killGrace)
    // A lease may be found lost when its handler has ended.
    if (!this.attempts.has(attempt)) return
    this.runner?.abort(attempt)
    this.#deadlines.watch(attempt)
  }

  /** Called when the attempt has timed out, and again when its grace is over. */
  #overtime(attempt: Attempt): void {
    if (attempt.ending === null) {
      this.#ask(
        attempt,
        new HoldfastError(
          'HOLDFAST_TIMEOUT',
          `The handler of job ${attempt.record.id} took longer than ${attempt.record.timeout} ms`,
        ),
      )
    } else {
      attempt.graceEndsAt = Infinity
      this.runner?.kill(attempt)
      if (!attempt.settled) this.#settleAs(attempt, attempt.ending)
    }
  }

  #complete(attempt: Attempt, value: unknown, chained: readonly NewJob[]): void {
    const { id, fence } = attempt.record
    try {
      const result = checkedJson('result', value, this.#options.core.payloadLimit)
      const enqueue = chained.length === 0 ? {} : { enqueue: chained }
      if (!attempt.settled) this.#settle(attempt, { id, fence, kind: 'complete', result, ...enqueue })
      this.#free(attempt)
    } catch (error) {
      this.threw(attempt, error)
    }
  }

  #settleAs(attempt: Attempt, thrown: unknown): void {
    const settlement = settlementOf(attempt.record, thrown, attempt.ending, this.#options.core.environment)
    if (settlement === null) this.#lost(attempt)
    else this.#settle(attempt, settlement)
  }

  #settle(attempt: Attempt, settlement: Settlement): void {
    const unsaved = { session: attempt.record.session ?? '', progress: attempt.unsavedProgress() }
    this.#close(attempt)
    this.#options.buffer.add(settlement, (answer, stored) => this.#acknowledged(attempt, stored, answer), unsaved)
  }

  #lost(attempt: Attempt): void {
    // Whoever has the job now is not to be disturbed for longer than a handler may take to heed its signal.
    this.#ask(attempt, leaseLost(attempt.record.id))
    this.#close(attempt)
    // A suspect may have waited for it, whose handler may go on.
    this.#options.onRoom()
    this.tally.lost += 1
    this.#options.core.events.tell('lost', { job: attempt.job })
  }

  #close(attempt: Attempt): void {
    attempt.settled = true
    if (this.#current.get(attempt.record.id) === attempt) this.#current.delete(attempt.record.id)
    this.#changed()
  }

  #free(attempt: Attempt): void {
    // A thenable of another library may call back more than once.
    if (!this.attempts.delete(attempt)) return
    if (isSuspect(attempt.record)) this.suspects -= 1
    this.#changed()
    this.#options.onRoom()
  }

  #changed(): void {
    if (this.#waiters.length === 0) return
    const waiters = this.#waiters
    this.#waiters = []
    for (const wake of waiters) wake()
  }

  #acknowledged(attempt: Attempt, settlement: Settlement, { verdict, became }: SettleAnswer): void {
    if (verdict === 'ok') this.#tell(attempt, settlement, became)
    else this.#lost(attempt)
    this.#options.onRoom()
  }

  #tell({ record, latestProgress }: Attempt, settlement: Settlement, became: JobRecord | null): void {
    const { events, environment } = this.#options.core
    const name = eventOf(settlement, became)
    this.tally[name === 'retrying' ? 'retried' : name] += 1
    if (!events.has(name)) return
    const now = environment.now()
    // What became of it as asked is computed, not read: it is the same function of the same values.
    const asked = { ...record, progress: latestProgress, ...settled(record, settlement, now) }
    tellAs(events, name, became?.state === name ? became : asked, now)
  }
}

const EVENTS = {
  complete: 'completed',
  retry: 'retrying',
  fail: 'failed',
  release: 'released',
  cancelled: 'cancelled',
} as const

/** What an outcome is told and counted as: what its job became, or how the attempt ended where the job goes on. */
function eventOf(settlement: Settlement, became: JobRecord | null): Told {
  const state = became?.state ?? 'waiting'
  if (state !== 'waiting' && state !== 'running') return state
  return settlement.kind === 'retry' && settlement.counts === 'interruption' ? 'interrupted' : EVENTS[settlement.kind]
}

function givenBack({ id, fence, runAt }: LeaseRef & Pick<JobRecord, 'runAt'>): Settlement {
  return { id, fence, kind: 'release', runAt, delay: null }
}
