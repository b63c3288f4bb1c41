import { invalidOption } from './errors.ts'

/** A span of time: ms as a number, or a number with a unit: `'250ms'`, `'30s'`, `'5m'`, `'2h'`, `'1d'`, `'1w'`. */
export type Span = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd' | 'w'}`

/** A moment: a Date, epoch ms, or ISO 8601 with `Z` or an offset. A text without a zone is refused. */
export type Moment = Date | number | string

/** Low 0, normal 1 (the default), high 2, critical 3; any safe integer is accepted; larger runs first. */
export type Priority = 'low' | 'normal' | 'high' | 'critical' | number

export const PRIORITIES: Readonly<Record<string, number>> = Object.freeze({ low: 0, normal: 1, high: 2, critical: 3 })

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}
const SPAN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/
const MOMENT = /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/

/** The latest moment that a Date can hold. */
const LATEST = 8_640_000_000_000_000

/** ms of a span. Throws `HOLDFAST_INVALID_OPTION` for a negative, non-finite or unreadable one. */
export function spanToMs(field: string, value: unknown, atLeast = 0): number {
  const ms = typeof value === 'string' ? parseSpan(value) : value
  if (typeof ms === 'number' && Number.isFinite(ms) && ms >= atLeast && ms <= LATEST) return Math.round(ms)
  const least = atLeast === 0 ? 'of at least 0' : `of at least ${atLeast} ms`
  throw invalidOption(field, `a span ${least}, in ms or as '30s' (units ms, s, m, h, d, w)`, value)
}

function parseSpan(text: string): number {
  const match = SPAN.exec(text.slice(0, 40))
  return match === null ? Number.NaN : Number(match[1]) * (UNITS[match[2] ?? ''] ?? Number.NaN)
}

/** Epoch ms of a moment. Throws `HOLDFAST_INVALID_OPTION` for an invalid one and for a text without a zone. */
export function momentToMs(field: string, value: unknown): number {
  const ms = value instanceof Date ? value.getTime() : typeof value === 'string' ? parseMoment(value) : value
  if (typeof ms === 'number' && Number.isFinite(ms) && Math.abs(ms) <= LATEST) return Math.round(ms)
  throw invalidOption(field, 'a valid moment: a Date, epoch ms, or ISO 8601 with Z or an offset', value)
}

/** `Date.parse` takes 31 February for 3 March; a day that the month does not have is refused here. */
function parseMoment(text: string): number {
  const match = MOMENT.exec(text.slice(0, 40))
  if (match === null) return Number.NaN
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const lastDay = new Date(Date.UTC(year, month, 0)).getUTCDate()
  return month < 1 || month > 12 || day < 1 || day > lastDay ? Number.NaN : Date.parse(text)
}

export function integer(field: string, value: unknown, from: number, to: number = Number.MAX_SAFE_INTEGER): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= from && value <= to) return value
  throw invalidOption(
    field,
    to === Number.MAX_SAFE_INTEGER ? `an integer from ${from}` : `an integer from ${from} to ${to}`,
    value,
  )
}

export function priorityToNumber(field: string, value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  const named = typeof value === 'string' && Object.hasOwn(PRIORITIES, value) ? PRIORITIES[value] : undefined
  if (named !== undefined) return named
  throw invalidOption(field, "'low', 'normal', 'high', 'critical' or a safe integer", value)
}

/** A name that people and logs will see: 1 to `most` characters, none of them a control character. */
export function name(field: string, value: unknown, most = 200): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (typeof value === 'string' && value.length > 0 && value.length <= most && !/[\u0000-\u001f\u007f]/.test(value))
    return value
  throw invalidOption(field, `a text of 1 to ${most} characters without control characters`, value)
}

/** Nothing is silently ignored: an option nobody reads is an error that names it and the known ones. */
export function knownOptions(what: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw invalidOption(what, 'an object', options)
  for (const key of Object.keys(options)) {
    if (!known.includes(key))
      throw invalidOption(
        `${what}.${key}`,
        `absent (known options: ${known.join(', ')})`,
        (options as Record<string, unknown>)[key],
      )
  }
}

/** Answers a value as the core uses it, or throws `HOLDFAST_INVALID_OPTION` naming the field. */
export type Check<Value = unknown> = (field: string, value: unknown) => Value
export type Checks = Readonly<Record<string, Check>>
export type Read<Given extends Checks> = { readonly [Key in keyof Given]?: ReturnType<Given[Key]> }

/**
 * The options that were given, checked one by one. Only `undefined` is absence: `null` is a value, and refused where it
 * is none of the option's.
 */
export function readOptions<Given extends Checks>(
  what: string,
  options: unknown,
  checks: Given,
  prefix = '',
): Read<Given> {
  knownOptions(what, options, Object.keys(checks))
  const read: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(options as object))
    if (value !== undefined) read[key] = checks[key]?.(prefix + key, value)
  return read as Read<Given>
}

export const spanFrom =
  (atLeast: number): Check<number> =>
  (field, value) =>
    spanToMs(field, value, atLeast)

export const integerFrom =
  (from: number, to?: number): Check<number> =>
  (field, value) =>
    integer(field, value, from, to)

export const nameUpTo =
  (most: number): Check<string> =>
  (field, value) =>
    name(field, value, most)

export function boolean(field: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw invalidOption(field, 'true or false', value)
}

export function text(field: string, value: unknown): string {
  if (typeof value === 'string') return value
  throw invalidOption(field, 'a text', value)
}

/** For what only its user understands. */
export const anything: Check = (_field, value) => value

export function callable(field: string, value: unknown): (...values: never[]) => unknown {
  if (typeof value === 'function') return value as () => unknown
  throw invalidOption(field, 'a function', value)
}

/** By its shape: it may be of another realm, or a polyfill. */
export function abortSignal(field: string, value: unknown): AbortSignal {
  const { aborted, addEventListener } = Object(value) as Partial<AbortSignal>
  if (typeof aborted === 'boolean' && typeof addEventListener === 'function') return value as AbortSignal
  throw invalidOption(field, 'an AbortSignal', value)
}

export function exclusive(what: string, options: object, first: string, second: string): void {
  const given = options as Record<string, unknown>
  if (given[first] !== undefined && given[second] !== undefined) {
    throw invalidOption(`${what}.${second}`, `absent when \`${first}\` is given: they say the same`, given[second])
  }
}
