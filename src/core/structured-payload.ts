import { describe, fieldError, HoldfastError } from './errors.ts'
import { checkedCopy, copyJson, invalid, prototypes, tooLarge, type Walk } from './payload.ts'
import { bytesIn, sizeOf } from './storage/payload-size.ts'
import { copyInstance, isObject, tagOf } from './storage/plain.ts'

/** 50 MB of binary parts in one payload. */
export const DEFAULT_BINARY_LIMIT = 50_000_000

/**
 * A copy of a payload that may hold, beside what JSON carries, Date, Map, ArrayBuffer, typed arrays, DataView, Blob and
 * File, of any realm. All else is as in `checkedJson`, also inside a Map, whose keys are texts, numbers, booleans or
 * null: two objects that look alike would be two keys, and a copy of one finds nothing.
 *
 * Throws `HOLDFAST_INVALID_PAYLOAD`, naming the path, for an invalid Date, an instance of a subclass (a Buffer), what
 * only looks like one of these classes, and bytes that are shared or detached.
 *
 * @param blobs whether the storage keeps Blobs and Files
 * @throws HOLDFAST_PAYLOAD_FORMAT for one that it does not keep
 * @throws HOLDFAST_PAYLOAD_TOO_LARGE when the binary parts together have more than `binaryLimit` bytes, or the rest as
 * JSON more than `limit`
 */
export function checkedStructured(
  what: string,
  value: unknown,
  limit: number,
  binaryLimit: number,
  blobs = true,
): unknown {
  if (value === undefined) return null
  const walk: StructuredWalk = {
    what,
    seen: new Set(),
    atMost: 0,
    binary: 0,
    binaryLimit,
    blobs,
    copyInstance: checkedInstance,
  }
  return checkedCopy(value, walk, limit, (copy) => sizeOf(copy).json)
}

interface StructuredWalk extends Walk {
  /** Bytes of binary parts so far. */
  binary: number
  readonly binaryLimit: number
  readonly blobs: boolean
}

function checkedInstance(value: object, walk: StructuredWalk, path: string, depth: number): unknown {
  const tag = tagOf(value)
  try {
    assertGenuine(value, tag)
    if (!walk.blobs && isBlob(tag)) throw notKept(walk.what + path, value)
    if (tag !== 'Map') countBytes(value, walk)
    walk.atMost += 30
    walk.seen.add(value)
    const copy = copyInstance(value, tag, (item, key) => {
      const place = `${path}.get(${describe(key)})`
      if (isObject(key)) throw invalid(walk, place, key, 'an object cannot be a key')
      copyJson(key, walk, place, depth)
      walk.atMost += 4
      return copyJson(item, walk, place, depth)
    })
    walk.seen.delete(value)
    return copy
  } catch (error) {
    if (HoldfastError.is(error)) throw error
    throw invalid(
      walk,
      path,
      value,
      'beside JSON only genuine Dates, Maps, Blobs, Files, ArrayBuffers and views are kept, neither shared nor detached',
    )
  }
}

/** Throws when a copy would be less than the value. That Dates, Maps and bytes are what they say shows in the copying. */
function assertGenuine(value: object, tag: string): void {
  const subclass = prototypes(value) > (/File|Array$/.test(tag) ? 3 : 2)
  // A view's items are its keys, which may be millions.
  const named = !ArrayBuffer.isView(value) && Object.keys(value).length > 0
  const invalidDate = tag === 'Date' && Number.isNaN(Number(value))
  // A polyfill has the tag, and nothing that the platform could store. A File may be cloned to a Blob: Node 20 does.
  const polyfill = isBlob(tag) && !isBlob(tagOf(structuredClone(value)))
  if (subclass || named || invalidDate || polyfill) throw new TypeError(tag)
}

function isBlob(tag: string): boolean {
  return tag === 'Blob' || tag === 'File'
}

function notKept(field: string, value: unknown): HoldfastError {
  return fieldError(
    'HOLDFAST_PAYLOAD_FORMAT',
    field,
    value,
    `\`${field}\` is a Blob or File, and this window, a private one perhaps, keeps none: give its bytes, \`await file.arrayBuffer()\``,
  )
}

/** Before they are copied. */
function countBytes(value: object, walk: StructuredWalk): void {
  walk.binary += bytesIn(value)
  if (walk.binary > walk.binaryLimit) throw tooLarge(walk.what, walk.binary, walk.binaryLimit, 'in its binary parts')
}
