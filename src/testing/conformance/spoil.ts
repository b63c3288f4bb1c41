/**
 * Overwrites every text, number and list of a value, as deep as it goes, the way a careless caller would. A value that
 * is frozen cannot be spoilt, and need not be a copy.
 */
export function spoil(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const key of Object.keys(value)) {
    const item: unknown = Reflect.get(value, key)
    spoil(item)
    if (typeof item === 'string') Reflect.set(value, key, 'spoilt')
    if (typeof item === 'number') Reflect.set(value, key, -1)
    if (item === null) Reflect.set(value, key, 'spoilt')
  }
  if (Array.isArray(value) && !Object.isFrozen(value)) value.push('spoilt')
}
