import { withAutomations } from './automation-jobs.ts'
import { Claimer } from './claimer.ts'
import { Expiry, waitAtMost } from './expiry.ts'
import { Heartbeat, patience } from './heartbeat.ts'
import type { QueueCore, ServiceOptions } from './queue-core.ts'
import { Reaper } from './reaper.ts'
import { Reconnection } from './reconnection.ts'
import type { OpenRunner } from './runner.ts'
import type { SettleBuffer } from './settle-buffer.ts'
import type { Slots } from './slots.ts'
import type { JobRecord, Lane } from './storage/contract.ts'
import { tellTaken } from './telling.ts'
import type { Ticker } from './ticker.ts'

export interface ExecutorSessionOptions {
  readonly core: QueueCore
  readonly lanes: readonly Lane[]
  readonly leaseDuration: number
  readonly slots: Slots
  readonly buffer: SettleBuffer
  readonly openRunner: () => OpenRunner
  /** How many jobs may be taken now. */
  readonly room: () => number
  /** It is over. */
  readonly ended: () => void
}

/** What a service works with, by its name. */
export function servicesOf(core: QueueCore, session: () => string): (name: string) => ServiceOptions {
  const { storage, environment, errors } = core
  return (name) => ({
    ...{ storage, environment, session, errors: errors(name) },
    withAutomations: (batch) => withAutomations(core, batch),
  })
}

const DEFAULT_STOP_GRACE = 10_000

/** How long a stop waits for the storage to acknowledge the last outcomes. ms */
const LONGEST_DRAIN = 10_000

/**
 * An executor at work, from one start to its stop: it claims, beats, and takes back the jobs of sessions that fell
 * silent. It is asked to stop once and for all; whoever wants to go on makes another when it is over.
 *
 *     starting ──▶ running ──▶ stopping ──▶ over
 *         └── it is stopped, or ──▲
 *             cannot be opened
 */
export class ExecutorSession {
  state: 'starting' | 'running' | 'stopping' = 'starting'
  /** What the storage knows it by, which changes when the storage has ended it; empty while it knows of none. */
  name = ''
  /** Rejects when it could not be opened, or was given up by a stop before its runner was ready. */
  readonly ready: Promise<void>
  readonly over: Promise<void>
  readonly claimer: Claimer
  readonly #options: ExecutorSessionOptions
  readonly #service: (name: string) => ServiceOptions
  readonly #services: { stop(): Promise<void> | void }[] = []
  /** How long running handlers have left, once it stops. */
  readonly #grace: Expiry
  readonly #stopped: Promise<void>
  #heartbeat: Heartbeat | null = null
  #pruning: Ticker | null = null
  #reopening: Promise<void> | null = null
  #stop: () => void = () => undefined

  constructor(options: ExecutorSessionOptions) {
    const { core, lanes, slots, room } = options
    this.#options = options
    this.#service = servicesOf(core, () => this.name)
    this.#grace = new Expiry(core.environment, Infinity)
    this.#stopped = new Promise((resolve) => (this.#stop = resolve))
    this.claimer = new Claimer({
      ...this.#service('claim'),
      lanes,
      slots,
      room,
      take: (job) => this.#take(job),
      reopen: (ended) => this.#reopen(ended),
    })
    this.ready = this.#start()
    this.over = this.#live()
  }

  /** Ends as `executor.stop` says. Called again it only brings the end forward. */
  stop(grace?: number): Promise<void> {
    if (grace !== undefined) this.#grace.within(grace)
    else if (this.state !== 'stopping') this.#grace.within(DEFAULT_STOP_GRACE)
    // Threads that are still being started are given up.
    if (this.state === 'starting') void this.#options.slots.runner?.close()
    this.state = 'stopping'
    this.#stop()
    return this.over
  }

  /** Jobs of these types may have become claimable. */
  wake(types: readonly string[]): void {
    const { lanes, room } = this.#options
    if (this.state === 'running' && room() > 0 && lanes.some(({ type }) => types.includes(type))) this.claimer.now()
  }

  /** There may be room for more jobs. */
  roomMade(): void {
    if (this.state === 'running') this.claimer.soon()
  }

  /** Cleans up now; the end of the session waits for it. */
  prune(): void {
    void this.#pruning?.now()
  }

  async #start(): Promise<void> {
    const { slots, openRunner } = this.#options
    slots.runner = openRunner()
    // Before anything is claimed: when handlers cannot be run, no attempt is counted.
    await slots.runner.ready
    await this.#open()
    this.#startServices()
    if (this.state !== 'starting') return
    this.state = 'running'
    this.claimer.now()
  }

  async #live(): Promise<void> {
    const { core, buffer, ended } = this.#options
    const opened = await this.ready.then(
      () => true,
      () => false,
    )
    if (opened) {
      await this.#stopped
      // A claim under way is waited for: what it brings is given back.
      await Promise.all([this.claimer.stop(), this.#endAttempts()])
      // A storage that is away must not hold up a stop for ever: what it was not told, a reaper finds out.
      await waitAtMost(core.environment, LONGEST_DRAIN, buffer.drained())
    }
    this.state = 'stopping'
    this.#grace.cancel()
    await this.#close()
    ended()
  }

  /** One after the other: when one cannot be started, those before it are known and stopped. */
  #startServices(): void {
    const { core, slots, lanes, leaseDuration } = this.#options
    const { storage, pruner, errors } = core
    const services = this.#services
    const stop = storage.notifier?.subscribe(({ ready }) => this.wake(ready))
    services.push({ stop: stop ?? ((): void => undefined) })
    services.push(new Reconnection({ ...this.#service('reconnection'), claim: () => this.claimer.now() }))
    this.#heartbeat = new Heartbeat({
      ...this.#service('heartbeat'),
      leaseDuration,
      slots,
      claiming: () => this.claimer.underWay,
      reopen: (ended) => this.#reopen(ended),
    })
    services.push(this.#heartbeat)
    const reaper = new Reaper({
      ...this.#service('reaper'),
      leaseDuration,
      types: lanes.map(({ type }) => type),
      interrupted: (record) => this.#interrupted(record),
    })
    services.push(reaper)
    this.#pruning = pruner.ticker(errors('pruner'))
    services.push(this.#pruning)
  }

  async #endAttempts(): Promise<void> {
    const { slots } = this.#options
    await Promise.race([slots.allSettled(), this.#grace.reached])
    slots.stopAll()
    await slots.allSettled()
  }

  /** Whatever of it fails, the session is over: one that was not closed falls silent. */
  async #close(): Promise<void> {
    const { core, slots } = this.#options
    const { storage, environment, errors } = core
    const { once } = errors('stop')
    for (const service of this.#services)
      await Promise.resolve()
        .then(() => service.stop())
        .catch(once)
    await slots.stop().catch(once)
    if (this.name !== '')
      await storage.session({ close: this.name, now: environment.now() }).catch(errors('session').once)
  }

  async #open(): Promise<void> {
    const { core, leaseDuration } = this.#options
    const { storage, environment, newId } = core
    const name = newId()
    await storage.session({ open: name, leaseDuration, now: environment.now(), patience: patience(environment) })
    this.name = name
  }

  /**
   * The storage has ended the session: what it held is lost, and under a new name it goes on with new work. Claim and
   * heartbeat may both learn of it, one of them when it has the new name already.
   */
  async #reopen(ended: string): Promise<void> {
    if (ended !== this.name) return
    const { slots } = this.#options
    this.#reopening ??= this.#open().finally(() => {
      this.#reopening = null
    })
    for (const attempt of slots.unsettled) slots.lose(attempt)
    await this.#reopening
  }

  #take(job: JobRecord): void {
    if (this.state !== 'running') return this.#options.slots.giveBack(job)
    this.#heartbeat?.taken(job.leaseDuration)
    this.#options.slots.run(job)
  }

  #interrupted(record: JobRecord): void {
    const { events, environment, queue } = this.#options.core
    queue.wakeExecutors([record.type])
    tellTaken(events, record, environment.now())
  }
}
