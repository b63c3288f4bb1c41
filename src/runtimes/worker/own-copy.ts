import { HoldfastError } from '../../core/errors.ts'
import { invalid, prototypes, type Walk } from '../../core/payload.ts'
import { isObject, tagOf } from '../../core/storage/plain.ts'

/** A copy that was made to leave this thread, and the bytes in it: nobody here has them, so they are moved out. */
export interface OwnCopy {
  readonly value: unknown
  readonly bytes: readonly ArrayBuffer[]
}

/**
 * A value as it is now. Cloning would drop classes and symbol keys without a word, which a queue refuses, and so does this.
 * What is on no queue's list, a Set for instance, may be what a schema takes: that is for the executor's side to say.
 *
 * @throws HOLDFAST_INVALID_PAYLOAD, naming the path
 */
export function ownCopy(what: string, value: unknown): OwnCopy {
  const walk = { what, seen: new Set<object>(), atMost: 0, bytes: new Set<ArrayBuffer>() }
  try {
    const copy: unknown = structuredClone(value)
    compare(value, copy, walk, '')
    return { value: copy, bytes: [...walk.bytes] }
  } catch (error) {
    if (HoldfastError.is(error)) throw error
    throw invalid(walk, '', value, `it cannot leave its worker: ${String(error)}`)
  }
}

interface OwnWalk extends Walk {
  readonly bytes: Set<ArrayBuffer>
}

function compare(given: unknown, copy: unknown, walk: OwnWalk, path: string): void {
  if (!isObject(given) || !isObject(copy) || walk.seen.has(given)) return
  walk.seen.add(given)
  if (prototypes(given) > prototypes(copy)) throw invalid(walk, path, given, 'its class would be lost')
  const tag = tagOf(copy)
  if (ArrayBuffer.isView(copy)) addBytes(copy.buffer, walk)
  else if (tag === 'ArrayBuffer') addBytes(copy, walk)
  else if (tag === 'Map') compareMaps(given, copy, walk, path)
  else if (tag === 'Object' || tag === 'Array') {
    if (Object.getOwnPropertySymbols(given).length > 0) throw invalid(walk, path, given, 'symbol keys would be lost')
    for (const key of Object.keys(copy)) compare(given[key], copy[key], walk, `${path}.${key}`)
  }
}

/** The copy of a Map has its entries in the same order. */
function compareMaps(given: unknown, copy: unknown, walk: OwnWalk, path: string): void {
  const copies = (copy as ReadonlyMap<unknown, unknown>).entries()
  for (const [key, item] of given as ReadonlyMap<unknown, unknown>) {
    const [, copied] = copies.next().value as [unknown, unknown]
    compare(item, copied, walk, `${path}.get(${String(key)})`)
  }
}

/** Shared memory stays where it is. */
function addBytes(buffer: object, { bytes }: OwnWalk): void {
  if (tagOf(buffer) === 'ArrayBuffer') bytes.add(buffer as ArrayBuffer)
}
