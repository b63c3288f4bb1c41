import type { HandlerContext, HandlerQueue } from '../../core/context.ts'
import { leaseLost } from '../../core/errors.ts'
import { type HandlerRun, runHandler } from '../../core/handlers.ts'
import type { EnqueueOptions } from '../../core/intake.ts'
import type { BoundHandler } from '../../core/definition.ts'
import { type Job, toJob } from '../../core/job.ts'
import { put } from '../../core/output.ts'
import { checkedJson } from '../../core/payload.ts'
import { isThenable } from '../../core/thenable.ts'
import type { JobRecord } from '../../core/storage/contract.ts'
import {
  type FromThread,
  type News,
  type Run,
  thrownData,
  cloneable,
  cloneables,
  objectsIn,
} from '../threads/protocol.ts'
import { type Outgoing, outgoing } from './remote-queue.ts'

export interface HandlerRunsOptions {
  readonly handlers: ReadonlyMap<string, BoundHandler>
  /** The queue for a handler whose job so many automations led to. */
  readonly queue: (depth: number) => HandlerQueue
  /** `moved` leaves this thread with the message. */
  readonly post: (message: FromThread, moved?: readonly unknown[]) => void
}

/** The handlers that run in this thread. */
export class HandlerRuns {
  readonly queue: HandlerRunsOptions['queue']
  state: unknown
  payloadLimit = 0
  readonly #options: HandlerRunsOptions
  readonly #runs = new Map<number, RemoteAttempt>()
  #outbox: News[] = []
  /** The bytes that leave with the outbox. */
  #moved: ArrayBuffer[] = []

  constructor(options: HandlerRunsOptions) {
    this.#options = options
    this.queue = options.queue
  }

  open(state: unknown, payloadLimit: number): void {
    this.state = state
    this.payloadLimit = payloadLimit
  }

  start(runs: readonly Run[]): void {
    for (const run of runs) this.#start(run)
  }

  abort(run: unknown, reason: Error): void {
    this.#runs.get(run as number)?.abort(reason)
  }

  /** The deadlines of these runs are others now. */
  prolong(deadlines: unknown): void {
    for (const { run, deadline } of objectsIn(deadlines)) {
      const attempt = this.#runs.get(run as number)
      if (attempt !== undefined && typeof deadline === 'number') attempt.deadline = deadline
    }
  }

  has(run: number): boolean {
    return this.#runs.has(run)
  }

  /** At once, also when the handler does not yield afterwards. */
  tell(news: News): void {
    this.#outbox.push(news)
    this.#flush()
  }

  /** Alone, since what cannot be sent must not take the news of others along. */
  output(run: number, value: unknown, transfer: readonly object[]): void {
    this.#flush()
    this.#options.post({ kind: 'news', news: [{ run, kind: 'output', value }] }, transfer)
  }

  #start({ run, record, deadline }: Run): void {
    const attempt = new RemoteAttempt(run, record, deadline, this)
    this.#runs.set(run, attempt)
    try {
      const returned = runHandler(this.#options.handlers.get(record.type) as BoundHandler, attempt)
      if (isThenable(returned)) {
        returned.then(
          (value) => this.#returned(attempt, value),
          (error: unknown) => this.#threw(attempt, error),
        )
      } else this.#returned(attempt, returned)
    } catch (error) {
      this.#threw(attempt, error)
    }
  }

  /** A result is checked here, since cloning would make something else of what is no JSON. */
  #returned({ run, chained }: RemoteAttempt, returned: unknown): void {
    if (!this.#runs.has(run)) return
    try {
      const value = checkedJson('result', returned, this.payloadLimit)
      if (chained.length === 0) return this.#end({ run, kind: 'returned', value })
      this.#moved.push(...chained.flatMap(({ bytes }) => bytes))
      this.#end({ run, kind: 'returned', value, chained: chained.map(({ call }) => call) })
    } catch (error) {
      this.#end({ run, kind: 'threw', error: thrownData(error) })
    }
  }

  #threw({ run }: RemoteAttempt, error: unknown): void {
    if (this.#runs.has(run)) this.#end({ run, kind: 'threw', error: thrownData(error) })
  }

  /** Handlers that end in the same turn are told of in one message. */
  #end(news: News): void {
    this.#runs.delete(news.run)
    if (this.#outbox.length === 0) void Promise.resolve().then(() => this.#flush())
    this.#outbox.push(news)
  }

  #flush(): void {
    const [news, moved] = [this.#outbox, this.#moved]
    this.#outbox = []
    this.#moved = []
    if (news.length > 0) this.#options.post({ kind: 'news', news }, moved)
  }
}

/** What a handler sees of its job here. Made as lazily as the executor's own; functions may be taken out of it. */
class RemoteAttempt implements HandlerRun {
  readonly run: number
  deadline: number
  readonly chained: Outgoing[] = []
  record: JobRecord
  readonly #runs: HandlerRuns
  #job: Job | null = null
  #queue: HandlerQueue | null = null
  #controller: AbortController | null = null
  #ending: Error | null = null

  constructor(run: number, record: JobRecord, deadline: number, runs: HandlerRuns) {
    this.run = run
    this.record = record
    this.deadline = deadline
    this.#runs = runs
  }

  get job(): Job {
    this.#job ??= toJob(this.record, Date.now())
    return this.#job
  }

  get attempt(): number {
    return this.record.attempts
  }

  get fence(): number {
    return this.record.fence
  }

  get state(): unknown {
    return this.#runs.state
  }

  get queue(): HandlerQueue {
    this.#queue ??= this.#runs.queue(this.record.depth)
    return this.#queue
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController()
      if (this.#ending !== null) this.#controller.abort(this.#ending)
    }
    return this.#controller.signal
  }

  get progress(): HandlerContext['progress'] {
    return (value) => {
      this.#runs.tell({
        run: this.run,
        kind: 'progress',
        value: checkedJson('progress', value, this.#runs.payloadLimit),
      })
    }
  }

  get log(): HandlerContext['log'] {
    return (message, fields = {}) => {
      // A message that is no text may be what cannot be sent, and would take the others of its turn along.
      this.#runs.tell({
        run: this.run,
        kind: 'log',
        message: cloneable(message) as string,
        fields: cloneables(fields),
      })
    }
  }

  get output(): HandlerContext['output'] {
    return (value, options = {}) =>
      put(value, options, (given, transfer) => this.#runs.output(this.run, given, transfer))
  }

  get onComplete(): HandlerContext['onComplete'] {
    return {
      enqueue: (job: unknown, payload: unknown, options?: EnqueueOptions) => {
        if (!this.#runs.has(this.run)) throw leaseLost(this.record.id)
        this.chained.push(outgoing(job, payload, options))
      },
    }
  }

  broughtUp(payload: unknown): void {
    this.record = { ...this.record, payload }
    this.#job = null
  }

  abort(reason: Error): void {
    this.#ending ??= reason
    this.#controller?.abort(reason)
  }
}
