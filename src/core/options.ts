import { invalidOption, knownOptions, unreadable } from './errors.ts'

/**
 * A span of time: ms as a number, or a number with a unit: `'250ms'`, `'30s'`, `'5m'`, `'2h'`, `'1d'`, `'1w'`. A number
 * is never seconds: `30` is 30 ms.
 */
export type Span = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd' | 'w'}`

/**
 * A moment: a Date, epoch ms as `Date.now()` gives them, or ISO 8601 with `Z` or an offset. A text without a zone is
 * refused. Any number is taken, since a moment that is over means at once: so seconds since 1970, or a span of ms, pass for
 * a moment in January 1970.
 */
export type Moment = Date | number | string

/** Low 0, normal 1 (the default), high 2, critical 3; any safe integer is accepted; larger runs first. */
export type Priority = 'low' | 'normal' | 'high' | 'critical' | number

const PRIORITIES: readonly unknown[] = ['low', 'normal', 'high', 'critical']

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}
const SPAN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/
const MOMENT = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/

/** The latest moment that a Date can hold. */
const LATEST = 8_640_000_000_000_000

/** Answers a value as the core uses it, or throws `HOLDFAST_INVALID_OPTION` naming the field. */
export type Check<Value = unknown> = (field: string, value: unknown) => Value
export type Checks = Readonly<Record<string, Check>>
export type Read<Given extends Checks> = { readonly [Key in keyof Given]?: ReturnType<Given[Key]> }

/**
 * The options that were given, checked one by one. Only `undefined` is absence: `null` is a value, and refused where it
 * is none of the option's. `prefix`: what stands before the name of an option in errors.
 */
export function readOptions<Given extends Checks>(
  what: string,
  options: unknown,
  checks: Given,
  prefix = `${what}.`,
): Read<Given> {
  const read: Record<string, unknown> = {}
  let field = what
  try {
    knownOptions(what, options, Object.keys(checks))
    const given = options as Readonly<Record<string, unknown>>
    for (const key of Object.keys(given)) {
      field = prefix + key
      const value = given[key]
      if (value !== undefined) read[key] = checks[key]?.(field, value)
    }
  } catch (error) {
    throw unreadable(error, 'HOLDFAST_INVALID_OPTION', field, options)
  }
  return read as Read<Given>
}

/** What `look` makes of a value of the caller's, which may be a proxy that throws when it is looked at. */
export function readable<Value>(field: string, value: unknown, look: () => Value): Value {
  try {
    return look()
  } catch (error) {
    throw unreadable(error, 'HOLDFAST_INVALID_OPTION', field, value)
  }
}

/** The items of a list, checked one by one; an error says which item was wrong. `least`: how many there have to be. */
export function listOf<Value>(
  field: string,
  value: unknown,
  item: Check<Value>,
  rule = 'an array',
  least = 0,
): Value[] {
  return readable(field, value, () => {
    if (!Array.isArray(value) || value.length < least) throw invalidOption(field, rule, value)
    return Array.from(value, (one, at) => {
      const place = `${field}[${at}]`
      return readable(place, one, () => item(place, one))
    })
  })
}

export function exclusive<Key extends string>(
  given: { readonly [Option in Key]?: unknown },
  first: NoInfer<Key>,
  second: NoInfer<Key>,
): void {
  if (given[first] !== undefined && given[second] !== undefined)
    throw invalidOption(second, `absent when \`${first}\` is given: they say the same`, given[second])
}

/** Whether a value is a number from `least` to `most`; NaN is none. */
export function isWithin(value: unknown, least: number, most: number = Number.MAX_VALUE): value is number {
  return typeof value === 'number' && value >= least && value <= most
}

/** ms of a span. Throws `HOLDFAST_INVALID_OPTION` for a negative, non-finite or unreadable one. */
export function spanToMs(field: string, value: unknown, atLeast = 0): number {
  const ms = typeof value === 'string' ? parseSpan(value) : value
  if (isWithin(ms, atLeast, LATEST)) return Math.round(ms)
  throw invalidOption(
    field,
    `a span of at least ${atLeast} ms: a number, or a text as '30s' (ms, s, m, h, d, w)`,
    value,
  )
}

export function spanFrom(atLeast: number): Check<number> {
  return (field, value) => spanToMs(field, value, atLeast)
}

export function orInfinite(check: Check<number>): Check<number> {
  return (field, value) => (value === Infinity ? Infinity : check(field, value))
}

function parseSpan(text: string): number {
  const [, count, unit = ''] = SPAN.exec(text.slice(0, 40)) ?? []
  return Number(count) * (UNITS[unit] ?? Number.NaN)
}

/** Epoch ms of a moment. Throws `HOLDFAST_INVALID_OPTION` for an invalid one and for a text without a zone. */
export function momentToMs(field: string, value: unknown): number {
  const ms = value instanceof Date ? value.getTime() : typeof value === 'string' ? parseMoment(value) : value
  if (isWithin(ms, -LATEST, LATEST)) return Math.round(ms)
  throw invalidOption(field, 'a valid moment: a Date, epoch ms, or ISO 8601 with Z or an offset', value)
}

/** `Date.parse` takes 31 February for 3 March; a day that the month does not have is refused here. */
function parseMoment(text: string): number {
  const day = MOMENT.exec(text.slice(0, 40))?.[1]
  return day !== undefined && JSON.stringify(new Date(day)).startsWith(day, 1) ? Date.parse(text) : Number.NaN
}

export function integerFrom(from: number, to: number = Number.MAX_SAFE_INTEGER): Check<number> {
  return (field, value) => {
    if (Number.isInteger(value) && isWithin(value, from, to)) return value
    const bound = to === Number.MAX_SAFE_INTEGER ? '' : ` to ${to}`
    throw invalidOption(field, `an integer from ${from}${bound}`, value)
  }
}

export function priorityToNumber(field: string, value: unknown): number {
  const named = PRIORITIES.indexOf(value)
  if (named >= 0) return named
  if (Number.isSafeInteger(value)) return value as number
  throw invalidOption(field, "'low', 'normal', 'high', 'critical' or a safe integer", value)
}

/** A name that people and logs will see: 1 to `most` characters, none of them a control character. */
export function name(field: string, value: unknown, most = 200): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (typeof value === 'string' && value.length > 0 && value.length <= most && !/[\u0000-\u001f\u007f]/.test(value))
    return value
  throw invalidOption(field, `a text of 1 to ${most} characters without control characters`, value)
}

/** A name that may say more: a key, the name of a serial queue. */
export function longName(field: string, value: unknown): string {
  return name(field, value, 500)
}

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
