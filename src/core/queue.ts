import { JobAutomations } from './automation-jobs.ts'
import { Automated } from './automations.ts'
import { type Environment, idMaker } from './environment.ts'
import { fieldError, queueClosed, within, workersDisabled } from './errors.ts'
import { type EventName, Events, type Listener } from './events.ts'
import { Executor, type ExecutorOptions } from './executor.ts'
import { eachItem, type EnqueueOptions, Intake } from './intake.ts'
import type { JobDefinition } from './definition.ts'
import { type Job, toJob } from './job.ts'
import { JobList, type ListOptions } from './listing.ts'
import { SILENT } from './logger.ts'
import { abortSignal, boolean, name, readOptions, type Span, spanToMs } from './options.ts'
import { Pruner } from './pruner.ts'
import type { QueueCore } from './queue-core.ts'
import { type QueueOptions, type QueueSettings, queueSettings } from './queue-options.ts'
import { type JobResult, Results } from './results.ts'
import { serviceErrors } from './service-errors.ts'
import type { Disposition, JobCounts, NewJob, StorageDump, StorageHealth, StorageStatus } from './storage/contract.ts'
import { allOf, guarded, isThenable } from './thenable.ts'
import { type ChangeEvent, ChangeStream, untilIdle } from './watching.ts'

export type { EnqueueOptions } from './intake.ts'
export type { QueueOptions } from './queue-options.ts'

/** A job as it was when it was accepted. */
export interface EnqueuedJob<Payload = unknown> extends Job<Payload> {
  /** What the call did: stored a new job, updated the one that holds its key, or left that one as it was. */
  readonly disposition: Disposition
}

/** One item of `enqueueMany`. `Job`: what it names its job by; a queue with a list of jobs takes definitions and its names. */
export interface EnqueueItem<Job = JobDefinition | string> {
  readonly job: Job
  readonly payload?: unknown
  readonly options?: EnqueueOptions
}

type Definitions = readonly JobDefinition[]

/** What makes jobs, as a handler calls it. */
type HandlerCalls = Pick<JobQueue, 'enqueue' | 'enqueueMany' | 'emit'>

/** A definition, or the name of one of the queue's jobs. */
export type JobReference<Jobs extends Definitions> = JobDefinition | Jobs[number]['type']

/** Items of `enqueueMany`, each with the payload of its job; it may be left out where the job takes none. */
export type EnqueueItems<References extends readonly unknown[], Jobs extends Definitions> = {
  readonly [Index in keyof References]: Omit<EnqueueItem<References[Index]>, 'payload'> &
    (undefined extends PayloadFor<References[Index], Jobs>
      ? { readonly payload?: PayloadFor<References[Index], Jobs> }
      : { readonly payload: PayloadFor<References[Index], Jobs> })
}

/** What `enqueue` takes for a reference. */
export type PayloadFor<Reference, Jobs extends Definitions> =
  Reference extends JobDefinition<string, infer Input, infer _>
    ? Input
    : PayloadNamed<Extract<Jobs[number], { readonly type: Reference }>>

/** `unknown` where the queue was opened without a list of jobs, so that any name may be enqueued with anything. */
type PayloadNamed<Definition> = [Definition] extends [never]
  ? unknown
  : Definition extends JobDefinition<string, infer Input, infer _>
    ? Input
    : unknown

/**
 * Opens a queue on a storage. One storage is one queue.
 *
 * @throws HOLDFAST_INVALID_OPTION, HOLDFAST_DUPLICATE_JOB for two definitions of one type, HOLDFAST_PAYLOAD_FORMAT for
 * a job whose payloads the storage does not keep, HOLDFAST_CONTRACT_VERSION for a storage made for another version, and
 * what the storage throws when it opens
 */
export async function openQueue<const Jobs extends Definitions = Definitions>(
  options: QueueOptions<Jobs>,
): Promise<JobQueue<Jobs>> {
  const settings = queueSettings(options)
  const queue = new JobQueue<Jobs>(settings)
  await settings.storage.open()
  queue.watchStorage()
  return queue
}

/** Where jobs are enqueued and seen; `Administration` has what steers them, `Automated` jobs that follow events. Made by `openQueue`. */
export class JobQueue<Jobs extends Definitions = Definitions> extends Automated {
  readonly #core: QueueCore
  readonly #results: Results
  /** Ends those that watch, when the queue is shut. */
  readonly #watchers = new Set<() => void>()
  readonly #workersEnabled: boolean
  /** Whether `close` was called: nothing is started any more. */
  #closed = false
  /** Executors have stopped: nothing is done any more. */
  #shut = false
  #closing: Promise<void> | null = null

  /** @internal */
  constructor({ storage, environment, logger, jobs, retention, payloadLimit, ...settings }: QueueSettings) {
    super()
    const { report } = environment
    const events = new Events(report)
    const newId = idMaker(environment)
    // The logger is the user's.
    const log: QueueCore['log'] = (level, ...line) => guarded(() => logger[level](...line), report)
    this.#workersEnabled = settings.workersEnabled
    this.#results = new Results(storage, environment)
    this.#core = {
      queue: this,
      storage,
      environment,
      events,
      log,
      newId,
      payloadLimit,
      executors: new Set(),
      intake: new Intake({ ...settings, storage, environment, newId, payloadLimit, definitions: jobs }),
      jobAutomations: new JobAutomations({ storage, environment }),
      pruner: new Pruner({ storage, environment, events, rules: retention }),
      errors: (service) =>
        serviceErrors(
          (error, isNews) => {
            if (isNews) log('error', `The ${service} service met an error`, { error })
            if (events.has('error')) events.tell('error', { error, service })
            else if (isNews && logger === SILENT) report(error)
          },
          (errors) => log('info', `The ${service} service works again`, { errors }),
        ),
    }
    for (const job of jobs?.values() ?? []) this.#core.intake.known('jobs', job)
  }

  /**
   * Stores a job; once this resolves it survives what the storage's durability says. Takes a definition, or the name
   * of one.
   *
   * @throws HOLDFAST_INVALID_OPTION, HOLDFAST_UNKNOWN_JOB, HOLDFAST_SCHEMA_MISMATCH, HOLDFAST_INVALID_PAYLOAD,
   * HOLDFAST_PAYLOAD_TOO_LARGE, HOLDFAST_PAYLOAD_FORMAT, HOLDFAST_ID_CONFLICT, HOLDFAST_WORKERS_DISABLED, HOLDFAST_QUEUE_CLOSED;
   * in each case nothing was stored
   */
  enqueue<const Reference extends JobReference<Jobs>>(
    job: Reference,
    payload: PayloadFor<Reference, Jobs>,
    options?: EnqueueOptions,
  ): Promise<EnqueuedJob> {
    return this.#enqueue(0, job, payload, options)
  }

  /** Stores many jobs, all or none, as the calls one after another would. Answers in order. Throws as `enqueue` does. */
  enqueueMany<const References extends readonly JobReference<Jobs>[]>(
    items: EnqueueItems<References, Jobs>,
  ): Promise<readonly EnqueuedJob[]> {
    return this.#enqueueMany(0, items)
  }

  /**
   * How the handler of a job that so many automations led to enqueues: what its jobs trigger counts on from there, so that
   * a loop comes to its end. [tests/core/automations.test.ts] @internal
   */
  from(depth: number): HandlerCalls {
    return {
      enqueue: (job, payload, options) => this.#enqueue(depth, job, payload, options),
      enqueueMany: (items) => this.#enqueueMany(depth, items),
      emit: (event, document, options) => this.emitFrom(depth, event, document, options ?? {}),
    }
  }

  async #enqueue(
    depth: number,
    job: JobDefinition | string,
    payload: unknown,
    options: EnqueueOptions | undefined,
  ): Promise<EnqueuedJob> {
    this.takesJobs()
    const prepared = this.#core.intake.prepare(job, payload, options, depth)
    const [stored] = await this.store([isThenable(prepared) ? await prepared : prepared])
    return stored as EnqueuedJob
  }

  async #enqueueMany(depth: number, items: readonly EnqueueItem[]): Promise<readonly EnqueuedJob[]> {
    const prepared = this.#prepared(depth, items)
    return this.store(isThenable(prepared) ? await prepared : prepared)
  }

  /** @internal */
  async toEnqueue(items: readonly EnqueueItem[]): Promise<() => Promise<readonly EnqueuedJob[]>> {
    const prepared = await this.#prepared(0, items)
    return () => this.store(prepared)
  }

  /** A promise only when a schema makes one. */
  #prepared(depth: number, items: readonly EnqueueItem[]): readonly NewJob[] | Promise<readonly NewJob[]> {
    this.takesJobs()
    const prepare = ({ job, payload, options }: EnqueueItem, place: string): NewJob | Promise<NewJob> => {
      const made = within(place, () => this.#core.intake.prepare(job, payload, options, depth))
      // When a later item throws at once, nobody will wait for this one.
      if (isThenable(made)) made.catch(() => undefined)
      return made
    }
    return allOf(eachItem(items, prepare))
  }

  /** `null` when there is no such job: never stored, removed, or gone by retention. */
  async get(id: string): Promise<Job | null> {
    const { storage, environment } = this.open()
    const [record] = await storage.get([name('id', id)])
    if (record === undefined || record === null) return null
    const sessions = record.state === 'running' ? await storage.sessions() : []
    return toJob(record, environment.now(), sessions.find((session) => session.id === record.session)?.lastBeat)
  }

  /** Jobs that fit: iterate them, or read one `page()` at a time. */
  list(options: ListOptions = {}): JobList {
    this.open()
    return new JobList(() => this.open(), options)
  }

  async counts(): Promise<JobCounts> {
    const { storage, environment } = this.open()
    return storage.counts({ now: environment.now() })
  }

  /**
   * The newest records of the log, as this context met them, and what the log comes to: for people who look for what
   * happened, since a database browser shows the log alone. What it looks like is no promise from version to version.
   */
  async dump(): Promise<StorageDump> {
    return (await this.open().storage.dump?.()) ?? { records: [], rows: {} }
  }

  /** How the storage is: whether it takes writes, what was damaged, how many jobs it holds. Asks no disk. */
  health(): StorageHealth {
    const { storage } = this.open()
    return storage.health?.() ?? { state: 'ok', cause: null, damaged: 0, jobs: 0, weaker: false, resets: 0 }
  }

  /** What the browser says of its storage; all `null` where nothing can be told, as in Node. */
  async storageStatus(): Promise<StorageStatus> {
    return (await this.open().storage.status?.()) ?? { persisted: null, usage: null, quota: null }
  }

  /**
   * Asks the browser to keep the data when it needs space; it may ask the user, so call it when they see why. `null`
   * where there is nothing to ask.
   */
  async requestPersistence(): Promise<boolean | null> {
    return (await this.open().storage.requestPersistence?.()) ?? null
  }

  /** How the job ended, as soon as it has; whoever runs it, and across reloads. Rejects only with the signal's reason. */
  async result(id: string, options: { signal?: AbortSignal } = {}): Promise<JobResult> {
    const { signal } = readOptions('result', options, { signal: abortSignal })
    this.open()
    return this.#results.wait(name('id', id), signal)
  }

  /**
   * Resolves when nothing is due and nothing runs. Jobs that wait for their time (delayed, or between retries) do not
   * hold it up unless `includeScheduled` is true. Rejects with the signal's reason, or when the queue is closed.
   */
  async idle(options: { signal?: AbortSignal; includeScheduled?: boolean } = {}): Promise<void> {
    const checks = { signal: abortSignal, includeScheduled: boolean }
    return untilIdle(() => this.open(), this.#watchers, readOptions('idle', options, checks))
  }

  createExecutor(options: ExecutorOptions): Executor {
    if (this.#closed) throw queueClosed()
    if (!this.#workersEnabled) throw workersDisabled()
    return new Executor(this.#core, options)
  }

  /** Events of this context, exact. Returns the function that removes the listener. */
  on<Name extends EventName>(event: Name, listener: Listener<Name>): () => void {
    return this.#core.events.on(event, listener)
  }

  /**
   * Changes of jobs in all contexts that share the storage, best effort: when some were missed there is a `gap`, and
   * who keeps a picture reads again. Listens from the call on; ends when the iteration is left, the signal aborts or
   * the queue is closed.
   */
  events(options: { signal?: AbortSignal } = {}): AsyncIterableIterator<ChangeEvent> {
    const { signal } = readOptions('events', options, { signal: abortSignal })
    return new ChangeStream(this.open().storage, this.#watchers, signal)
  }

  /**
   * Stops this queue's executors (`grace` as in `executor.stop`), then closes the storage. Until they have stopped the
   * queue does what it is asked, since handlers that come to their end may need it. Called again it waits for the same
   * end, and brings it forward when its `grace` is over sooner; after one that failed it tries again.
   */
  async close(options: { grace?: Span } = {}): Promise<void> {
    const grace = readOptions('close', options, { grace: spanToMs })
    this.#closed = true
    const stopping = this.#stopExecutors(grace)
    this.#closing ??= this.#close(grace).catch((error: unknown) => {
      this.#closing = null
      throw error
    })
    await Promise.all([stopping, this.#closing])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** @internal */
  get environment(): Environment {
    return this.#core.environment
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#closed
  }

  /** @internal */
  wakeExecutors(types: readonly string[]): void {
    for (const executor of this.#core.executors) executor.wake(types)
  }

  /** @internal */
  watchStorage(): void {
    const { storage, events } = this.#core
    let { resets } = this.health()
    const stop = storage.watchHealth?.(() => {
      const health = this.health()
      events.tell('health', { health })
      if (health.resets > resets) events.tell('store:reset', { health })
      resets = health.resets
    })
    if (stop !== undefined) this.#watchers.add(stop)
  }

  async #close(grace: { grace?: Span }): Promise<void> {
    // One that was being started may have joined meanwhile.
    while (this.#core.executors.size > 0) await this.#stopExecutors(grace)
    this.#shut = true
    this.#results.close(queueClosed())
    for (const end of this.#watchers) end()
    await this.#core.storage.close()
  }

  async #stopExecutors(grace: { grace?: Span }): Promise<void> {
    await Promise.all(Array.from(this.#core.executors, (executor) => executor.stop(grace)))
  }

  protected override async store(jobs: readonly NewJob[]): Promise<readonly EnqueuedJob[]> {
    if (jobs.length === 0) return []
    // It may have been closed while a schema was waited for.
    const { storage, environment, events } = this.open()
    const now = environment.now()
    const storing = storage.enqueue({ jobs, now })
    // Idle executors claim in the same flush: the job is stored and started by one write.
    this.wakeExecutors(jobs.map(({ type }) => type))
    const answer = await storing
    if (!answer.accepted) {
      throw fieldError(
        'HOLDFAST_ID_CONFLICT',
        'id',
        answer.id,
        `A job with id \`${answer.id}\` is stored already, with another type or payload`,
      )
    }
    const stored: readonly EnqueuedJob[] = answer.jobs.map(({ job, disposition }) =>
      Object.assign(toJob(job, now), { disposition }),
    )
    if (events.has('enqueued'))
      for (const job of stored) if (job.disposition !== 'kept') events.tell('enqueued', { job })
    return stored
  }

  /** @internal */
  protected override open(): QueueCore {
    if (this.#shut) throw queueClosed()
    return this.#core
  }

  protected override takesJobs(): void {
    this.open()
    if (!this.#workersEnabled) throw workersDisabled()
  }
}
