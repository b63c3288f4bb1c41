import type { Payload, PayloadSize } from './contract.ts'
import { isObject, tagOf } from './plain.ts'

/** Bytes of UTF-8. `replacer` as `JSON.stringify` takes it. */
export function jsonBytes(value: unknown, replacer?: (key: string, value: unknown) => unknown): number {
  return new TextEncoder().encode(JSON.stringify(value, replacer)).length
}

/** A Map counts as the list of its entries. */
export function sizeOf(payload: Payload): PayloadSize {
  let binary = 0
  const json = jsonBytes(payload, (_key, value) => {
    if (!isObject(value) || Array.isArray(value)) return value
    const tag = tagOf(value)
    if (tag === 'Object') return value
    if (tag === 'Map') return [...(value as unknown as Map<unknown, unknown>)]
    binary += bytesIn(value)
    return 0
  })
  return { json, binary }
}

/** Of a Blob, a File, a buffer or a view of one. */
export function bytesIn(value: object): number {
  const { size = 0, byteLength = size } = value as { size?: number; byteLength?: number }
  return byteLength
}

type List = readonly unknown[]

/** Of lists that are joined, again and again: to measure all of it each time would take longer than to join them. */
const sizes = /* @__PURE__ */ new WeakMap<List, PayloadSize>()

function measured(list: List): PayloadSize {
  const size = sizes.get(list) ?? sizeOf(list)
  sizes.set(list, size)
  return size
}

/** What two lists come to as one. One that is empty counts for a byte more than it brings. */
export function joinedSize(list: List, added: List): PayloadSize {
  const [before, more] = [measured(list), measured(added)]
  // Two brackets less, one comma more.
  return { json: before.json + more.json - 1, binary: before.binary + more.binary }
}

export function joinedList(list: List, added: List): List {
  const both = [...list, ...added]
  if (sizes.has(list)) sizes.set(both, joinedSize(list, added))
  return both
}
