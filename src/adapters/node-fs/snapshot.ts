import { setImmediate as yieldToOthers } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import type { Snapshot, SnapshotRow } from '../../core/storage/job-table/job-table.ts'
import type { TableName } from '../../core/storage/job-table/rows.ts'
import { LOG_FORMAT } from '../../core/storage/log.ts'
import type { OpenFile } from './file-system.ts'
import {
  encodeLine,
  encodeRows,
  holdsRows,
  type Line,
  LineBuffer,
  parseLine,
  type ScannedLine,
  type StoredRow,
  scanLines,
} from './lines.ts'
import { cutShort } from './segment.ts'

/** Characters of rows in one line, roughly. */
const CHUNK = 200_000
/** How long the event loop may be kept, ms. */
const SLICE = 8
/** Bytes read at once at most; more for a line that is longer. */
const READ_SIZE = 1 << 20

/**
 * Writes a snapshot to an empty file, in slices that leave the event loop to others. The table must not change
 * meanwhile: the caller holds the exchange.
 */
export async function writeSnapshot(file: OpenFile, snapshot: Snapshot): Promise<SnapshotHead> {
  const { sequence, highest, versions, rows } = snapshot
  const begin = { format: LOG_FORMAT, sequence, highest, versions }
  const writer = new SnapshotWriter(file)
  writer.write({ kind: 'begin', ...begin })
  let sliceEnds = performance.now() + SLICE
  for (const row of rows) {
    writer.add(row)
    if (performance.now() < sliceEnds) continue
    await yieldToOthers()
    sliceEnds = performance.now() + SLICE
  }
  return { ...begin, count: writer.end(), whole: true, end: file.stat().size }
}

class SnapshotWriter {
  readonly #file: OpenFile
  #rows: string[] = []
  #length = 0
  #count = 0
  #digest = 0
  readonly #buffer = new LineBuffer()

  constructor(file: OpenFile) {
    this.#file = file
  }

  add({ table, key, row }: SnapshotRow): void {
    const json = JSON.stringify([table, key, row] satisfies StoredRow)
    this.#rows.push(json)
    this.#length += json.length
    if (this.#length >= CHUNK) this.#flush()
  }

  write(line: Line): void {
    this.#append(encodeLine(line))
  }

  /** How many rows there are. */
  end(): number {
    this.#flush()
    this.write({ kind: 'end', count: this.#count, digest: hex(this.#digest) })
    return this.#count
  }

  #flush(): void {
    if (this.#rows.length === 0) return
    this.#append(encodeRows(this.#rows, this.#buffer))
    this.#count += this.#rows.length
    this.#rows = []
    this.#length = 0
  }

  #append(line: Buffer): void {
    this.#digest = crc32(line, this.#digest)
    if (this.#file.append(line) < line.length) throw cutShort('a snapshot')
  }
}

function hex(sum: number): string {
  return sum.toString(16).padStart(8, '0')
}

/** The snapshot at the head of a segment, as a look at its lines found it. */
export interface SnapshotHead {
  readonly format: number
  readonly sequence: number
  readonly highest: number
  readonly count: number
  readonly versions: number
  /** Whether it is all there. What is not, can be read, but something is missing. */
  readonly whole: boolean
  /** Where the records begin. */
  readonly end: number
}

/** Bytes of a snapshot that is made in passing. */
const CHEAP = 1 << 20

/**
 * About how large the next snapshot would be, where that is much: while jobs only come, a new one would say again what
 * the log says. Rows are taken to be as small as they were in the last snapshot, or as what was written for each new job
 * since, whichever is less: too little makes a snapshot too early, and too much would let the log grow.
 */
export function dearBytes(last: SnapshotHead, log: number, now: Omit<Snapshot, 'rows'>): number {
  const perRow = Math.min(last.end / Math.max(1, last.count), log / Math.max(1, now.sequence - last.sequence))
  const bytes = now.count * perRow
  return bytes > CHEAP ? bytes : 0
}

/** What a head is taken to say whose first line is damaged; the rows say the rest. */
const LOST_BEGIN = { format: LOG_FORMAT, sequence: 0, highest: 0, versions: 0 }

/** Looks through the head of a file, in slices. `null`: the file is no segment but a tombstone, or not ours. */
export async function readHead(file: OpenFile): Promise<SnapshotHead | null> {
  const reader = new HeadReader()
  for (const { lines, position } of stretches(file, file.stat().size)) {
    for (const line of lines) if (reader.read(line, position)) return reader.head()
    await yieldToOthers()
  }
  return reader.head()
}

/** A file from its beginning, as many whole lines at a time as fit. */
function* stretches(file: OpenFile, end: number): Generator<{ lines: readonly ScannedLine[]; position: number }> {
  let buffer = Buffer.allocUnsafe(Math.min(READ_SIZE, end))
  for (let position = 0; position < end; ) {
    const read = file.read(buffer.subarray(0, end - position), position)
    const { lines, consumed } = scanLines(buffer.subarray(0, read))
    yield { lines, position }
    position += consumed
    if (consumed > 0) continue
    // Either the last line is not whole, or it is longer than what was read of it.
    if (read < buffer.length || position + read >= end) return
    buffer = Buffer.allocUnsafe(2 * buffer.length)
  }
}

class HeadReader {
  #begin: Extract<Line, { kind: 'begin' }> | null = null
  #end: Extract<Line, { kind: 'end' }> | null = null
  #rows = 0
  #digest = 0
  #position = 0
  #tombstone = false

  /** True when the head is over. `from`: where in the file the scan began. */
  read(scanned: ScannedLine, from: number): boolean {
    const line = scanned.intact && holdsRows(scanned.content) ? 'rows' : parseLine(scanned)
    if (line === 'rows') this.#rows += 1
    else if (line?.kind === 'begin') this.#begin = line
    else if (line?.kind === 'end') {
      this.#end = line
      this.#position = from + scanned.end
      return true
    } else if (line !== null) {
      this.#tombstone = line.kind === 'tombstone'
      return true
    }
    this.#position = from + scanned.end
    this.#digest = crc32('\n', crc32(scanned.content, crc32('\n', this.#digest)))
    return false
  }

  head(): SnapshotHead | null {
    if (this.#tombstone || (this.#begin === null && this.#rows === 0)) return null
    const { format, sequence, highest, versions } = this.#begin ?? LOST_BEGIN
    const whole = this.#begin !== null && this.#end?.digest === hex(this.#digest)
    return { format, sequence, highest, versions, count: this.#end?.count ?? 0, whole, end: this.#position }
  }
}

/** The snapshot itself. Its rows are parsed as they are asked for. */
export function readSnapshot(file: OpenFile, { sequence, highest, versions, count, end }: SnapshotHead): Snapshot {
  return { sequence, highest, versions, count, rows: { [Symbol.iterator]: () => rowsIn(file, end) } }
}

function* rowsIn(file: OpenFile, end: number): Generator<SnapshotRow> {
  for (const { lines } of stretches(file, end)) {
    for (const line of lines) {
      const parsed = parseLine(line)
      if (parsed?.kind !== 'rows') continue
      for (const [table, key, row] of parsed.rows) yield { table: table as TableName, key, row }
    }
  }
}
