import { invalidOption } from './errors.ts'
import { partOf } from './storage/condition-test.ts'
import { isObject, setOwn } from './storage/plain.ts'

/** What the places of a template are filled from. */
export interface Source {
  readonly document: unknown
  /** The document before, for events that have one: `old` names it. */
  readonly previous?: unknown
  /** `$id`, `$event`, `$now`. */
  readonly facts: Readonly<Record<string, unknown>>
  /** Told of each path that leads nowhere, and in names to null; null stands for it. */
  readonly missing: (path: string) => void
  /** Told how many characters of JSON, or of text, were filled in; it may throw. */
  readonly spend: (characters: number) => void
}

/** The most characters of one text of a template, and names in one path. */
const MOST_TEXT = 10_000
const MOST_NAMES = 32
const MOST_DEPTH = 32

/** Every object has them, or had them once: none is data. */
const REFUSED: readonly string[] = ['__proto__', 'constructor', 'prototype']
const FACTS: readonly string[] = ['$id', '$event', '$now']
/** A name, then names and places in lists. Brackets of other kinds would be those of a call, or of nothing. */
const PATH = /^[^\s.()[\]{}$]+(?:\.[^\s.()[\]{}$]+|\[\d+\])*$/

/**
 * Refuses a template that is none, naming the place: a place without end, a path with an empty or a forbidden name.
 * Answers whether it has any places.
 */
export function checkTemplate(field: string, template: unknown, depth = 0): boolean {
  if (depth > MOST_DEPTH) throw invalidOption(field, `at most ${MOST_DEPTH} levels deep`, template)
  if (typeof template === 'string') {
    if (template.length > MOST_TEXT) throw invalidOption(field, `at most ${MOST_TEXT} characters`, template)
    return piecesOf(template, (text) => namesIn(field, text)).length > 1
  }
  if (!isObject(template)) return false
  const parts = Object.entries(template).map(([name, part]) => checkTemplate(`${field}.${name}`, part, depth + 1))
  return parts.includes(true)
}

/**
 * The template with its places filled. A text that is one place becomes the value itself; within a text, texts stand as
 * they are and other values as JSON. What was filled in is never looked at again, so no value can bring places along.
 */
export function fill(template: unknown, source: Source): unknown {
  if (typeof template === 'string') return fillText(template, source)
  if (Array.isArray(template)) return template.map((part) => fill(part, source))
  if (!isObject(template)) return template
  const filled: Record<string, unknown> = {}
  for (const [name, part] of Object.entries(template)) setOwn(filled, name, fill(part, source))
  return filled
}

function fillText(text: string, source: Source): unknown {
  const pieces = piecesOf(text, (path) => valueAt(path, source))
  if (pieces.length === 3 && pieces[0] === '' && pieces[2] === '') {
    asText(pieces[1], source)
    return pieces[1]
  }
  return joined(pieces, source)
}

/** A key, or another name: always a text. Null in it would make one name of many. */
export function fillName(name: string, source: Source): string {
  const valueOf = (path: string): unknown => {
    const value = valueAt(path, source)
    if (value === null) source.missing(path)
    return value
  }
  return joined(piecesOf(name, valueOf), source)
}

function joined(pieces: readonly unknown[], source: Source): string {
  return pieces.map((piece) => asText(piece, source)).join('')
}

function asText(piece: unknown, { spend }: Source): string {
  const text = typeof piece === 'string' ? piece : JSON.stringify(piece, replacer)
  spend(text.length)
  return text
}

/** As JSON a byte is a name and a number: how many bytes a job may have is for its payload's format to say. */
function replacer(this: unknown, _name: string, value: unknown): unknown {
  // In a text it would become null, and nobody would see what is lost.
  if (value === undefined ? Array.isArray(this) : typeof value === 'number' && !Number.isFinite(value))
    throw new TypeError('JSON has no such value')
  return ArrayBuffer.isView(value) ? null : value
}

/** Texts and what stands for the places between them, in turn. */
function piecesOf(text: string, place: (path: string) => unknown): readonly unknown[] {
  const [first, ...others] = text.split('${')
  return [
    first,
    ...others.flatMap((other) => {
      const end = other.indexOf('}')
      return [place(end < 0 ? '' : other.slice(0, end)), other.slice(end + 1)]
    }),
  ]
}

function valueAt(path: string, { document, previous, facts, missing }: Source): unknown {
  const [first = '', ...more] = namesIn('template', path)
  const value = Object.hasOwn(facts, first)
    ? facts[first]
    : first === 'old' && previous !== undefined
      ? more.reduce<unknown>(partOf, previous)
      : more.reduce<unknown>(partOf, partOf(document, first))
  if (value === undefined) missing(path)
  return value ?? null
}

/** `items[0].sku` → items, 0, sku. */
function namesIn(field: string, path: string): readonly string[] {
  if (FACTS.includes(path)) return [path]
  const names = path.replaceAll('[', '.').replaceAll(']', '').split('.')
  const isPath = PATH.test(path) && !names.some((name) => REFUSED.includes(name))
  if (isPath && names.length <= MOST_NAMES) return names
  throw invalidOption(field, "text with places as '${address.city}' or '${items[0].sku}', of own names only", path)
}
