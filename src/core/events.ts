import { invalidOption } from './errors.ts'
import type { Job } from './job.ts'
import { callable } from './options.ts'
import { guarded } from './thenable.ts'
import type { ErrorData, StorageHealth } from './storage/contract.ts'

/**
 * What `queue.on` tells: this context only, once each, after the storage has acknowledged it. The event is named for
 * what became of the job: an attempt that threw after somebody asked that the job be cancelled is told as `cancelled`,
 * one whose key a newer job took as `failed`, and so is a completion whose chained job could not be stored. What the
 * reaper, the pruner or a call of this queue ends is told by the same names.
 */
export interface QueueEvents {
  enqueued: { readonly job: Job }
  started: { readonly job: Job }
  /** Not stored yet when told; the next heartbeat stores it, at the latest the outcome. */
  progress: { readonly job: Job; readonly value: unknown }
  log: { readonly job: Job; readonly message: string; readonly fields: Readonly<Record<string, unknown>> }
  /** What a handler hands out by `ctx.output`; it is stored nowhere. An attempt that is made again does so again. */
  output: { readonly job: Job; readonly value: unknown }
  completed: { readonly job: Job }
  /** The attempt failed and the job waits for another. */
  retrying: { readonly job: Job; readonly error: ErrorData; readonly runAt: number }
  failed: { readonly job: Job; readonly error: ErrorData }
  cancelled: { readonly job: Job; readonly reason: string }
  /** The attempt was given back, counted as nothing: a snooze, or a stop in good order. */
  released: { readonly job: Job }
  /** This executor no longer holds the job; what its handler still does changes nothing in the queue. */
  lost: { readonly job: Job }
  /** The job waits again: the reaper or `forceRelease` took it from its session, or the worker died that ran it here. */
  interrupted: { readonly job: Job }
  /** A background service met an error and goes on. Each one: the logger is told of the first of a kind, and of the end. */
  error: { readonly error: unknown; readonly service: string }
  /** The storage is in another state than before, or has another cause, more damage or weaker writes. */
  health: { readonly health: StorageHealth }
  /** The data is gone, or another's: somebody cleared it. What this context knew of jobs is no longer true. */
  'store:reset': { readonly health: StorageHealth }
}

export type EventName = keyof QueueEvents

const EVENT_NAMES: readonly string[] = [
  'enqueued',
  'started',
  'progress',
  'log',
  'output',
  'completed',
  'retrying',
  'failed',
  'cancelled',
  'released',
  'lost',
  'interrupted',
  'error',
  'health',
  'store:reset',
] satisfies EventName[]

export type Listener<Name extends EventName> = (event: QueueEvents[Name]) => void

/** Listeners by event. One that throws is reported and does not disturb the queue or the others. */
export class Events {
  readonly #listeners = new Map<EventName, Set<{ readonly listener: (event: never) => void }>>()
  readonly #report: (error: unknown) => void

  constructor(report: (error: unknown) => void) {
    this.#report = report
  }

  /** Returns the function that removes the listener: of one that was added twice, this time of the two. */
  on<Name extends EventName>(name: Name, listener: Listener<Name>): () => void {
    if (!EVENT_NAMES.includes(name)) throw invalidOption('event', `one of ${EVENT_NAMES.join(', ')}`, name)
    callable('listener', listener)
    let listeners = this.#listeners.get(name)
    if (listeners === undefined) {
      listeners = new Set()
      this.#listeners.set(name, listeners)
    }
    const entry = { listener }
    listeners.add(entry)
    return () => void listeners.delete(entry)
  }

  /** Whether telling is worth making the event. */
  has(name: EventName): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0
  }

  tell<Name extends EventName>(name: Name, event: QueueEvents[Name]): void {
    for (const { listener } of this.#listeners.get(name) ?? [])
      guarded(() => (listener as (event: QueueEvents[Name]) => unknown)(event), this.#report)
  }
}
