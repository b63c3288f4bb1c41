import { describe, HoldfastError } from './errors.ts'

/** Deeper values are refused: they are mistakes, and recursion over them would end in a stack overflow somewhere. */
const MOST_DEPTH = 64

/** 256 KiB of JSON. What is larger belongs in a file or a store of the application, its name in the payload. */
export const DEFAULT_PAYLOAD_LIMIT: number = 256 * 1024
export const MOST_PAYLOAD_LIMIT: number = 512 * 1024

/**
 * A copy of a value that JSON carries unchanged. Throws `HOLDFAST_INVALID_PAYLOAD`, naming the path, for what JSON
 * would alter or drop: NaN and infinities, BigInt, functions, symbols, `undefined` and holes in arrays, Date, Map and
 * every other class, cycles, symbol keys, more than 64 levels. As JSON does, an own property that is `undefined` is
 * left out, and −0 is 0. A missing value (`undefined` at the top) is `null`.
 *
 * @throws HOLDFAST_PAYLOAD_TOO_LARGE when its JSON text has more than `limit` bytes of UTF-8
 */
export function checkedJson(what: string, value: unknown, limit: number): unknown {
  if (value === undefined) return null
  const walk: Walk = { what, seen: new Set(), atMost: 0 }
  const copy = copyJson(value, walk, '', 0)
  // The bound counts every character as an escape of six; only what could be too large is measured exactly.
  if (walk.atMost > limit) {
    const bytes = utf8Length(JSON.stringify(copy))
    if (bytes > limit) throw tooLarge(what, bytes, limit)
  }
  return copy
}

interface Walk {
  readonly what: string
  readonly seen: Set<object>
  atMost: number
}

function copyJson(value: unknown, walk: Walk, path: string, depth: number): unknown {
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
  if (depth >= MOST_DEPTH) throw invalid(walk, path, value, `deeper than ${MOST_DEPTH} levels`)
  if (walk.seen.has(value)) throw invalid(walk, path, value, 'it contains itself')
  walk.seen.add(value)
  const copy = Array.isArray(value) ? copyArray(value, walk, path, depth) : copyRecord(value, walk, path, depth)
  walk.seen.delete(value)
  return copy
}

function copyArray(value: readonly unknown[], walk: Walk, path: string, depth: number): unknown[] {
  // A subclass would come back as a plain array. (Array.prototype of any realm is two steps from the end of the chain.)
  const prototype: object | null = Object.getPrototypeOf(Object.getPrototypeOf(value)) as object | null
  if (prototype === null || Object.getPrototypeOf(prototype) !== null) {
    throw invalid(walk, path, value, 'only plain objects, arrays and JSON values are kept')
  }
  const copy: unknown[] = []
  for (let index = 0; index < value.length; index++) {
    if (!Object.hasOwn(value, index)) throw invalid(walk, `${path}[${index}]`, undefined, 'the array has a hole here')
    copy.push(copyJson(value[index], walk, `${path}[${index}]`, depth + 1))
  }
  // Keys of an array's items come first, so a surplus means named properties, which JSON drops.
  const surplus = Object.keys(value)[value.length]
  if (surplus !== undefined)
    throw invalid(walk, `${path}.${surplus}`, undefined, 'JSON drops named properties of arrays')
  return copy
}

function copyRecord(value: object, walk: Walk, path: string, depth: number): Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value)
  // Object.prototype of another realm (an iframe, a vm) has no prototype of its own either.
  if (prototype !== null && prototype !== Object.prototype && Object.getPrototypeOf(prototype) !== null) {
    throw invalid(walk, path, value, 'only plain objects, arrays and JSON values are kept')
  }
  if (Object.getOwnPropertySymbols(value).length > 0) throw invalid(walk, path, value, 'JSON drops symbol keys')
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    const item = (value as Record<string, unknown>)[key]
    if (item === undefined) continue
    walk.atMost += 6 * key.length + 4
    const kept = copyJson(item, walk, `${path}.${key}`, depth + 1)
    // Assigning `__proto__` would set the prototype; JSON.parse makes an own property of it.
    if (key === '__proto__')
      Object.defineProperty(copy, key, { value: kept, enumerable: true, writable: true, configurable: true })
    else copy[key] = kept
  }
  return copy
}

function invalid({ what }: Walk, path: string, value: unknown, rule: string): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_INVALID_PAYLOAD',
    `\`${what}${path}\` cannot be stored unchanged (${describe(value)}): ${rule}`,
    {
      details: { field: `${what}${path}`, value },
    },
  )
}

function tooLarge(what: string, bytes: number, limit: number): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_PAYLOAD_TOO_LARGE',
    `\`${what}\` has ${bytes} bytes as JSON, the limit is ${limit}: keep the data elsewhere and its name in the job`,
    {
      details: { field: what, value: bytes },
    },
  )
}

function utf8Length(text: string): number {
  let bytes = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    // The two halves of a surrogate pair make four bytes.
    bytes += code < 0x80 ? 1 : code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 2 : 3
  }
  return bytes
}
