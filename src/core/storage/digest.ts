import type { NewJob } from './contract.ts'
import { isObject, tagOf } from './plain.ts'

/** Whether two payloads say the same, whatever the order of their keys. Of Blobs only what they say of themselves counts. */
export function samePayload(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (!isObject(a) || !isObject(b)) return false
  const tag = tagOf(a)
  if (tag !== tagOf(b)) return false
  if (tag !== 'Object' && tag !== 'Array') return canonicalInstance(a, tag) === canonicalInstance(b, tag)
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  return keys.every((key) => Object.hasOwn(b, key) && samePayload(a[key], b[key]))
}

/**
 * What a call said, its type and its payload, in 53 bits: kept where the payload itself has been replaced, so that the
 * repeat of the call can be told from another with the same id. Against mistakes, not against forgers.
 */
export function digestOf({ type, payload }: Pick<NewJob, 'type' | 'payload'>): number {
  return cyrb53(canonical([type, payload]))
}

/** The same text for the same payload, whatever the order of its keys. */
function canonical(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (!isObject(value)) return String(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  const tag = tagOf(value)
  if (tag !== 'Object') return canonicalInstance(value, tag)
  const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`)
  return `{${entries.sort().join()}}`
}

/**
 * Bytes stand as their digest. What a Blob holds cannot be read without waiting, and a decision does not wait: so two of
 * one kind, size, type, name and date are taken for the same.
 */
function canonicalInstance(value: object, tag: string): string {
  switch (tag) {
    case 'Date':
      return `${tag}(${Number(value)})`
    case 'Map':
      return `${tag}(${Array.from(value as Map<unknown, unknown>, canonical)
        .sort()
        .join()})`
    case 'Blob':
    case 'File': {
      const { size, type, name, lastModified } = value as Record<string, unknown>
      return tag + canonical([size, type, name, lastModified])
    }
    default: {
      const { buffer = value, byteOffset, byteLength } = value as Partial<ArrayBufferView>
      const bytes = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)
      return `${tag}(${byteLength},${cyrb53(bytes)})`
    }
  }
}

/** By bryc, public domain: short, fast, and good enough at spreading. */
function cyrb53(text: string | Uint8Array): number {
  let high = 0xdeadbeef
  let low = 0x41c6ce57
  for (let at = 0; at < text.length; at++) {
    const code = typeof text === 'string' ? text.charCodeAt(at) : (text[at] as number)
    high = Math.imul(high ^ code, 2654435761)
    low = Math.imul(low ^ code, 1597334677)
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909)
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909)
  return 2 ** 32 * (low & 0x1fffff) + (high >>> 0)
}
