import type { NewJob } from './contract.ts'
import { isObject } from './plain.ts'

/** What may have been digested before, since its payload stands elsewhere. */
type Said = Pick<NewJob, 'type' | 'payload'> & { readonly digest?: number | null }

/**
 * What a call said, its type and its payload, in 53 bits: kept where the payload itself has been replaced, so that the
 * repeat of the call can be told from another with the same id. Against mistakes, not against forgers.
 */
export function digestOf({ type, payload, digest }: Said): number {
  return digest ?? cyrb53(canonical([type, payload]))
}

/** The same text for the same plain value, whatever the order of its keys. */
function canonical(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (!isObject(value)) return String(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`)
  return `{${entries.sort().join()}}`
}

/** By bryc, public domain: short, fast, and good enough at spreading. */
function cyrb53(text: string): number {
  let high = 0xdeadbeef
  let low = 0x41c6ce57
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    high = Math.imul(high ^ code, 2654435761)
    low = Math.imul(low ^ code, 1597334677)
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909)
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909)
  return 2 ** 32 * (low & 0x1fffff) + (high >>> 0)
}
