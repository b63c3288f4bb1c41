import { type Environment, idMaker, systemEnvironment } from './environment.ts'
import { fieldError, HoldfastError, invalidOption, queueClosed } from './errors.ts'
import { type EventName, Events, type Listener } from './events.ts'
import { Executor, type ExecutorOptions } from './executor.ts'
import { checkDefinition, type EnqueueOptions, Intake } from './intake.ts'
import { byType } from './handlers.ts'
import { type Job, type JobDefinition, toJob } from './job.ts'
import { JobList, type ListOptions } from './listing.ts'
import { type Logger, SILENT } from './logger.ts'
import {
  abortSignal,
  atLeast0,
  boolean,
  callable,
  integer,
  knownOptions,
  name,
  readOptions,
  type Span,
  spanToMs,
} from './options.ts'
import { DEFAULT_PAYLOAD_LIMIT, MOST_PAYLOAD_LIMIT } from './payload.ts'
import { type KeptFor, type RetentionOptions, retentionRules } from './pruner.ts'
import type { QueueCore } from './queue-core.ts'
import { type JobResult, Results } from './results.ts'
import type { Amendment, Disposition, JobCounts, NewJob, StorageAdapter } from './storage/contract.ts'
import { isObject } from './storage/plain.ts'
import { type ChangeEvent, ChangeStream, untilIdle } from './watching.ts'

export type { EnqueueOptions } from './intake.ts'

export interface QueueOptions<Jobs extends readonly JobDefinition[] = readonly JobDefinition[]> {
  readonly storage: StorageAdapter
  /** The jobs of this queue. With it, enqueuing another name is `HOLDFAST_UNKNOWN_JOB`; names are typed. */
  readonly jobs?: Jobs
  /** Default true. When false, `enqueue` and all that would enqueue fail with `HOLDFAST_WORKERS_DISABLED`. */
  readonly workersEnabled?: boolean
  /** How long finished jobs are kept. */
  readonly retention?: RetentionOptions
  /** How often a session may die under a job before the job is failed, from 0. Default 3. */
  readonly maxInterruptions?: number
  /** The most bytes of a payload or result as JSON, 1 to 524,288. Default 262,144. */
  readonly payloadLimit?: number
  /** Default: writes nothing. */
  readonly logger?: Logger
  /** Clock, randomness, timers and conditions, to replace some of the platform's own. */
  readonly environment?: Partial<Environment>
}

const DEFAULT_INTERRUPTIONS = 3

/** A job as it was when it was accepted. */
export interface EnqueuedJob<Payload = unknown> extends Job<Payload> {
  /** What the call did: stored a new job, updated the one that holds its key, or left that one as it was. */
  readonly disposition: Disposition
}

/** One item of `enqueueMany`. */
export interface EnqueueItem {
  readonly job: JobDefinition | string
  readonly payload?: unknown
  readonly options?: EnqueueOptions
}

type Definitions = readonly JobDefinition[]

/** A definition, or the name of one of the queue's jobs. */
export type JobReference<Jobs extends Definitions> = JobDefinition | Jobs[number]['type']

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
 * @throws HOLDFAST_INVALID_OPTION, HOLDFAST_DUPLICATE_JOB for two definitions of one type,
 * HOLDFAST_CONTRACT_VERSION for a storage made for another version, and what the storage throws when it opens
 */
export async function openQueue<const Jobs extends Definitions = Definitions>(
  options: QueueOptions<Jobs>,
): Promise<JobQueue<Jobs>> {
  const queue = new JobQueue<Jobs>(options)
  await options.storage.open()
  return queue
}

function checkStorage(field: string, value: unknown): StorageAdapter {
  const storage = value as Partial<StorageAdapter> | null
  if (typeof storage?.open !== 'function')
    throw invalidOption(field, 'a storage adapter, for instance memory()', storage)
  if ((storage.contract as number) !== 1) {
    throw new HoldfastError(
      'HOLDFAST_CONTRACT_VERSION',
      `The ${storage.name} storage is made for contract ${storage.contract}, this version of holdfast for contract 1`,
    )
  }
  return storage as StorageAdapter
}

function payloadLimitOf(field: string, value: unknown): number {
  return integer(field, value, 1, MOST_PAYLOAD_LIMIT)
}

function definitionsOf(field: string, jobs: unknown): ReadonlyMap<string, JobDefinition> {
  if (!Array.isArray(jobs)) throw invalidOption(field, 'an array of definitions', jobs)
  return byType(field, jobs.map(checkDefinition))
}

/** The platform's seams, and in place of some of them the user's. */
function environmentOf(field: string, value: unknown): Environment {
  const system = systemEnvironment()
  // It may be an instance of a class, as a manual clock is: what it has beyond the seams is its own.
  if (!isObject(value) || Object.getPrototypeOf(value) === Object.prototype)
    knownOptions(field, value, Object.keys(system))
  const given = value as Readonly<Record<string, unknown>>
  for (const seam of Object.keys(system)) if (seam in given) callable(`${field}.${seam}`, given[seam])
  return { ...system, ...given }
}

function checkLogger(field: string, value: unknown): Logger {
  for (const level of Object.keys(SILENT))
    callable(`${field}.${level}`, (value as Readonly<Record<string, unknown>> | null)?.[level])
  return value as Logger
}

const QUEUE_OPTIONS = {
  storage: checkStorage,
  jobs: definitionsOf,
  workersEnabled: boolean,
  retention: (_field: string, value: unknown): readonly KeptFor[] => retentionRules(value as RetentionOptions),
  maxInterruptions: atLeast0,
  payloadLimit: payloadLimitOf,
  logger: checkLogger,
  environment: environmentOf,
}

/** Where jobs are enqueued, seen and steered. Made by `openQueue`. */
export class JobQueue<Jobs extends Definitions = Definitions> {
  readonly #core: QueueCore
  readonly #results: Results
  readonly #streams = new Set<ChangeStream>()
  readonly #workersEnabled: boolean
  #closing: Promise<void> | null = null

  /** @internal */
  constructor(options: QueueOptions<Jobs>) {
    const {
      storage = checkStorage('storage', undefined),
      jobs: definitions = null,
      workersEnabled = true,
      retention = retentionRules(),
      maxInterruptions = DEFAULT_INTERRUPTIONS,
      payloadLimit = DEFAULT_PAYLOAD_LIMIT,
      logger = SILENT,
      environment = systemEnvironment(),
    } = readOptions('openQueue', options, QUEUE_OPTIONS, '')
    const events = new Events(environment.report)
    const newId = idMaker(environment)
    this.#workersEnabled = workersEnabled
    this.#results = new Results(storage, environment)
    this.#core = {
      queue: this,
      storage,
      environment,
      events,
      logger,
      newId,
      payloadLimit,
      executors: new Set(),
      intake: new Intake({ environment, newId, payloadLimit, maxInterruptions, definitions }),
      retention,
      onError: (service) => (error) => {
        // The logger is the user's: when it throws, the service goes on all the same.
        try {
          logger.error(`The ${service} service met an error`, { error })
        } catch (cause) {
          environment.report(cause)
        }
        if (events.has('error')) events.tell('error', { error, service })
        else if (logger === SILENT) environment.report(error)
      },
    }
  }

  /**
   * Stores a job; once this resolves it survives what the storage's durability says. Takes a definition, or the name
   * of one.
   *
   * @throws HOLDFAST_INVALID_OPTION, HOLDFAST_UNKNOWN_JOB, HOLDFAST_SCHEMA_MISMATCH, HOLDFAST_INVALID_PAYLOAD,
   * HOLDFAST_PAYLOAD_TOO_LARGE, HOLDFAST_ID_CONFLICT, HOLDFAST_WORKERS_DISABLED, HOLDFAST_QUEUE_CLOSED;
   * in each case nothing was stored
   */
  async enqueue<const Reference extends JobReference<Jobs>>(
    job: Reference,
    payload: PayloadFor<Reference, Jobs>,
    options?: EnqueueOptions,
  ): Promise<EnqueuedJob> {
    this.#assertTakesJobs()
    const prepared = this.#core.intake.prepare(job, payload, options)
    const [stored] = await this.#store([prepared instanceof Promise ? await prepared : prepared])
    return stored as EnqueuedJob
  }

  /** Stores many jobs, all or none, as the calls one after another would. Answers in order. Throws as `enqueue` does. */
  async enqueueMany(items: readonly EnqueueItem[]): Promise<readonly EnqueuedJob[]> {
    this.#assertTakesJobs()
    if (!Array.isArray(items)) throw invalidOption('items', 'an array of { job, payload, options }', items)
    const prepared = (items as readonly EnqueueItem[]).map((item) => {
      knownOptions('items[]', item, ['job', 'payload', 'options'])
      const job = this.#core.intake.prepare(item.job, item.payload, item.options)
      // When a later item throws at once, nobody will wait for this one.
      if (job instanceof Promise) job.catch(() => undefined)
      return job
    })
    if (prepared.length === 0) return []
    const late = prepared.some((job) => job instanceof Promise)
    return this.#store(late ? await Promise.all(prepared.map((job) => Promise.resolve(job))) : (prepared as NewJob[]))
  }

  /** `null` when there is no such job: never stored, removed, or gone by retention. */
  async get(id: string): Promise<Job | null> {
    const { storage, environment } = this.#open()
    const [record] = await storage.get([name('id', id)])
    if (record === undefined || record === null) return null
    const sessions = record.state === 'running' ? await storage.sessions() : []
    return toJob(record, environment.now(), sessions.find((session) => session.id === record.session)?.lastBeat)
  }

  /** Jobs that fit: iterate them, or read one `page()` at a time. */
  list(options: ListOptions = {}): JobList {
    const { storage, environment } = this.#open()
    return new JobList(storage, environment.now, options)
  }

  async counts(): Promise<JobCounts> {
    const { storage, environment } = this.#open()
    return storage.counts({ now: environment.now() })
  }

  /** How the job ended, as soon as it has; whoever runs it, and across reloads. Rejects only with the signal's reason. */
  async result(id: string, options: { signal?: AbortSignal } = {}): Promise<JobResult> {
    const { signal } = readOptions('result', options, { signal: abortSignal })
    this.#open()
    return this.#results.wait(name('id', id), signal)
  }

  /**
   * A waiting job is cancelled at once. A running one gets its signal aborted, in this context now, elsewhere with its
   * next heartbeat, and is cancelled when its handler ends, unless it completes all the same. Answers the job as it is then, `null` when there was
   * nothing to cancel.
   */
  async cancel(id: string, reason = 'cancelled'): Promise<Job | null> {
    const [job] = await this.#amend([{ kind: 'cancel', id: name('id', id), reason: name('reason', reason, 1000) }])
    if (job?.status === 'running') for (const executor of this.#core.executors) executor.cancel(id, reason)
    return job ?? null
  }

  /** Failed, cancelled or waiting jobs become due now, their counters at 0, history and fence kept. Answers those changed. */
  async retry(ids: readonly string[]): Promise<readonly Job[]> {
    if (!Array.isArray(ids)) throw invalidOption('ids', 'an array of ids', ids)
    const runAt = this.#core.environment.now()
    const jobs = await this.#amend(
      (ids as readonly string[]).map((id) => ({ kind: 'requeue', id: name('ids[]', id), runAt, delay: null })),
    )
    this.wakeExecutors(jobs.map(({ type }) => type))
    return jobs
  }

  /**
   * Resolves when nothing is due and nothing runs. Jobs that wait for their time (delayed, or between retries) do not
   * hold it up unless `includeScheduled` is true.
   */
  async idle(options: { signal?: AbortSignal; includeScheduled?: boolean } = {}): Promise<void> {
    const { signal, includeScheduled = false } = readOptions(
      'idle',
      options,
      { signal: abortSignal, includeScheduled: boolean },
      '',
    )
    const { storage, environment } = this.#open()
    return untilIdle(storage, environment, signal, includeScheduled)
  }

  createExecutor(options: ExecutorOptions): Executor {
    this.#open()
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
    const { storage } = this.#open()
    const stream = new ChangeStream(storage, signal, (ended) => this.#streams.delete(ended))
    this.#streams.add(stream)
    return stream
  }

  /** Stops this queue's executors (`grace` as in `executor.stop`), then closes the storage. Calling it again waits too. */
  close(options: { grace?: Span } = {}): Promise<void> {
    readOptions('close', options, { grace: spanToMs })
    this.#closing ??= this.#close(options)
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#closing !== null
  }

  /** @internal */
  wakeExecutors(types: readonly string[]): void {
    for (const executor of this.#core.executors) executor.wake(types)
  }

  async #close(options: { grace?: Span }): Promise<void> {
    const { executors, storage } = this.#core
    // One that was being started may have joined meanwhile.
    while (executors.size > 0) await Promise.all([...executors].map((executor) => executor.stop(options)))
    this.#results.close(queueClosed())
    for (const stream of this.#streams) void stream.return()
    await storage.close()
  }

  async #store(jobs: readonly NewJob[]): Promise<readonly EnqueuedJob[]> {
    const { storage, environment, events } = this.#core
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

  async #amend(batch: readonly Amendment[]): Promise<readonly Job[]> {
    const { storage, environment } = this.#open()
    const now = environment.now()
    const answers = await storage.amend({ batch, now })
    return answers.flatMap(({ verdict, jobs }) => (verdict === 'ok' ? jobs.map((record) => toJob(record, now)) : []))
  }

  #open(): QueueCore {
    if (this.#closing !== null) throw queueClosed()
    return this.#core
  }

  #assertTakesJobs(): void {
    this.#open()
    if (!this.#workersEnabled) throw workersDisabled()
  }
}

function workersDisabled(): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_WORKERS_DISABLED',
    'The queue was opened with `workersEnabled: false`: nothing would run its jobs',
  )
}
