/** Anything with properties that is no function: its fields may be looked at, and may be anything. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** Assigning `__proto__` would set the prototype; JSON.parse makes an own property of it, and so do copies. */
export function setOwn(copy: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(copy, key, { value, enumerable: true, writable: true, configurable: true })
  else copy[key] = value
}

/**
 * What an object is, of whatever realm (an iframe, a vm) and by what it is made of, not by its constructor: `Object`,
 * `Array`, `Date`, `Uint8Array`, `Blob`.
 */
export function tagOf(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  // Nearly all are plain, and the tag takes longer.
  if (prototype === Object.prototype || prototype === null) return 'Object'
  return Object.prototype.toString.call(value).slice(8, -1)
}

/** A deep copy of a payload, or of other plain data. */
export function copyPlain<T>(value: T): T {
  if (!isObject(value)) return value
  if (Array.isArray(value)) return value.map(copyPlain) as T
  const tag = tagOf(value)
  if (tag !== 'Object') return copyInstance(value, tag, copyPlain) as T
  const copy: Record<string, unknown> = {}
  for (const key in value) setOwn(copy, key, copyPlain(value[key]))
  return copy as T
}

/**
 * A copy of what structured payloads hold and JSON has not. By the methods of its class and not by `structuredClone`,
 * which makes objects of another realm in test runners and in Node 20 takes the name from a File, and copies the whole
 * buffer of a view. Blobs and Files never change, so they are their own copies.
 *
 * Throws a TypeError when the value is not what its tag says, and for bytes that are shared, detached, or none.
 */
export function copyInstance(value: object, tag: string, copyItem: (item: unknown, key: unknown) => unknown): unknown {
  switch (tag) {
    case 'Date':
      return new Date(Date.prototype.getTime.call(value as Date))
    case 'Map': {
      const entries = Map.prototype.entries.call(value as Map<unknown, unknown>) as Iterable<[unknown, unknown]>
      return new Map(Array.from(entries, ([key, item]) => [key, copyItem(item, key)]))
    }
    case 'Blob':
    case 'File':
      return value
    default:
      return copyBytes(value as ArrayBuffer)
  }
}

function copyBytes(value: ArrayBuffer | ArrayBufferView): unknown {
  if (!ArrayBuffer.isView(value)) return ArrayBuffer.prototype.slice.call(value, 0)
  const { buffer, byteOffset, byteLength } = value
  const bytes = ArrayBuffer.prototype.slice.call(buffer as ArrayBuffer, byteOffset, byteOffset + byteLength)
  return new (value.constructor as new (bytes: ArrayBuffer) => unknown)(bytes)
}
