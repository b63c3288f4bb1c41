import { queueClosed } from './errors.ts'
import { type ExecutorOptions, executorSettings } from './executor-options.ts'
import { ExecutorSession, servicesOf } from './executor-session.ts'
import { Expiry, waitAtMost } from './expiry.ts'
import { laneOf } from './handlers.ts'
import { nextRunAt } from './next-run.ts'
import { type Moment, momentToMs, readOptions, type Span, spanToMs } from './options.ts'
import type { QueueCore } from './queue-core.ts'
import type { OpenRunner } from './runner.ts'
import { SettleBuffer } from './settle-buffer.ts'
import { Slots } from './slots.ts'

export type { ExecutorOptions } from './executor-options.ts'

/** Numbers since the executor was made, and of this moment. */
export interface ExecutorStats {
  readonly state: 'idle' | 'running' | 'stopping'
  readonly paused: boolean
  readonly running: number
  readonly free: number
  /** Handlers that go on although their attempt is settled: they did not heed their signal. */
  readonly overdue: number
  readonly unacknowledged: number
  readonly claimed: number
  readonly completed: number
  readonly failed: number
  readonly retried: number
  readonly cancelled: number
  readonly released: number
  readonly lost: number
  /** Attempts whose worker died. */
  readonly interrupted: number
}

/** How long to wait before looking again when nothing can be claimed. ms */
const PAUSE = 1000

/** Past this many outcomes the storage has not acknowledged, no more work is taken. */
const LEAST_UNACKNOWLEDGED = 64

/**
 * Runs jobs: claims what it has handlers for, up to `concurrency` at once, and settles the outcomes in groups.
 *
 * It is at work as long as somebody wants it to be: who started it, and each call of `processUntilIdle` until it ends. A
 * stop is the end of all that was wanted before it. So of calls that overlap the last one wins.
 * [tests/core/executor-lifecycle.test.ts]
 */
export class Executor {
  readonly #core: QueueCore
  readonly #concurrency: number
  readonly #types: readonly string[]
  readonly #slots: Slots
  readonly #buffer: SettleBuffer
  readonly #newSession: () => ExecutorSession
  /** Who wants it to be at work; the executor itself stands for who started it. A stop begins a new set. */
  #wanted = new Set<object>()
  /** `null`: idle. */
  #session: ExecutorSession | null = null
  #paused = false

  /** Made by `queue.createExecutor()`. */
  constructor(queue: QueueCore, options: ExecutorOptions) {
    const { definitions, runner, concurrency, state, killGrace } = executorSettings(options, queue.intake)
    const core = { ...queue, environment: runner.environment?.(queue.environment) ?? queue.environment }
    const jobs = [...definitions.values()]
    this.#core = core
    this.#concurrency = concurrency
    this.#types = [...definitions.keys()]
    this.#buffer = new SettleBuffer(servicesOf(core, () => this.session)('settle'))
    const onRoom = (): void => this.#session?.roomMade()
    this.#slots = new Slots({ core, state, killGrace, buffer: this.#buffer, onRoom })
    const openRunner = (): OpenRunner =>
      runner.open({
        ...core,
        definitions,
        definitionOf: (type) => core.intake.defined(type) ?? definitions.get(type),
        concurrency,
        ends: this.#slots,
        onRoom,
        errors: core.errors('runner'),
        tickErrors: core.errors('runner'),
      })
    const session = {
      core,
      lanes: jobs.map(laneOf),
      leaseDuration: Math.min(...jobs.map(({ defaults }) => defaults.leaseDuration)),
      slots: this.#slots,
      buffer: this.#buffer,
      openRunner,
      room: () => this.#room(),
      ended: () => {
        this.#session = null
        core.executors.delete(this)
      },
    }
    this.#newSession = () => {
      // From here on closing the queue stops it first.
      core.executors.add(this)
      return new ExecutorSession(session)
    }
  }

  /**
   * Opens a session and begins to claim. Calling it again does nothing; while it stops, it starts after that. A stop that
   * comes before it runs has the last word: then nothing is started, and with a runner whose workers were not ready it
   * rejects.
   *
   * @throws HOLDFAST_QUEUE_CLOSED, HOLDFAST_WORKER_NOT_READY, HOLDFAST_STOPPING, and what the storage throws
   */
  start(): Promise<void> {
    return this.#work(this)
  }

  /**
   * Claims no more, lets running handlers end for `grace` (default 10 s), then aborts their signals with
   * `HOLDFAST_STOPPING` and gives back what has not ended after `killGrace`, counted as nothing. Resolves when every
   * outcome is acknowledged and the session closed. Called again it waits for the same end, and brings it forward when
   * its `grace` is over sooner. Calls of `processUntilIdle` that are under way end with it.
   */
  async stop(options: { grace?: Span } = {}): Promise<void> {
    const { grace } = readOptions('stop', options, { grace: spanToMs })
    this.#wanted.clear()
    this.#wanted = new Set()
    await this.#session?.stop(grace)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /**
   * Starts no more jobs until `resume`; those that run go on, and the session beats. Resolves when no claim is under way
   * any more: nothing is started after that. Of this executor alone, also while it is stopped; not stored.
   */
  async pause(): Promise<void> {
    this.#paused = true
    await this.#session?.claimer.settled()
  }

  resume(): void {
    this.#paused = false
    if (this.#session?.state === 'running') this.#session.claimer.now()
  }

  /** The name of its session in `queue.sessions()`; empty while it is not at work. */
  get session(): string {
    return this.#session?.name ?? ''
  }

  /**
   * Works until nothing that it handles is due and nothing runs, or until `deadline`: for cron triggers, edge runtimes
   * and tests. An executor that was not started is started for it, and stopped afterwards if nobody else wants it: at the
   * deadline running handlers are asked to end. After a deadline that is over nothing is started: it is a moment, as
   * `Date.now() + 25_000`, and no span.
   *
   * Answers how many jobs the executor took meanwhile, and when there is work again (epoch ms), as it is when it has
   * stopped: now, if some is left; `null`: none waits, or the queue was closed.
   *
   * @throws as `start`
   */
  async processUntilIdle(
    options: { deadline?: Moment } = {},
  ): Promise<{ readonly processed: number; readonly nextRunAt: number | null }> {
    const checks = { deadline: momentToMs }
    const { deadline: end = Infinity } = readOptions('processUntilIdle', options, checks)
    const { environment, queue } = this.#core
    if (queue.closed) throw queueClosed()
    const before = this.#slots.tally.claimed
    const call = {}
    const wanted = this.#wanted
    const deadline = new Expiry(environment, end - environment.now())
    let session: ExecutorSession | null = null
    let next: number | null | undefined
    try {
      if (!deadline.passed) {
        await Promise.race([this.#work(call), deadline.reached])
        session = this.#session
        // Once for all of it: a promise keeps whatever waits for it, here each claim with all its jobs.
        next = await Promise.race([this.#untilIdle(() => !deadline.passed && wanted.has(call)), deadline.reached])
      }
    } finally {
      deadline.cancel()
      if (!wanted.delete(call)) {
        // Somebody else stops it: what that gives back is among what is answered.
        await session?.over
      } else if (wanted.size === 0) {
        this.#session?.prune()
        await this.#session?.stop(deadline.passed ? 0 : undefined)
      }
    }
    const processed = this.#slots.tally.claimed - before
    return { processed, nextRunAt: next === undefined ? await this.#nextRunAt() : next }
  }

  stats(): ExecutorStats {
    const running = this.#slots.unsettled.length
    const state = this.#session?.state ?? 'starting'
    return {
      state: state === 'starting' ? 'idle' : state,
      paused: this.#paused,
      running,
      free: this.#free(),
      overdue: this.#slots.attempts.size - running,
      unacknowledged: this.#buffer.unacknowledged,
      ...this.#slots.tally,
    }
  }

  /** Something may have become claimable. @internal */
  wake(types: readonly string[]): void {
    this.#session?.wake(types)
  }

  /** A cancel was asked for in this context: no need to wait for the next beat. @internal */
  cancel(id: string, reason: string): void {
    this.#slots.cancel(id, reason)
  }

  /** Resolves when it is at work, or `who` does not want that any more. */
  async #work(who: object): Promise<void> {
    const wanted = this.#wanted.add(who)
    let session: ExecutorSession | null = null
    try {
      while (wanted.has(who)) {
        if (this.#core.queue.closed) throw queueClosed()
        session = this.#session ??= this.#newSession()
        if (session.state === 'running') return
        await (session.state === 'starting' ? session.ready : session.over)
      }
    } catch (error) {
      wanted.delete(who)
      await session?.over
      throw error
    }
  }

  /**
   * Works until a whole claim brings nothing while nothing runs, and answers when time alone makes a job claimable then.
   * `undefined` when it did not come to that.
   */
  async #untilIdle(goesOn: () => boolean): Promise<number | null | undefined> {
    while (goesOn() && this.#session !== null) {
      const { claimer } = this.#session
      while (goesOn() && this.#slots.unsettled.length > 0) await this.#slots.change()
      await this.#buffer.drained()
      if (!goesOn()) break
      // Where handlers end at once, one claim follows the other until nothing is due.
      const answer = await claimer.once()
      const busy = this.#slots.unsettled.length + this.#buffer.unacknowledged > 0
      if (answer !== null && answer.jobs.length === 0 && !answer.suspectDue && !busy) return answer.nextRunAt
      if (answer !== null || busy) continue
      // Slots that handlers do not give back cannot be waited for: they may never end.
      if (this.#paused || (this.#room() === 0 && this.#slots.runner?.kills !== true)) break
      // The storage is away.
      await waitAtMost(this.#core.environment, PAUSE, this.#slots.change())
    }
    return undefined
  }

  async #nextRunAt(): Promise<number | null> {
    const { storage, environment, queue } = this.#core
    try {
      return await nextRunAt(storage, this.#types, environment.now())
    } catch (error) {
      if (queue.closed) return null
      throw error
    }
  }

  #room(): number {
    const most = Math.max(LEAST_UNACKNOWLEDGED, 2 * this.#concurrency)
    if (this.#paused || this.#buffer.unacknowledged >= most) return 0
    return this.#free()
  }

  #free(): number {
    return Math.max(0, Math.min(this.#concurrency - this.#slots.attempts.size, this.#slots.places))
  }
}
