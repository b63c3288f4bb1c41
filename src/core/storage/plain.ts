/**
 * A deep copy of plain data. What is not an array or a plain object (a Blob or Date, where a storage keeps them) is
 * immutable or copied by `structuredClone`.
 */
export function copyPlain<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copyPlain) as T
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return structuredClone(value)
  const copy: Record<string, unknown> = {}
  for (const key in value) {
    // `copy.__proto__ = …` would set the prototype; JSON.parse makes an own property of it, and so do we.
    if (key === '__proto__')
      Object.defineProperty(copy, key, {
        value: copyPlain(value[key]),
        enumerable: true,
        writable: true,
        configurable: true,
      })
    else copy[key] = copyPlain(value[key])
  }
  return copy as T
}

/** Whether two plain values say the same, whatever the order of their keys. */
export function samePlain(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  return keys.every(
    (key) =>
      Object.hasOwn(b, key) && samePlain((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
  )
}
