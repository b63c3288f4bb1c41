import type { Attempt } from '../../core/attempt.ts'
import type { CancelTimer } from '../../core/environment.ts'
import { describe, type ErrorDetails, HoldfastError } from '../../core/errors.ts'
import { waitAtMost } from '../../core/expiry.ts'
import type { RunnerHost } from '../../core/runner.ts'
import { isObject } from '../../core/storage/plain.ts'
import { answering, type Calls, calling } from './calls.ts'
import type { Connect, Port } from './port.ts'
import {
  type EnqueueCall,
  marked,
  objectsIn,
  revived,
  type Run,
  runMessage,
  thrownData,
  type ToThread,
  unmarked,
} from './protocol.ts'
import { enqueueFor, queueFunctions } from './queue-functions.ts'

export interface ThreadOptions {
  readonly host: RunnerHost
  readonly connect: Connect
  /** How long it may take from the spawn until it can run handlers. ms */
  readonly readyWithin: number
  /** It is ready, is being ended, or is over. */
  readonly changed: (thread: Thread) => void
}

/** How long a thread may take to dispose of its state before it is ended. ms */
const CLOSE_WITHIN = 5000

/**
 * One thread, seen by the executor.
 *
 *     starting ──exposed, opened──▶ ready ──kill──▶ ending ──▶ over
 *         └────────────── it fails, or dies ──────────────────▲
 *
 * What it held when it was over is told to be gone: by its death, or (after `kill`) for another's sake. Runs are named
 * by numbers that are not used again, so an answer that comes twice, or after the end, is nobody's.
 */
export class Thread {
  state: 'starting' | 'ready' | 'ending' | 'over' = 'starting'
  /** Rejects when the thread is over before it was ready. */
  readonly ready: Promise<void>
  /** How many runs have come to their end here. */
  answered = 0
  /** Why it is over; `null` when that was asked of it. */
  cause: HoldfastError | null = null
  readonly #options: ThreadOptions
  readonly #runs = new Map<number, Attempt>()
  readonly #over: Promise<void>
  readonly #calls: Calls
  readonly #answer: (request: unknown) => void
  #port: Port | null = null
  #names = 0
  #outbox: Run[] = []
  #end: () => void = () => undefined
  #becomeReady: () => void = () => undefined
  #fail: (error: HoldfastError) => void = () => undefined
  #cancelDeadline: CancelTimer = () => undefined

  constructor(options: ThreadOptions) {
    this.#options = options
    this.#over = new Promise((resolve) => (this.#end = resolve))
    this.ready = new Promise((resolve, reject) => {
      this.#becomeReady = resolve
      this.#fail = reject
    })
    this.ready.catch(() => undefined)
    this.#calls = calling((message) => this.#post(message))
    this.#answer = answering(queueFunctions(options.host), (message) => this.#post(message))
    this.#start()
  }

  get running(): number {
    return this.#runs.size
  }

  holds(attempt: Attempt): boolean {
    return this.#nameOf(attempt) !== null
  }

  /** Runs that are given in one turn go over in one message. */
  run(attempt: Attempt): void {
    const run = ++this.#names
    if (this.#runs.size === 0) this.#port?.keep(true)
    this.#runs.set(run, attempt)
    if (this.#outbox.length === 0) void Promise.resolve().then(() => this.#flush())
    this.#outbox.push({ run, record: attempt.record, deadline: attempt.deadline })
  }

  abort(attempt: Attempt): void {
    const run = this.#nameOf(attempt)
    if (run === null) return
    this.#flush()
    this.#post({ kind: 'abort', run, reason: thrownData(attempt.ending) })
  }

  /** Tells its handlers their deadlines, which have moved. */
  prolonged(): void {
    if (this.#runs.size === 0) return
    this.#flush()
    this.#post({ kind: 'deadlines', deadlines: [...this.#runs].map(([run, { deadline }]) => ({ run, deadline })) })
  }

  /** Ends it, whatever it does. What it still says until then counts. */
  kill(): void {
    if (this.state === 'ending' || this.state === 'over') return
    this.state = 'ending'
    const ended = this.#terminate()
    this.#options.changed(this)
    void ended.then(() => this.#finish(null))
  }

  /** Lets it dispose of its state, then ends it. */
  async close(): Promise<void> {
    const { environment, errors } = this.#options.host
    if (this.state === 'starting') this.#finish(stopped())
    if (this.state === 'ready' && this.#runs.size === 0) {
      this.#port?.keep(true)
      const disposed = this.#calls.call('close').then(() => undefined, errors.once)
      await waitAtMost(environment, CLOSE_WITHIN, disposed, this.#over)
    }
    this.kill()
    await waitAtMost(environment, CLOSE_WITHIN, this.#over)
  }

  #start(): void {
    const { connect, readyWithin, host } = this.#options
    const late = (): void =>
      this.#finish(
        notReady(`it could not run handlers within ${readyWithin} ms`, { field: 'readyWithin', value: readyWithin }),
      )
    this.#cancelDeadline = host.environment.startTimer(late, readyWithin, false)
    try {
      this.#port = connect({
        message: (data) => this.#receive(data),
        died: (cause) => this.#died(cause),
      })
    } catch (error) {
      // After the constructor has handed out the thread.
      const none = notReady('`spawn` gave none, see the cause', { field: 'spawn()' }, error)
      void Promise.resolve().then(() => this.#finish(none))
    }
  }

  #receive(data: unknown): void {
    const message = unmarked(data)
    if (message === null || this.state === 'over') return
    switch (message.kind) {
      case 'exposed':
        return this.#exposed(objectsIn(message.handlers))
      case 'broken':
        return this.#died(revived(message.error))
      case 'news':
        for (const news of objectsIn(message.news)) this.#hear(news)
        return
      case 'request':
        return this.#answer(message.message)
      case 'answer':
        return this.#calls.receive(message.message)
    }
  }

  /**
   * A handler of an older version would be given payloads that it does not know. One of a newer version brings up in its
   * thread what is claimed here.
   */
  #exposed(handlers: readonly Versioned[]): void {
    const { host } = this.#options
    if (this.state !== 'starting') return
    const versions = new Map(handlers.map(({ type, version }) => [type, typeof version === 'number' ? version : 0]))
    const missing = [...host.definitions.values()].filter(({ type, version }) => (versions.get(type) ?? 0) < version)
    if (missing.length > 0) {
      const what = `it has no handler for ${listed(missing)}; it has them for: ${listed(handlers)}`
      return this.#finish(notReady(what, { field: 'handlers', value: handlers }))
    }
    this.#calls.call('open', { payloadLimit: host.payloadLimit }).then(
      () => this.#opened(),
      (error: unknown) => this.#finish(notReady('its setup() threw', { field: 'setup()' }, error)),
    )
  }

  #opened(): void {
    if (this.state !== 'starting') return
    this.#cancelDeadline()
    this.state = 'ready'
    this.#port?.keep(false)
    this.#becomeReady()
    this.#options.changed(this)
  }

  /** One piece of news of one run. What does not fit is not heard; a run of which nothing is heard times out. */
  #hear(news: Readonly<Record<string, unknown>>): void {
    const { run, kind } = news
    const attempt = this.#runs.get(run as number)
    if (attempt === undefined) return
    const { ends, errors } = this.#options.host
    try {
      if (kind === 'progress') return attempt.progress(news.value)
      if (kind === 'output') return attempt.tellOutput(news.value)
      if (kind === 'log') return attempt.log(String(news.message), isObject(news.fields) ? news.fields : {})
    } catch (error) {
      return errors.once(error)
    }
    if (kind !== 'returned' && kind !== 'threw') return
    this.answered += 1
    errors.over()
    this.#runs.delete(run as number)
    if (this.#runs.size === 0) this.#port?.keep(false)
    if (kind === 'threw') return ends.threw(attempt, revived(news.error))
    try {
      for (const call of (news.chained ?? []) as readonly EnqueueCall[])
        enqueueFor(this.#options.host, call, attempt.onComplete.enqueue)
    } catch (error) {
      return ends.threw(attempt, error)
    }
    ends.returned(attempt, news.value)
  }

  #died(cause: unknown): void {
    if (this.state === 'starting') this.#finish(notReady('it ended before it was ready', { field: 'spawn()' }, cause))
    else if (this.state === 'ending') this.#finish(null)
    else this.#finish(new HoldfastError('HOLDFAST_WORKER_DIED', 'worker died', { cause }))
  }

  #finish(cause: HoldfastError | null): void {
    if (this.state === 'over') return
    this.state = 'over'
    this.cause = cause
    this.#cancelDeadline()
    this.#outbox = []
    void this.#terminate().then(this.#end)
    this.#fail(cause ?? stopped())
    const attempts = [...this.#runs.values()]
    this.#options.changed(this)
    this.#runs.clear()
    for (const attempt of attempts) this.#options.host.ends.gone(attempt, cause)
    this.#calls.cut()
  }

  /** Whatever a platform does at a termination, it is none of the user's. */
  async #terminate(): Promise<void> {
    await this.#port?.terminate().catch(() => undefined)
  }

  #flush(): void {
    const runs = this.#outbox
    this.#outbox = []
    if (runs.length > 0 && this.state === 'ready') this.#give(runs)
  }

  /** A payload that cannot go over is no harm to those beside it. */
  #give(runs: readonly Run[]): void {
    try {
      this.#post(runMessage(runs))
    } catch (error) {
      if (runs.length > 1) for (const run of runs) this.#give([run])
      else for (const { run } of runs) this.#hear({ run, kind: 'threw', error: thrownData(error) })
    }
  }

  #post(message: ToThread): void {
    this.#port?.post(marked(message))
  }

  #nameOf(attempt: Attempt): number | null {
    for (const [run, other] of this.#runs) if (other === attempt) return run
    return null
  }
}

interface Versioned {
  readonly type?: unknown
  readonly version?: unknown
}

function listed(handlers: readonly Versioned[]): string {
  return handlers.map(({ type, version }) => `${describe(type)} of version ${describe(version)}`).join(', ')
}

/** `details`: which of the things that a user gives is to be mended, unless the cause says it itself. */
function notReady(what: string, details: ErrorDetails, cause?: unknown): HoldfastError {
  return new HoldfastError('HOLDFAST_WORKER_NOT_READY', `A worker cannot run the jobs: ${what}`, {
    details: { ...details, ...(HoldfastError.is(cause) && cause.details) },
    cause,
  })
}

function stopped(): HoldfastError {
  return new HoldfastError('HOLDFAST_STOPPING', 'The executor was stopped before its workers were ready')
}
