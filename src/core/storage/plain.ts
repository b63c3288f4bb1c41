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
 * A deep copy of plain data. What is not an array or a plain object (a Blob or Date, where a storage keeps them) is
 * immutable or copied by `structuredClone`.
 */
export function copyPlain<T>(value: T): T {
  if (!isObject(value)) return value
  if (Array.isArray(value)) return value.map(copyPlain) as T
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return structuredClone(value)
  const copy: Record<string, unknown> = {}
  for (const key in value) setOwn(copy, key, copyPlain(value[key]))
  return copy as T
}

/** Whether two plain values say the same, whatever the order of their keys. */
export function samePlain(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (!isObject(a) || !isObject(b)) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  return keys.every((key) => Object.hasOwn(b, key) && samePlain(a[key], b[key]))
}
