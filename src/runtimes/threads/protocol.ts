import type { JobDefinition } from '../../core/definition.ts'
import { CAUSE_DEPTH, describe, type ErrorDetails, HoldfastError, toErrorData } from '../../core/errors.ts'
import type { EnqueueOptions } from '../../core/intake.ts'
import { RetryLater } from '../../core/outcome.ts'
import type { ErrorData, JobRecord } from '../../core/storage/contract.ts'
import { isObject } from '../../core/storage/plain.ts'

/**
 * What an executor and its threads say to each other. Every message bears this mark; whatever else goes over the same
 * port is somebody else's, and is not read. A new version of the protocol gets a new mark.
 */
export const MARK = 'holdfast-4'

/** To a thread. */
export type ToThread =
  | RunMessage
  | { readonly kind: 'abort'; readonly run: number; readonly reason: ThrownData }
  /** This is when they time out now. */
  | { readonly kind: 'deadlines'; readonly deadlines: readonly Pick<Run, 'run' | 'deadline'>[] }
  /** Ticks are to come so many ms apart; 0: no more of them. */
  | { readonly kind: 'tick'; readonly every: number }
  /** A comlink request, to `open` or `close` the thread, and the answer to one of the thread's. */
  | Wire

/** From a thread. */
export type FromThread =
  /** It has handlers of these definitions. */
  | { readonly kind: 'exposed'; readonly handlers: readonly Pick<JobDefinition, 'type' | 'version'>[] }
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

type Fields = Readonly<Record<string, unknown>>

/**
 * Attempts that go over together. A record has some 45 fields, and to write and read them is a good part of what a short
 * job costs; nearly all are the same in jobs that are started together. So the first record goes over whole, and of each
 * what it has otherwise.
 */
interface RunMessage {
  readonly kind: 'run'
  readonly first: JobRecord
  readonly runs: readonly (Omit<Run, 'record'> & { readonly own: Fields })[]
}

/** @param runs at least one */
export function runMessage(runs: readonly Run[]): RunMessage {
  const { record: first } = runs[0] as Run
  const [fields, values] = [Object.keys(first), Object.values(first)]
  const own = ({ run, record, deadline }: Run) => ({ run, deadline, own: otherwise(record, fields, values) })
  return { kind: 'run', first, runs: runs.map(own) }
}

/** What was put into a `runMessage`. */
export function runsOf({ first, runs }: Fields): readonly Run[] {
  return objectsIn(runs).map(
    ({ run, deadline, own }) => ({ run, deadline, record: { ...(first as object), ...(own as object) } }) as Run,
  )
}

/** What is not the same value in a record. By place, since all of a storage have the same fields in the same order. */
function otherwise(record: JobRecord, fields: readonly string[], values: readonly unknown[]): Fields {
  const [ownFields, ownValues] = [Object.keys(record), Object.values(record) as readonly unknown[]]
  const own: Record<string, unknown> = {}
  for (let at = 0; at < fields.length; at++) {
    const field = fields[at] as string
    // Where a storage does not keep to that, all of it goes over, and what only the first one has is nothing.
    if (ownFields[at] !== field || ownFields.length !== fields.length)
      return { ...Object.fromEntries(fields.map((absent) => [absent, undefined])), ...record }
    if (ownValues[at] !== values[at]) own[field] = ownValues[at]
  }
  return own
}

/** The objects of a list; of what is none, nothing. */
export function objectsIn(list: unknown): readonly Fields[] {
  return Array.isArray(list) ? list.filter(isObject) : []
}

export type News = { readonly run: number } & (
  | { readonly kind: 'returned'; readonly value: unknown; readonly chained?: readonly EnqueueCall[] }
  | { readonly kind: 'threw'; readonly error: ThrownData }
  | { readonly kind: 'progress'; readonly value: unknown }
  | { readonly kind: 'output'; readonly value: unknown }
  | { readonly kind: 'log'; readonly message: string; readonly fields: Readonly<Record<string, unknown>> }
)

/** An enqueue that a handler asks for. Definitions hold functions, so the executor's side looks the type up. */
export interface EnqueueCall {
  readonly type: string
  /** Of the definition that was given, which the executor has to know then; `null`: its name was. */
  readonly version: number | null
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
