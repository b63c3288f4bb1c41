import type { HandlerContext } from './context.ts'
import { type HoldfastError, leaseLost } from './errors.ts'
import type { HandlerRun } from './handlers.ts'
import { type Job, toJob } from './job.ts'
import { put } from './output.ts'
import { checkedJson } from './payload.ts'
import type { JobQueue } from './queue.ts'
import type { QueueCore } from './queue-core.ts'
import type { JobRecord, LeaseRef, NewJob } from './storage/contract.ts'
import { isThenable } from './thenable.ts'

/** What a handler said it has done, on its way to the storage. */
export type Progress = LeaseRef & { readonly value: unknown }

/**
 * One run of one job: what its handler sees, and what the executor must know of it. Signal, job view and the functions
 * are made when a handler first reads them: most never do, and they cost more than the rest of a short job. Functions
 * are bound, so that a handler may take them out of the context.
 */
export class Attempt implements HandlerRun {
  record: JobRecord
  readonly #core: QueueCore
  /** The executor's. */
  readonly state: unknown
  /** Monotonic ms at which it times out. */
  expiresAt: number
  deadline: number
  /** Why its signal was aborted. */
  ending: HoldfastError | null = null
  /** When the executor stops waiting for the handler to heed the signal, monotonic ms. */
  graceEndsAt: number = Infinity
  /** Its outcome is decided; what the handler still does has no part in it. */
  settled = false
  /** Jobs to be stored with its completion; `null` once the handler has returned. */
  chained: (NewJob | Promise<NewJob>)[] | null = []
  #controller: AbortController | null = null
  #job: Job | null = null
  #queue: JobQueue | null = null
  /** What was last said of its progress, by this attempt or one before it. */
  latestProgress: unknown
  #progressSaved = true

  constructor(record: JobRecord, core: QueueCore, state: unknown) {
    this.record = record
    this.#core = core
    this.state = state
    this.latestProgress = record.progress
    this.expiresAt = core.environment.monotonic() + record.timeout
    this.deadline = (record.startedAt ?? 0) + record.timeout
  }

  get job(): Job {
    this.#job ??= toJob(this.record, this.#core.environment.now())
    return this.#job
  }

  get attempt(): number {
    return this.record.attempts
  }

  get fence(): number {
    return this.record.fence
  }

  get queue(): JobQueue {
    this.#queue ??= callingFrom(this.#core.queue, this.record.depth)
    return this.#queue
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController()
      if (this.ending !== null) this.#controller.abort(this.ending)
    }
    return this.#controller.signal
  }

  get progress(): (value: unknown) => void {
    return (value) => {
      const checked = checkedJson('progress', value, this.#core.payloadLimit)
      if (this.settled) return
      this.latestProgress = checked
      this.#progressSaved = false
      this.#core.events.tell('progress', { job: this.job, value })
    }
  }

  get log(): (message: string, fields?: Readonly<Record<string, unknown>>) => void {
    return (message, fields = {}) => {
      const { job } = this
      this.#core.log('info', message, { ...fields, job: job.id, type: job.type })
      this.#core.events.tell('log', { job, message, fields })
    }
  }

  get output(): HandlerContext['output'] {
    return (value, options = {}) =>
      // A copy here too, so that a handler does the same in every thread.
      this.tellOutput(put(value, options, (given, transfer) => structuredClone(given, { transfer: transfer as never })))
  }

  /** The value is nobody else's. */
  tellOutput(value: unknown): void {
    this.#core.events.tell('output', { job: this.job, value })
  }

  get onComplete(): HandlerContext['onComplete'] {
    return {
      enqueue: (job, payload, options) => {
        if (this.settled || this.chained === null) throw leaseLost(this.record.id)
        const prepared = this.#core.intake.prepare(job, payload, options, this.record.depth)
        // A rejection is met when the outcome is settled; until then it is not an unhandled one.
        if (isThenable(prepared)) prepared.catch(() => undefined)
        this.chained.push(prepared)
      },
    }
  }

  broughtUp(payload: unknown): void {
    this.record = { ...this.record, payload }
    this.#job = null
  }

  /** Asks the handler to end. The first reason counts. */
  abort(reason: HoldfastError, graceEndsAt: number): void {
    if (this.ending !== null) return
    this.ending = reason
    this.graceEndsAt = graceEndsAt
    this.#controller?.abort(reason)
  }

  /** Time in which nothing ran here is not counted. */
  prolong(span: number): void {
    this.expiresAt += span
    this.graceEndsAt += span
    this.deadline += span
  }

  unsavedProgress(): readonly Progress[] {
    const { id, fence } = this.record
    return this.#progressSaved || this.settled ? [] : [{ id, fence, value: this.latestProgress }]
  }

  /** What a beat has stored is not sent again, unless there is something newer. */
  progressSaved(saved: readonly Progress[]): void {
    if (saved.some(({ id, value }) => id === this.record.id && value === this.latestProgress))
      this.#progressSaved = true
  }
}

/** The queue, with functions that may be taken out of it and count on from this depth. */
function callingFrom(queue: JobQueue, depth: number): JobQueue {
  const calls: Readonly<Record<PropertyKey, unknown>> = { ...queue.from(depth) }
  return new Proxy(queue, {
    get(_target, key) {
      if (Object.hasOwn(calls, key)) return calls[key]
      const member: unknown = Reflect.get(queue, key, queue)
      return typeof member === 'function' ? (member as () => unknown).bind(queue) : member
    },
  })
}
