import type { ErrorData } from './storage/contract.ts'
import { isObject, tagOf } from './storage/plain.ts'

/** Every code is a heading in docs/errors.md. Codes are stable; messages are not. */
export type ErrorCode =
  | 'HOLDFAST_INVALID_OPTION'
  | 'HOLDFAST_INVALID_PAYLOAD'
  | 'HOLDFAST_PAYLOAD_TOO_LARGE'
  | 'HOLDFAST_PAYLOAD_FORMAT'
  | 'HOLDFAST_SCHEMA_MISMATCH'
  | 'HOLDFAST_UNKNOWN_JOB'
  | 'HOLDFAST_DUPLICATE_JOB'
  | 'HOLDFAST_ID_CONFLICT'
  | 'HOLDFAST_WORKERS_DISABLED'
  | 'HOLDFAST_QUEUE_CLOSED'
  | 'HOLDFAST_CONTRACT_VERSION'
  | 'HOLDFAST_STORAGE'
  | 'HOLDFAST_STORAGE_FULL'
  | 'HOLDFAST_STORAGE_GROWS'
  | 'HOLDFAST_MANY_JOBS'
  | 'HOLDFAST_NETWORK_FILE_SYSTEM'
  | 'HOLDFAST_STORAGE_CLOSED'
  | 'HOLDFAST_STORAGE_NEWER'
  | 'HOLDFAST_STORAGE_BUSY'
  | 'HOLDFAST_STORAGE_TIMEOUT'
  | 'HOLDFAST_PAYLOAD_LOST'
  | 'HOLDFAST_STORAGE_BLOCKED'
  | 'HOLDFAST_STORAGE_UNAVAILABLE'
  | 'HOLDFAST_SESSION_ENDED'
  | 'HOLDFAST_OUTCOME_UNKNOWN'
  | 'HOLDFAST_LEASE_LOST'
  | 'HOLDFAST_TIMEOUT'
  | 'HOLDFAST_CANCELLED'
  | 'HOLDFAST_STOPPING'
  | 'HOLDFAST_WORKER_DIED'
  | 'HOLDFAST_WORKER_NOT_READY'
  | 'HOLDFAST_SUPERSEDED'
  | 'HOLDFAST_FAILED_PERMANENTLY'
  | 'HOLDFAST_FAILED_BY_HAND'
  | 'HOLDFAST_UNREACHABLE'
  | 'HOLDFAST_EXPIRED'
  | 'HOLDFAST_WORK_LEFT'
  | 'HOLDFAST_AUTOMATION'
  | 'HOLDFAST_AQL'

/** What went wrong where: the field, the rule it broke, the value it had. Issues of a schema go in `issues`. */
export interface ErrorDetails {
  readonly field?: string
  readonly value?: unknown
  readonly issues?: readonly unknown[]
}

const BRAND = '~holdfast-error'

/**
 * The one error class. Tell errors apart by `code`, never by text. `is()` also recognises an error of another copy of
 * the package, as a bundler may produce, and one that came back from a thread.
 */
export class HoldfastError extends Error {
  override readonly name: string = 'HoldfastError'
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; details?: ErrorDetails } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details ?? {}
    Object.defineProperty(this, BRAND, { value: true })
  }

  /** True for a HoldfastError, with `code` when given. */
  static is(value: unknown, code?: ErrorCode): value is HoldfastError {
    return isBranded(value, BRAND) && (code === undefined || (value as { code?: unknown }).code === code)
  }
}

/** Whether a class of ours marked this value. Anything can be thrown, also a proxy that throws when it is looked at. */
export function isBranded(value: unknown, brand: string): boolean {
  try {
    return isObject(value) && brand in value
  } catch {
    return false
  }
}

const MESSAGE_LIMIT = 1000
const NAME_LIMIT = 100
const STACK_LINES = 20
/** How many causes of an error are told. */
export const CAUSE_DEPTH = 4

/**
 * Any thrown value as bounded data: at most 1,000 characters of message, 20 lines of stack, 4 causes. An error is known by
 * its message, since one of another realm is no instance of `Error` here, and drivers throw plain objects. Never throws,
 * even for values whose getters do.
 */
export function toErrorData(thrown: unknown, depth = 0): ErrorData {
  try {
    // Whatever its class promises, a thrown value may carry anything.
    const { name, message, code, stack, cause } = Object(thrown) as Readonly<Record<string, unknown>>
    if (typeof message !== 'string') {
      const said = typeof thrown === 'string' ? thrown : describe(thrown)
      return { name: 'Error', message: said.slice(0, MESSAGE_LIMIT) }
    }
    return {
      name: typeof name === 'string' ? name.slice(0, NAME_LIMIT) : 'Error',
      message: message.slice(0, MESSAGE_LIMIT),
      ...(typeof code === 'string' && { code: code.slice(0, NAME_LIMIT) }),
      ...(typeof stack === 'string' && { stack: stack.split('\n', STACK_LINES).join('\n').slice(0, 4000) }),
      ...(cause !== undefined && depth < CAUSE_DEPTH && { cause: toErrorData(cause, depth + 1) }),
    }
  } catch {
    return { name: 'Error', message: 'A value was thrown that cannot be read' }
  }
}

/** A value as it stands in a message: what it is, short enough to read. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'bigint') return `${value}n`
  if (!isObject(value)) return String(value)
  try {
    if (Array.isArray(value)) return `an array of ${value.length}`
    const name = (Object.getPrototypeOf(value) as { constructor?: { name?: string } } | null)?.constructor?.name
    return name === undefined || name === 'Object' ? 'an object' : `an instance of ${name}`
  } catch {
    // A proxy that was revoked, for instance.
    return 'an object'
  }
}

/** The message every bad option gets: the field, the rule, the value. */
export function invalidOption(field: string, rule: string, value: unknown): HoldfastError {
  const kind = value === null ? 'null' : typeof value
  const message = `Expected \`${field}\` to be ${rule}, got \`${describe(value)}\` (${kind})`
  return fieldError('HOLDFAST_INVALID_OPTION', field, value, message)
}

/** Nothing is silently ignored: an option nobody reads is an error that names it and the known ones. */
export function knownOptions(what: string, options: unknown, known: readonly string[]): void {
  // Each enqueue comes by here.
  const rule = (kind: string): string => `${kind} (known options: ${known.join(', ')})`
  // A Date, a Map or an AbortSignal has no option of its own, and would pass for an object without any.
  if (!isObject(options) || tagOf(options) !== 'Object') throw invalidOption(what, rule('an object'), options)
  const key = Object.keys(options).find((given) => !known.includes(given))
  if (key !== undefined) throw invalidOption(`${what}.${key}`, rule('absent'), options[key])
}

/** An error about one field of what a caller gave. */
export function fieldError(
  code: ErrorCode,
  field: string,
  value: unknown,
  message: string,
  cause?: unknown,
): HoldfastError {
  return new HoldfastError(code, message, { cause, details: { field, value } })
}

/** What was given could not be looked at, since a getter or a proxy of it threw. An error of ours stays as it is. */
export function unreadable(error: unknown, code: ErrorCode, field: string, value: unknown): HoldfastError {
  if (HoldfastError.is(error)) return error
  return fieldError(code, field, value, `\`${field}\` threw when it was read, see the cause`, error)
}

/** What a call about one item of many answers; an error about a field of the item says of which item. */
export function within<Answer>(item: string, call: () => Answer): Answer {
  const placed = (error: unknown): never => {
    if (!HoldfastError.is(error)) throw error
    const { code, message, cause, details } = error
    const field = `${item}.${details.field}`
    throw new HoldfastError(code, `\`${field}\`: ${message}`, { cause, details: { ...details, field } })
  }
  try {
    const answer = call()
    return answer instanceof Promise ? (answer.catch(placed) as Answer) : answer
  } catch (error) {
    return placed(error)
  }
}

export function workersDisabled(): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_WORKERS_DISABLED',
    'The queue was opened with `workersEnabled: false`: nothing would run its jobs',
  )
}

export function leaseLost(id: string): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_LEASE_LOST',
    `Job ${id} is no longer held by this attempt: nothing it still does counts`,
  )
}

export function queueClosed(): HoldfastError {
  return new HoldfastError('HOLDFAST_QUEUE_CLOSED', 'The queue is closed')
}
