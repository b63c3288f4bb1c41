import { isObject, tagOf } from '../core/storage/plain.ts'

/**
 * A payload as JSON carries it, which else would make an empty object of all that it does not know: a Map as the list of
 * its entries, a Date as its moment, and of bytes, Blobs and Files what they are and how many bytes.
 */
export function asJson(value: unknown): unknown {
  if (!isObject(value)) return value
  if (Array.isArray(value)) return value.map(asJson)
  const kind = tagOf(value)
  if (kind === 'Date') return (value as unknown as Date).toISOString()
  if (kind === 'Map') return Array.from(value as unknown as Map<unknown, unknown>, (entry) => entry.map(asJson))
  if (kind === 'Object') return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, asJson(part)]))
  return { kind, bytes: value['size'] ?? value['byteLength'] }
}
