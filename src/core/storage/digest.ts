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

/** What may have been digested before, since its payload stands elsewhere. */
type Said = Pick<NewJob, 'type' | 'payload'> & { readonly digest?: number | null }

/**
 * What a call said, its type and its payload, in 53 bits: kept where the payload itself has been replaced, so that the
 * repeat of the call can be told from another with the same id. Against mistakes, not against forgers.
 */
export function digestOf({ type, payload, digest }: Said): number {
  return digest ?? digestOfValue([type, payload])
}

/** Bytes that are looked at of one buffer; of a larger one this many, spread evenly. */
const MOST_BYTES = 2 ** 20

function digestOfValue(value: unknown): number {
  const digest = new Digest()
  add(digest, value)
  return digest.value
}

/** The same for the same payload, whatever the order of its keys. Each kind begins with a mark of its own. */
function add(digest: Digest, value: unknown): void {
  if (typeof value === 'string') digest.text('"', value)
  else if (!isObject(value)) digest.text('=', String(value))
  else if (Array.isArray(value)) {
    digest.text('[', String(value.length))
    for (const item of value) add(digest, item)
  } else addObject(digest, value)
}

function addObject(digest: Digest, value: Readonly<Record<string, unknown>>): void {
  const tag = tagOf(value)
  if (tag !== 'Object') {
    digest.text('<', canonicalInstance(value, tag))
    return
  }
  const keys = Object.keys(value).sort()
  digest.text('{', String(keys.length))
  for (const key of keys) {
    digest.text(':', key)
    add(digest, value[key])
  }
}

/**
 * Bytes stand as their digest. What a Blob holds cannot be read without waiting, and a decision does not wait: so two of
 * one kind, size, type, name and date are taken for the same.
 */
function canonicalInstance(value: object, tag: string): string {
  switch (tag) {
    case 'Date':
      return `${tag}(${Number(value)})`
    case 'Map': {
      const entries = Array.from(value as Map<unknown, unknown>, digestOfValue)
      return `${tag}(${entries.sort((a, b) => a - b).join()})`
    }
    case 'Blob':
    case 'File': {
      const { size, type, name, lastModified } = value as Record<string, unknown>
      return `${tag}(${digestOfValue([size, type, name, lastModified])})`
    }
    default: {
      const { buffer = value, byteOffset, byteLength } = value as Partial<ArrayBufferView>
      const digest = new Digest()
      digest.bytes(new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength))
      return `${tag}(${byteLength},${digest.value})`
    }
  }
}

/** cyrb53 by bryc, public domain: short, fast, and good enough at spreading. Fed piece by piece, so no text is put together. */
class Digest {
  #high = 0xdeadbeef
  #low = 0x41c6ce57

  /** The mark, the length, the text. */
  text(mark: string, text: string): void {
    // In local variables: fields of an object would be written at each character.
    let high = Math.imul(this.#high ^ mark.charCodeAt(0) ^ (text.length << 8), 2654435761)
    let low = Math.imul(this.#low ^ mark.charCodeAt(0) ^ (text.length << 8), 1597334677)
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at)
      high = Math.imul(high ^ code, 2654435761)
      low = Math.imul(low ^ code, 1597334677)
    }
    this.#high = high
    this.#low = low
  }

  bytes(bytes: Uint8Array): void {
    const step = Math.max(1, Math.ceil(bytes.length / MOST_BYTES))
    let high = this.#high
    let low = this.#low
    for (let at = 0; at < bytes.length; at += step) {
      const byte = bytes[at] as number
      high = Math.imul(high ^ byte, 2654435761)
      low = Math.imul(low ^ byte, 1597334677)
    }
    this.#high = high
    this.#low = low
  }

  get value(): number {
    let high = this.#high
    let low = this.#low
    high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909)
    low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909)
    return 2 ** 32 * (low & 0x1fffff) + (high >>> 0)
  }
}
