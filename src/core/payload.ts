import { describe, fieldError, type HoldfastError, unreadable } from './errors.ts'
import { jsonBytes } from './storage/payload-size.ts'
import { setOwn } from './storage/plain.ts'

/** Deeper values are refused: they are mistakes, and recursion over them would end in a stack overflow somewhere. */
const MOST_DEPTH = 64

// Not as products: bundlers keep those where nothing uses them.
/** 256 KiB of JSON. What is larger belongs in a file or a store of the application, its name in the payload. */
export const DEFAULT_PAYLOAD_LIMIT: number = 262_144
/** 512 KiB. */
export const MOST_PAYLOAD_LIMIT: number = 524_288

/**
 * A copy of a value that JSON carries unchanged. Throws `HOLDFAST_INVALID_PAYLOAD`, naming the path, for what JSON
 * would alter or drop: NaN and infinities, BigInt, functions, symbols, `undefined` and holes in arrays, Date, Map and
 * every other class, cycles, symbol keys, more than 64 levels. As JSON does, an own property that is `undefined` is
 * left out, and −0 is 0. A missing value (`undefined` at the top) is `null`.
 *
 * @throws HOLDFAST_PAYLOAD_TOO_LARGE when its JSON text has more than `limit` bytes of UTF-8
 */
export function checkedJson(what: string, value: unknown, limit: number): unknown {
  return value === undefined ? null : checkedCopy(value, { what, seen: new Set(), atMost: 0 }, limit)
}

/** A way through a value. */
export interface Walk {
  readonly what: string
  readonly seen: Set<object>
  /** Bytes of JSON that it cannot have more of. */
  atMost: number
  /** Copies what is neither plain object nor array; absent: it is refused. */
  copyInstance?(value: object, walk: this, path: string, depth: number): unknown
}

/** `measure`: how many bytes of JSON a copy comes to. */
export function checkedCopy(
  value: unknown,
  walk: Walk,
  limit: number,
  measure: (copy: unknown) => number = jsonBytes,
): unknown {
  const copy = copyJson(value, walk, '', 0)
  // The bound counts every character as an escape of six; only what could be too large is measured exactly.
  if (walk.atMost > limit) {
    const bytes = measure(copy)
    if (bytes > limit) throw tooLarge(walk.what, bytes, limit, 'as JSON')
  }
  return copy
}

export function copyJson(value: unknown, walk: Walk, path: string, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      walk.atMost += 6 * value.length + 3
      return value
    case 'boolean':
      walk.atMost += 6
      return value
    case 'number':
      if (!Number.isFinite(value)) throw invalid(walk, path, value, 'JSON has no such number')
      walk.atMost += 26
      return value === 0 ? 0 : value
    case 'object':
      walk.atMost += 5
      return value === null ? null : copyObject(value, walk, path, depth)
    default:
      throw invalid(walk, path, value, 'JSON has no such value')
  }
}

function copyObject(value: object, walk: Walk, path: string, depth: number): unknown {
  try {
    return copyReadable(value, walk, path, depth)
  } catch (error) {
    throw unreadable(error, 'HOLDFAST_INVALID_PAYLOAD', walk.what + path, value)
  }
}

function copyReadable(value: object, walk: Walk, path: string, depth: number): unknown {
  if (depth >= MOST_DEPTH) throw invalid(walk, path, value, `deeper than ${MOST_DEPTH} levels`)
  if (walk.seen.has(value)) throw invalid(walk, path, value, 'it contains itself')
  const list = Array.isArray(value)
  // Arrays stand two prototypes from the end of the chain, records one, of any realm (an iframe, a vm) and not only of
  // this one. What stands further away is an instance of a class, and would come back without it.
  if (prototypes(value) > (list ? 2 : 1)) {
    const copy = walk.copyInstance?.(value, walk, path, depth + 1)
    if (copy !== undefined) return copy
    throw invalid(walk, path, value, 'only plain objects, arrays and JSON values are kept')
  }
  if (Object.getOwnPropertySymbols(value).length > 0) throw invalid(walk, path, value, 'JSON drops symbol keys')
  walk.seen.add(value)
  const copy = list ? copyArray(value, walk, path, depth + 1) : copyRecord(value, walk, path, depth + 1)
  walk.seen.delete(value)
  return copy
}

export function prototypes(value: object): number {
  let count = 0
  for (let next: unknown = Object.getPrototypeOf(value); next !== null; next = Object.getPrototypeOf(next)) count += 1
  return count
}

function copyArray(value: readonly unknown[], walk: Walk, path: string, depth: number): unknown[] {
  // Keys of an array's items come first, so a surplus means named properties.
  const surplus = Object.keys(value)[value.length]
  if (surplus !== undefined)
    throw invalid(walk, `${path}.${surplus}`, undefined, 'JSON drops named properties of arrays')
  const copy: unknown[] = []
  for (let index = 0; index < value.length; index++) {
    const place = `${path}[${index}]`
    if (!(index in value)) throw invalid(walk, place, undefined, 'the array has a hole here')
    copy.push(copyJson(value[index], walk, place, depth))
  }
  return copy
}

function copyRecord(value: object, walk: Walk, path: string, depth: number): Record<string, unknown> {
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    const item = (value as Readonly<Record<string, unknown>>)[key]
    if (item === undefined) continue
    walk.atMost += 6 * key.length + 4
    setOwn(copy, key, copyJson(item, walk, `${path}.${key}`, depth))
  }
  return copy
}

export function invalid({ what }: Walk, path: string, value: unknown, rule: string): HoldfastError {
  const field = what + path
  return fieldError(
    'HOLDFAST_INVALID_PAYLOAD',
    field,
    value,
    `\`${field}\` cannot be stored unchanged (${describe(value)}): ${rule}`,
  )
}

export function tooLarge(what: string, bytes: number, limit: number, kind: string): HoldfastError {
  return fieldError(
    'HOLDFAST_PAYLOAD_TOO_LARGE',
    what,
    bytes,
    `\`${what}\` has ${bytes} bytes ${kind}, the limit is ${limit}: keep the data elsewhere and its name in the job`,
  )
}
