/**
 * An independent reader of one segment's bytes, written from the description of the format and not from the package's
 * code, so that the two cannot share a mistake. A line is "\n", the CRC32 of the JSON in 8 hex digits, a space,
 * JSON, "\n".
 */
import { crc32 } from 'node:zlib'

const NEWLINE = 0x0a
const DIGITS = 8

/**
 * @typedef {Record<string, any>} Line the JSON of a line
 *
 * @typedef {object} SegmentText
 * @property {Line | null} begin its first line; `null` when that is no `begin`
 * @property {[table: string, key: string, row: Line][]} rows what the snapshot at its head holds
 * @property {boolean} whole the snapshot has its end, and as many rows as that counts
 * @property {boolean} tombstone the file is what retired segments are replaced with
 * @property {Line[]} records in the order of the log, those that count: no parts, nothing behind the seal
 * @property {boolean} sealed
 * @property {number} damaged lines before the seal that are none
 * @property {number} void lines that came behind the seal
 * @property {number} joined records that were written in parts
 * @property {number} repeated copies of records: whoever fears that one is not on the disk writes it again
 */

/** @param {Buffer} bytes @returns {Generator<Line | null>} `null`: a damaged line */
export function* linesIn(bytes) {
  if (bytes.length > 0 && bytes[0] !== NEWLINE) yield null
  let start = bytes.indexOf(NEWLINE)
  while (start !== -1) {
    const next = bytes.indexOf(NEWLINE, start + 1)
    // Of a write that was cut behind its first byte nothing is left to be damaged.
    if (next !== start + 1 && start + 1 < bytes.length)
      yield lineOf(bytes.subarray(start + 1, next === -1 ? bytes.length : next))
    start = next
  }
}

/** @param {Buffer} bytes @returns {Line | null} */
function lineOf(bytes) {
  const digits = bytes.toString('latin1', 0, DIGITS)
  if (!/^[0-9a-f]{8}$/.test(digits) || bytes[DIGITS] !== 0x20) return null
  const json = bytes.subarray(DIGITS + 1)
  // The sum of no bytes at all is 0, so that a line cut behind eight zeros would pass.
  if (json.length === 0 || crc32(json) !== Number.parseInt(digits, 16)) return null
  return JSON.parse(json.toString())
}

/** The bytes of a line. @param {Line} line */
export function lineBytes(line) {
  const json = Buffer.from(JSON.stringify(line))
  return Buffer.concat([Buffer.from(`\n${crc32(json).toString(16).padStart(DIGITS, '0')} `), json])
}

/** @param {Buffer} bytes @returns {SegmentText} */
export function readSegment(bytes) {
  /** @type {SegmentText} */
  const segment = {
    begin: null,
    rows: [],
    whole: false,
    tombstone: false,
    records: [],
    sealed: false,
    damaged: 0,
    void: 0,
    joined: 0,
    repeated: 0,
  }
  const parts = new Parts()
  const ids = new Set()
  for (const line of linesIn(bytes)) {
    if (segment.sealed) segment.void += 1
    else if (line === null) segment.damaged += 1
    else {
      const record = take(segment, parts, line)
      if (record === null) continue
      if (ids.has(record.id)) segment.repeated += 1
      else segment.records.push(record)
      ids.add(record.id)
    }
  }
  return segment
}

/** Answers the record that the line completes. @param {SegmentText} segment @param {Parts} parts @param {Line} line */
function take(segment, parts, line) {
  switch (line.kind) {
    case 'begin':
      segment.begin ??= line
      return null
    case 'tombstone':
      segment.tombstone = true
      return null
    case 'rows':
      segment.rows.push(...line.rows)
      return null
    case 'end':
      segment.whole = segment.begin !== null && line.count === segment.rows.length
      return null
    case 'seal':
      segment.sealed = true
      return null
    case 'part':
      parts.add(line)
      return null
    case 'commit': {
      const record = parts.join(line)
      if (record !== null) segment.joined += 1
      return record
    }
    case 'record':
      return line
    default:
      throw new Error(`The journal holds a line of an unknown kind: ${String(line.kind)}`)
  }
}

/** Records that were cut in pieces, until their commit. */
class Parts {
  /** @type {Map<string, string[]>} */
  #texts = new Map()

  /** @param {Line} part */
  add({ id, index, text }) {
    const texts = index === 0 ? [] : (this.#texts.get(id) ?? [])
    texts[index] = text
    this.#texts.set(id, texts)
  }

  /** `null` when a part is missing. @param {Line} commit @returns {Line | null} */
  join({ id, parts }) {
    const texts = this.#texts.get(id) ?? []
    this.#texts.delete(id)
    const all = Array.from({ length: parts }, (_, index) => texts[index])
    return all.every((text) => text !== undefined) ? JSON.parse(all.join('')) : null
  }
}
