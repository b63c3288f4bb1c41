import { withAutomations } from './automations.ts'
import { Claimer } from './claimer.ts'
import { queueClosed } from './errors.ts'
import { type ExecutorOptions, executorSettings } from './executor-options.ts'
import { Expiry, waitAtMost } from './expiry.ts'
import { laneOf } from './handlers.ts'
import { Heartbeat, patience } from './heartbeat.ts'
import { toJob } from './job.ts'
import { type Moment, momentToMs, readOptions, type Span, spanToMs } from './options.ts'
import { nextRunAt } from './next-run.ts'
import type { QueueCore, ServiceOptions } from './queue-core.ts'
import { Reaper } from './reaper.ts'
import { Reconnection } from './reconnection.ts'
import type { OpenRunner } from './runner.ts'
import { SettleBuffer } from './settle-buffer.ts'
import { Slots } from './slots.ts'
import type { JobRecord, Lane } from './storage/contract.ts'
import type { Ticker } from './ticker.ts'

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

const DEFAULT_STOP_GRACE = 10_000

/** How long a stop waits for the storage to acknowledge the last outcomes. ms */
const LONGEST_DRAIN = 10_000

/** How long to wait before looking again when nothing can be claimed. ms */
const PAUSE = 1000

/** Past this many outcomes the storage has not acknowledged, no more work is taken. */
const LEAST_UNACKNOWLEDGED = 64

/**
 * Runs jobs: claims what it has handlers for, up to `concurrency` at once, and settles the outcomes in groups. While
 * it runs it is one session: it beats, and it takes back the jobs of sessions that fell silent.
 *
 *     idle ──start──▶ running ──stop──▶ stopping ──▶ idle
 */
export class Executor {
  readonly #core: QueueCore
  readonly #concurrency: number
  readonly #types: readonly string[]
  readonly #lanes: readonly Lane[]
  readonly #leaseDuration: number
  readonly #slots: Slots
  readonly #openRunner: () => OpenRunner
  readonly #buffer: SettleBuffer
  #claimer: Claimer
  readonly #services: { stop(): Promise<void> | void }[] = []
  #heartbeat: Heartbeat | null = null
  #pruning: Ticker | null = null
  #session = ''
  #paused = false
  #state: ExecutorStats['state'] = 'idle'
  #starting: Promise<void> | null = null
  #stopping: Promise<void> | null = null
  /** How long running handlers have left, while it stops. */
  #grace: Expiry | null = null
  #reopening: Promise<void> | null = null

  /** Made by `queue.createExecutor()`. */
  constructor(queue: QueueCore, options: ExecutorOptions) {
    const { definitions, runner, concurrency, state, killGrace } = executorSettings(options, queue.intake)
    const core = { ...queue, environment: runner.environment?.(queue.environment) ?? queue.environment }
    const jobs = [...definitions.values()]
    this.#core = core
    this.#concurrency = concurrency
    this.#types = [...definitions.keys()]
    this.#lanes = jobs.map(laneOf)
    this.#leaseDuration = Math.min(...jobs.map(({ defaults }) => defaults.leaseDuration))
    this.#buffer = new SettleBuffer(this.#service('settle'))
    this.#slots = new Slots({
      core,
      state,
      killGrace,
      buffer: this.#buffer,
      onRoom: () => this.#claimer.soon(),
    })
    this.#claimer = this.#newClaimer()
    this.#openRunner = () =>
      runner.open({
        ...core,
        definitions,
        definitionOf: (type) => core.intake.defined(type) ?? definitions.get(type),
        concurrency: this.#concurrency,
        ends: this.#slots,
        // Before it runs there is no session to claim for.
        onRoom: () => {
          if (this.#state === 'running') this.#claimer.soon()
        },
        onError: core.onError('runner'),
      })
  }

  /** Opens the session and begins to claim. Calling it again does nothing; while it stops, it starts after that. */
  start(): Promise<void> {
    if (this.#core.queue.closed) return Promise.reject(queueClosed())
    if (this.#stopping !== null) return this.#stopping.then(() => this.start())
    this.#starting ??= this.#start().catch(async (error: unknown) => {
      await this.#closeSession()
      this.#starting = null
      throw error
    })
    return this.#starting
  }

  /**
   * Claims no more, lets running handlers end for `grace` (default 10 s), then aborts their signals with
   * `HOLDFAST_STOPPING` and gives back what has not ended after `killGrace`, counted as nothing. Resolves when every
   * outcome is acknowledged and the session closed. Called again it waits for the same end, and brings it forward when
   * its `grace` is over sooner.
   */
  async stop(options: { grace?: Span } = {}): Promise<void> {
    const { grace } = readOptions('stop', options, { grace: spanToMs })
    if (this.#starting === null) return
    this.#grace ??= new Expiry(this.#core.environment, grace ?? DEFAULT_STOP_GRACE)
    if (grace !== undefined) this.#grace.within(grace)
    this.#stopping ??= this.#stop(this.#grace)
    await this.#stopping
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
    await this.#claimer.settled()
  }

  resume(): void {
    this.#paused = false
    if (this.#state === 'running') this.#claimer.now()
  }

  /** The name of its session in `queue.sessions()`; empty while it is not at work. */
  get session(): string {
    return this.#session
  }

  /**
   * Works until nothing that it handles is due and nothing runs, or until `deadline`: for cron triggers, edge runtimes
   * and tests. An executor that was not started is started for it and stopped afterwards; at the deadline running
   * handlers are asked to end. Answers how many jobs it took and when the next one is due (epoch ms, `null`: none).
   */
  async processUntilIdle(
    options: { deadline?: Moment } = {},
  ): Promise<{ readonly processed: number; readonly nextRunAt: number | null }> {
    const checks = { deadline: momentToMs }
    const { deadline: end = Infinity } = readOptions('processUntilIdle', options, checks)
    const { environment } = this.#core
    const left = end - environment.now()
    const before = this.#slots.tally.claimed
    // One that is stopping is started anew.
    const own = this.#starting === null || this.#stopping !== null
    await this.start()
    const deadline = new Expiry(environment, left)
    try {
      const nextRunAt = await this.#untilIdle(deadline)
      const processed = this.#slots.tally.claimed - before
      if (own) await this.#pruning?.now()
      return { processed, nextRunAt }
    } finally {
      deadline.cancel()
      if (own) await this.stop({ grace: deadline.passed ? 0 : DEFAULT_STOP_GRACE })
    }
  }

  stats(): ExecutorStats {
    const running = this.#slots.unsettled.length
    return {
      state: this.#state,
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
    if (this.#state === 'running' && this.#room() > 0 && this.#types.some((type) => types.includes(type)))
      this.#claimer.now()
  }

  /** A cancel was asked for in this context: no need to wait for the next beat. @internal */
  cancel(id: string, reason: string): void {
    this.#slots.cancel(id, reason)
  }

  async #start(): Promise<void> {
    const core = this.#core
    // From here on closing the queue stops it first.
    core.executors.add(this)
    this.#session = ''
    this.#slots.runner = this.#openRunner()
    // Before anything is claimed: when handlers cannot be run, no attempt is counted.
    await this.#slots.runner.ready
    await this.#openSession()
    this.#claimer = this.#newClaimer()
    this.#startServices()
    this.#state = 'running'
    this.#claimer.now()
  }

  /** One after the other: when one cannot be started, those before it are known and stopped. */
  #startServices(): void {
    const { storage, pruner, onError } = this.#core
    const services = this.#services
    const leaseDuration = this.#leaseDuration
    services.push({ stop: storage.notifier?.subscribe(({ ready }) => this.wake(ready)) ?? ((): void => undefined) })
    services.push(new Reconnection({ ...this.#service('reconnection'), claim: () => this.#claimer.now() }))
    this.#heartbeat = new Heartbeat({
      ...this.#service('heartbeat'),
      leaseDuration,
      slots: this.#slots,
      claiming: () => this.#claimer.underWay,
      reopen: (ended) => this.#reopen(ended),
    })
    services.push(this.#heartbeat)
    const reaper = new Reaper({
      ...this.#service('reaper'),
      leaseDuration,
      types: this.#types,
      interrupted: (record) => this.#interrupted(record),
    })
    services.push(reaper)
    this.#pruning = pruner.ticker(onError('pruner'))
    services.push(this.#pruning)
  }

  async #stop(grace: Expiry): Promise<void> {
    // Threads that are still being started are given up.
    if (this.#state === 'idle') void this.#slots.runner?.close()
    await this.#starting?.catch(() => undefined)
    if (this.#state === 'running') {
      this.#state = 'stopping'
      // A claim under way is waited for: what it brings is given back.
      await Promise.all([this.#claimer.stop(), this.#endAttempts(grace)])
      // A storage that is away must not hold up a stop for ever: what it was not told, a reaper finds out.
      await waitAtMost(this.#core.environment, LONGEST_DRAIN, this.#buffer.drained())
      await this.#closeSession()
      this.#state = 'idle'
      this.#starting = null
    }
    grace.cancel()
    this.#grace = null
    this.#stopping = null
  }

  async #endAttempts(grace: Expiry): Promise<void> {
    await Promise.race([this.#slots.allSettled(), grace.reached])
    this.#slots.stopAll()
    await this.#slots.allSettled()
  }

  /** Whatever of it fails, the executor has stopped: a session that was not closed falls silent. */
  async #closeSession(): Promise<void> {
    const { storage, environment, executors, onError } = this.#core
    for (const service of this.#services.splice(0))
      await Promise.resolve()
        .then(() => service.stop())
        .catch(onError('stop'))
    await this.#slots.stop().catch(onError('stop'))
    if (this.#session !== '')
      await storage.session({ close: this.#session, now: environment.now() }).catch(onError('session'))
    this.#session = ''
    executors.delete(this)
  }

  async #openSession(): Promise<void> {
    const { storage, environment, newId } = this.#core
    const session = newId()
    await storage.session({
      open: session,
      leaseDuration: this.#leaseDuration,
      now: environment.now(),
      patience: patience(environment),
    })
    this.#session = session
  }

  /**
   * The storage has ended the session: what it held is lost, and a new one goes on with new work. Claim and heartbeat
   * may both learn of it, one of them when the new session is open already.
   */
  async #reopen(ended: string): Promise<void> {
    if (ended !== this.#session) return
    this.#reopening ??= this.#openSession().finally(() => {
      this.#reopening = null
    })
    for (const attempt of this.#slots.unsettled) this.#slots.lose(attempt)
    await this.#reopening
  }

  #newClaimer(): Claimer {
    return new Claimer({
      ...this.#service('claim'),
      lanes: this.#lanes,
      slots: this.#slots,
      room: () => this.#room(),
      take: (job) => this.#take(job),
      reopen: (ended) => this.#reopen(ended),
    })
  }

  #service(name: string): ServiceOptions {
    const { storage, environment, onError } = this.#core
    return {
      ...{ storage, environment, session: () => this.#session, onError: onError(name) },
      withAutomations: (batch) => withAutomations(this.#core, batch),
    }
  }

  #take(job: JobRecord): void {
    if (this.#state !== 'running') return this.#slots.giveBack(job)
    this.#heartbeat?.taken(job.leaseDuration)
    this.#slots.run(job)
  }

  #room(): number {
    const most = Math.max(LEAST_UNACKNOWLEDGED, 2 * this.#concurrency)
    if (this.#paused || this.#buffer.unacknowledged >= most) return 0
    return this.#free()
  }

  #free(): number {
    return Math.max(0, Math.min(this.#concurrency - this.#slots.attempts.size, this.#slots.places))
  }

  #interrupted(record: JobRecord): void {
    const { events, environment, queue } = this.#core
    queue.wakeExecutors([record.type])
    if (events.has('interrupted')) events.tell('interrupted', { job: toJob(record, environment.now()) })
  }

  /** Works until a whole claim brings nothing while nothing runs. Answers when the next job is due. */
  async #untilIdle(deadline: Expiry): Promise<number | null> {
    while (!deadline.passed && this.#state === 'running') {
      await Promise.race([this.#slots.allSettled().then(() => this.#buffer.drained()), deadline.reached])
      const answer = await this.#claimer.once()
      const busy = this.#slots.unsettled.length + this.#buffer.unacknowledged > 0
      if (answer !== null && answer.jobs.length === 0 && !answer.suspectDue && !busy) return answer.nextRunAt
      if (answer !== null || busy) continue
      // Slots that handlers do not give back cannot be waited for: they may never end.
      if (this.#paused || (this.#room() === 0 && this.#slots.runner?.kills !== true)) break
      // The storage is away.
      await waitAtMost(this.#core.environment, PAUSE, this.#slots.change(), deadline.reached)
    }
    if (this.#state !== 'running') return null
    return nextRunAt(this.#core.storage, this.#types, this.#core.environment.now())
  }
}
