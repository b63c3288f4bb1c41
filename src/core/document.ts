import { isObject, setOwn, tagOf } from './storage/plain.ts'

/** Deeper ones are mistakes. */
const MOST_DEPTH = 64

const NONE = Number.NaN

/**
 * A copy of the document of an event, which may hold whatever an application has: a row of a database, an entity of its
 * own classes. A Date is its ISO text, an object its own properties, whatever its class. What JSON has no value for is
 * not refused, since nobody may ever fill it in, but stays what no payload takes: NaN stands for what cannot leave its
 * thread, for what contains itself, for what is deeper than 64 levels, and for what throws when it is read, as the relation
 * of an entity that was not loaded. Inline and in threads it is the same copy.
 */
export function documentCopy(value: unknown, copies: Map<object, unknown> = new Map(), depth = 0): unknown {
  if (!isObject(value)) return typeof value === 'function' || typeof value === 'symbol' ? NONE : value
  // Entities name each other, by more ways than anybody can go: each is copied once.
  if (copies.has(value)) return copies.get(value)
  const tag = tagOf(value)
  // An invalid one is null as JSON.
  if (tag === 'Date') return (JSON.parse(JSON.stringify(value)) as string | null) ?? NONE
  copies.set(value, NONE)
  if (depth > MOST_DEPTH || (tag !== 'Object' && tag !== 'Array')) return NONE
  const copy = (tag === 'Array' ? [] : {}) as Record<string, unknown>
  for (const name of Object.keys(value)) {
    let part: unknown = NONE
    try {
      part = value[name]
    } catch {
      // Nobody may ever fill it in.
    }
    setOwn(copy, name, documentCopy(part, copies, depth + 1))
  }
  copies.set(value, copy)
  return copy
}
