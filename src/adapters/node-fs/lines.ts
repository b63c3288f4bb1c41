import { crc32 } from 'node:zlib'
import type { LogRecord } from '../../core/storage/log.ts'

/**
 * The journal is text: each line is a newline, eight hex digits of CRC-32, a space, JSON and a newline. JSON holds no
 * raw newline, so a reader finds the next line after any damage, and nothing that a payload holds can pass for one. The
 * newline in front parts a line from what a torn write left before it; the one behind is written and synced with it, so
 * that what a power cut leaves of the next line does not spoil this one. [decision 18]
 */
const NEWLINE = 0x0a
const SUM_LENGTH = 8
/** Newline, sum and space. */
const HEAD_LENGTH = SUM_LENGTH + 2
const FRAME_LENGTH = HEAD_LENGTH + 1

/** UTF-16 units of a record in one line. Whatever they are, the line stays below 1 MiB, so that one write takes it. */
const PIECE = 300_000
const MOST_BYTES = 1 << 20

/** What a line says. A kind that this version does not know is left alone. */
export type Line =
  | {
      readonly kind: 'begin'
      readonly format: number
      readonly sequence: number
      readonly highest: number
      readonly versions: number
    }
  | { readonly kind: 'rows'; readonly rows: readonly StoredRow[] }
  | { readonly kind: 'end'; readonly count: number; readonly digest: string }
  | ({ readonly kind: 'record' } & JournalRecord)
  | { readonly kind: 'part'; readonly id: string; readonly index: number; readonly text: string }
  | { readonly kind: 'commit'; readonly id: string; readonly parts: number }
  | { readonly kind: 'seal'; readonly by: string }
  | { readonly kind: 'tombstone' }

/** A record, and up to where in the segment its writer knew the file to be durable. */
export type JournalRecord = LogRecord & { readonly synced?: number }

/** Table, key and fields. */
export type StoredRow = readonly [table: string, key: string, row: Readonly<Record<string, unknown>>]

/**
 * Memory that is used again: half of the time that a long line takes is the system's, to find new memory for it. What it
 * gave is valid until it is asked again.
 */
export class LineBuffer {
  #bytes = Buffer.alloc(0)

  of(length: number): Buffer {
    if (length > this.#bytes.length) this.#bytes = Buffer.allocUnsafe(length)
    return this.#bytes.subarray(0, length)
  }
}

export function encodeLine(line: Line): Buffer {
  return encodeText(JSON.stringify(line))
}

function encodeText(json: string, buffer = new LineBuffer()): Buffer {
  const bytes = buffer.of(FRAME_LENGTH + Buffer.byteLength(json))
  bytes[0] = NEWLINE
  bytes.write(json, HEAD_LENGTH)
  bytes[bytes.length - 1] = NEWLINE
  bytes.write(`${sumOf(bytes.subarray(HEAD_LENGTH, -1))} `, 1, 'latin1')
  return bytes
}

function sumOf(bytes: Uint8Array): string {
  return crc32(bytes).toString(16).padStart(SUM_LENGTH, '0')
}

/** One line, in `buffer`, or parts that a commit closes: the record counts where the commit stands. */
export function encodeRecord(record: JournalRecord, buffer?: LineBuffer): readonly Buffer[] {
  const json = JSON.stringify({ kind: 'record', ...record } satisfies Line)
  if (json.length <= PIECE || Buffer.byteLength(json) <= MOST_BYTES - FRAME_LENGTH) return [encodeText(json, buffer)]
  const lines: Buffer[] = []
  for (let at = 0; at < json.length; at += PIECE)
    lines.push(encodeLine({ kind: 'part', id: record.id, index: lines.length, text: json.slice(at, at + PIECE) }))
  lines.push(encodeLine({ kind: 'commit', id: record.id, parts: lines.length }))
  return lines
}

/** A line of rows that are JSON already. */
export function encodeRows(rows: readonly string[], buffer: LineBuffer): Buffer {
  return encodeText(`${ROWS_START}[${rows.join(',')}]}`, buffer)
}

const ROWS_START = '{"kind":"rows","rows":'

export interface ScannedLine {
  /** What follows the newline. */
  readonly content: Buffer
  /** Offset in what was scanned of the newline before it, or of itself where an earlier scan ended with that newline. */
  readonly at: number
  /** Offset behind it. */
  readonly end: number
  /** Whether the sum fits. */
  readonly intact: boolean
}

/**
 * The lines of a stretch of the journal. A bad line is damage only once a later newline stands; at the end it is "not
 * yet": what was scanned up to there is `consumed`, and the rest is looked at again when the file has grown. A stretch may
 * end anywhere, between a newline and its line too: what stands there is told by its sum alone.
 */
export function scanLines(bytes: Buffer): { readonly lines: readonly ScannedLine[]; readonly consumed: number } {
  const lines: ScannedLine[] = []
  let consumed = 0
  while (consumed < bytes.length) {
    const start = bytes[consumed] === NEWLINE ? consumed + 1 : consumed
    const newline = bytes.indexOf(NEWLINE, start)
    const content = bytes.subarray(start, newline === -1 ? bytes.length : newline)
    const end = start + content.length
    const intact = isIntact(content)
    if (!intact && newline === -1 && content.length > 0) break
    if (content.length > 0) lines.push({ content, at: consumed, end, intact })
    consumed = end
  }
  return { lines, consumed }
}

function isIntact(content: Buffer): boolean {
  if (content.length < HEAD_LENGTH) return false
  return content.toString('latin1', 0, SUM_LENGTH) === sumOf(content.subarray(HEAD_LENGTH - 1))
}

/** True for a line of rows, without parsing it. */
export function holdsRows(content: Buffer): boolean {
  return content.toString('latin1', HEAD_LENGTH - 1, HEAD_LENGTH - 1 + ROWS_START.length) === ROWS_START
}

/** `null`: damaged. */
export function parseLine({ content, intact }: ScannedLine): Line | null {
  if (!intact) return null
  try {
    const line: unknown = JSON.parse(content.toString('utf8', HEAD_LENGTH - 1))
    return isLine(line) ? line : null
  } catch {
    return null
  }
}

/** The sum vouches for the rest: only what writes such lines on purpose could get by it. */
function isLine(value: unknown): value is Line {
  return typeof value === 'object' && value !== null && 'kind' in value
}
