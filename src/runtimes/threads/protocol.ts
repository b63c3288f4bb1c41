import { CAUSE_DEPTH, describe, type ErrorDetails, HoldfastError, toErrorData } from '../../core/errors.ts'
import type { EnqueueOptions } from '../../core/intake.ts'
import { RetryLater } from '../../core/outcome.ts'
import type { ErrorData, JobRecord } from '../../core/storage/contract.ts'
import { isObject } from '../../core/storage/plain.ts'

/**
 * What an executor and its threads say to each other. Every message bears this mark; whatever else goes over the same
 * port is somebody else's, and is not read. A new version of the protocol gets a new mark.
 */
export const MARK = 'holdfast-2'

/** To a thread. */
export type ToThread =
  | { readonly kind: 'run'; readonly runs: readonly Run[] }
  | { readonly kind: 'abort'; readonly run: number; readonly reason: ThrownData }
  /** Ticks are to come so many ms apart; 0: no more of them. */
  | { readonly kind: 'tick'; readonly every: number }
  /** A comlink request, to `open` or `close` the thread, and the answer to one of the thread's. */
  | Wire

/** From a thread. */
export type FromThread =
  /** It has handlers for these types. */
  | { readonly kind: 'exposed'; readonly types: readonly string[] }
  /** It could not expose its handlers, or something outside of them threw. */
  | { readonly kind: 'broken'; readonly error: ThrownData }
  | { readonly kind: 'news'; readonly news: readonly News[] }
  | { readonly kind: 'tick' }
  /** The answer to a comlink request, and requests for the queue. */
  | Wire

export type Wire =
  | { readonly kind: 'request'; readonly message: unknown }
  | { readonly kind: 'answer'; readonly message: unknown }

/** One attempt. `run` names it between the two, since the same job may be run twice at once. */
export interface Run {
  readonly run: number
  readonly record: JobRecord
  readonly deadline: number
}

export type News = { readonly run: number } & (
  | { readonly kind: 'returned'; readonly value: unknown; readonly chained: readonly EnqueueCall[] }
  | { readonly kind: 'threw'; readonly error: ThrownData }
  | { readonly kind: 'progress'; readonly value: unknown }
  | { readonly kind: 'output'; readonly value: unknown }
  | { readonly kind: 'log'; readonly message: string; readonly fields: Readonly<Record<string, unknown>> }
)

/** An enqueue that a handler asks for. Definitions hold functions, so the executor's side looks the type up. */
export interface EnqueueCall {
  /** `null`: what was given is no job, and the executor's side says so. */
  readonly type: string | null
  /** Whether a definition was given, and not its name: the executor has to know it then. */
  readonly defined: boolean
  readonly payload: unknown
  readonly options?: EnqueueOptions
}

/** An error as data, and what class of ours it was of, if any. */
export interface ThrownData extends ErrorData {
  readonly ours?: 'HoldfastError' | 'RetryLater'
  /** Of a HoldfastError. */
  readonly details?: ErrorDetails
  /** Of a RetryLater, ms. */
  readonly after?: number
}

export function thrownData(thrown: unknown): ThrownData {
  const data = toErrorData(thrown)
  if (RetryLater.is(thrown)) return { ...data, ours: 'RetryLater', after: thrown.after }
  if (!HoldfastError.is(thrown)) return data
  const { issues, ...details } = thrown.details
  const told = { ...cloneables(details), ...(issues === undefined ? {} : { issues: issues.map(cloneable) }) }
  return { ...data, ours: 'HoldfastError', details: told }
}

/** What cannot be sent is said in words: nobody's job is to fail for what it logs, or for the value of a bad option. */
export function cloneable(value: unknown): unknown {
  try {
    return structuredClone(value)
  } catch {
    return describe(value)
  }
}

/** Of each property what can be sent. */
export function cloneables(values: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, cloneable(value)]))
}

/**
 * The error again: of our own classes those that decide what becomes of a job, with their details, and else a plain Error
 * that bears name, code and stack of the one that was thrown. No class is ever looked up by its name. Never throws, whatever it is given:
 * nobody would catch it. [tests/runtimes/pool.test.ts]
 */
export function revived(data: unknown, depth = 0): Error {
  const { ours, after, name, message, code, stack, cause, details } = Object(data) as Partial<
    Record<keyof ThrownData, unknown>
  >
  const text = typeof message === 'string' ? message : 'A thread told of an error that cannot be read'
  if (ours === 'RetryLater') return snooze(after, text)
  const options = isObject(cause) && depth < CAUSE_DEPTH ? { cause: revived(cause, depth + 1) } : {}
  const error =
    ours === 'HoldfastError' && typeof code === 'string'
      ? new HoldfastError(code as HoldfastError['code'], text, {
          ...options,
          ...(isObject(details) ? { details } : {}),
        })
      : new Error(text, options)
  // What was thrown without a stack, a text for instance, was not thrown here either.
  const own = { name, code, stack: typeof stack === 'string' ? stack : undefined }
  for (const [key, value] of Object.entries(own))
    if (typeof value === 'string' || key === 'stack')
      Object.defineProperty(error, key, { value, configurable: true, writable: true })
  return error
}

/** A span that is none makes an error of it. */
function snooze(after: unknown, message: string): Error {
  try {
    return new RetryLater({ after: after as number, message })
  } catch (error) {
    return error as Error
  }
}

/** A message of this protocol as it was sent, with the mark taken off; `null` for anything else. */
export function unmarked(data: unknown): Readonly<Record<string, unknown>> | null {
  return isObject(data) && MARK in data && isObject(data[MARK]) ? data[MARK] : null
}

export function marked(message: ToThread | FromThread): Readonly<Record<string, unknown>> {
  return { [MARK]: message }
}
