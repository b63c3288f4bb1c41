import { HoldfastError } from '../../core/errors.ts'
import { LOG_FORMAT, type LogRecord } from '../../core/storage/log.ts'
import type { OpenFile } from './file-system.ts'
import { encodeLine, encodeRecord, type JournalRecord, LineBuffer, parseLine, scanLines } from './lines.ts'
import { RecordReader } from './records.ts'

/** Bytes read at once at most; more for a line that is longer. */
const READ_SIZE = 1 << 20

export interface SegmentOptions {
  readonly number: number
  readonly file: OpenFile
  /** Where the records begin: after the snapshot. */
  readonly start: number
  /** Whether what is acknowledged is to survive a power cut. */
  readonly durable: boolean
  readonly onDamage: (segment: number, offset: number, bytes: Uint8Array) => void
}

/** What became of an append, found by reading the file. */
export type Landing =
  | { readonly kind: 'landed'; readonly between: readonly LogRecord[] }
  /** A seal came first, and the record is void; or it was not written. */
  | { readonly kind: 'void' }
  /** The record is not in the file, whole. `failure`: what the write said, if it said anything. */
  | { readonly kind: 'torn'; readonly failure: Error | null }

/**
 * One file of the journal: a snapshot, then records in the order in which they came, then a seal. Several processes
 * append to it; each finds out where its record stands by reading it back.
 */
export class Segment {
  readonly number: number
  readonly start: number
  readonly #file: OpenFile
  readonly #onDamage: SegmentOptions['onDamage']
  readonly #records = new RecordReader()
  /** Up to here the file was read. */
  #position: number
  /** Up to here it is known to be durable, by this handle's own sync. */
  #durable = 0
  /** Up to here anybody's sync is known to have succeeded, and what was read that may end beyond it. */
  #synced = 0
  #unsure: { readonly end: number; readonly record: JournalRecord }[] = []
  /** The size that was last seen. */
  #size = 0
  /** What `hasGrown` told of. */
  #told = 0
  /** Records that were read and not taken. */
  #ahead: LogRecord[] = []
  /** Whether nothing that was read can have been lost without a word. */
  #sure: boolean
  readonly #reading = new LineBuffer()
  readonly #writing = new LineBuffer()

  constructor({ number, file, start, durable, onDamage }: SegmentOptions) {
    this.number = number
    this.start = start
    this.#file = file
    this.#onDamage = onDamage
    this.#position = start
    this.#sure = !durable
  }

  get size(): number {
    return this.#size
  }

  /** Whose seal ends it, as far as it was read. */
  get sealedBy(): string | null {
    return this.#records.sealedBy
  }

  get isDurable(): boolean {
    return this.#durable >= this.#position
  }

  /** Whether others have written what was not read, or have taken the file away. */
  get isAhead(): boolean {
    return this.#seen() !== this.#size
  }

  /** Whether others have written what was neither read nor told before, or have taken the file away. */
  hasGrown(): boolean {
    const seen = this.#seen()
    if (seen === this.#size || seen === this.#told) return false
    this.#told = seen
    return true
  }

  /** The size of the file; -1: it has no name any more. */
  #seen(): number {
    const { size, names } = this.#file.stat()
    return names === 0 ? -1 : size
  }

  /** The records that stand before the seal and were not taken yet. */
  take(): readonly LogRecord[] {
    this.#read()
    const records = this.#ahead
    this.#ahead = []
    return records
  }

  /** Records whose fate turned out to be unknown: the next `take` brings them again. */
  putBack(records: readonly LogRecord[]): void {
    this.#ahead.unshift(...records)
  }

  /**
   * Writes anew what may have been lost to a sync that failed, by a process that died before it could seal: its pages
   * may be gone from the disk and still be in the cache, where no later sync looks for them. A record that stands twice
   * counts once. To be called before anything here is acknowledged. Whoever does not understand all that is there
   * acknowledges nothing, and could not write it again as it was.
   */
  reassure(): void {
    this.#read()
    const understands = this.#ahead.every(({ format }) => format <= LOG_FORMAT)
    for (const { end, record } of understands ? this.#unsure : []) {
      if (end <= this.#synced) continue
      for (const line of encodeRecord(record)) if (this.#file.append(line) < line.length) throw cutShort('a record')
    }
    this.#unsure = []
    this.#sure = true
  }

  /** What `append` is to write. Valid until the next. */
  encoded(record: LogRecord): readonly Buffer[] {
    return encodeRecord(this.#durable > 0 ? { ...record, synced: this.#durable } : record, this.#writing)
  }

  /**
   * To be called when everything was taken, in the same synchronous turn. `mayWait`: nothing is written when others have
   * written since, and the record would be decided on what is past.
   */
  append({ id }: LogRecord, lines: readonly Buffer[], mayWait = false): Landing {
    if (mayWait && this.#file.stat().size !== this.#size) return { kind: 'void' }
    const from = this.#position
    const failure = this.#write(lines)
    if (this.#ahead.length === 0 && this.#standsAt(from, lines)) {
      this.#records.note(id)
      return { kind: 'landed', between: [] }
    }
    this.#read()
    const own = this.#ahead.findIndex((record) => record.id === id)
    if (own === -1) return this.sealedBy === null ? { kind: 'torn', failure } : { kind: 'void' }
    const between = this.#ahead.splice(0, own + 1).slice(0, -1)
    return { kind: 'landed', between }
  }

  /**
   * To be called of a segment that others have gone on from, when it was read: it ended with a seal, so without one its
   * end is gone, and what is left there is more than a line that is not whole yet.
   */
  tellLostEnd(): void {
    if (this.sealedBy !== null) return
    const rest = new Uint8Array(this.#size - this.#position)
    this.#file.read(rest, this.#position)
    this.#onDamage(this.number, this.#position, rest)
  }

  /** What follows is void for everybody. */
  seal(by: string): void {
    const line = encodeLine({ kind: 'seal', by })
    if (this.#file.append(line) < line.length) throw cutShort('a seal')
  }

  /** Makes durable what was read. */
  async sync(): Promise<void> {
    const upTo = this.#position
    await this.#file.sync()
    this.#durable = upTo
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  /** One write per line. Says what went wrong, and not more: the file tells what is in it. */
  #write(lines: readonly Buffer[]): Error | null {
    try {
      for (const line of lines) if (this.#file.append(line) < line.length) break
      return null
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  /** The short way to read back: nobody came between, and the bytes are what was written. */
  #standsAt(from: number, lines: readonly Buffer[]): boolean {
    let position = from
    for (const line of lines) {
      const there = this.#reading.of(line.length)
      if (this.#file.read(there, position) < line.length || line.compare(there) !== 0) return false
      position += line.length
    }
    this.#position = position
    this.#size = position
    return true
  }

  #read(): void {
    const { size, names } = this.#file.stat()
    this.#size = size
    this.#readTo(size)
    // A retired segment has lost its name too, and ends with a seal.
    if (names === 0 && this.sealedBy === null)
      throw new HoldfastError('HOLDFAST_STORAGE', 'The journal was removed while it was open: nothing is written to it')
  }

  #readTo(size: number): void {
    let wanted = READ_SIZE
    while (this.#position < size) {
      const bytes = this.#reading.of(Math.min(wanted, size - this.#position))
      const read = this.#file.read(bytes, this.#position)
      const consumed = this.#consume(bytes.subarray(0, read))
      if (consumed > 0) continue
      // Either the file ends in a line that is not whole yet, or the line is longer than what was read of it.
      if (read < wanted) return
      wanted *= 2
    }
  }

  #consume(bytes: Buffer): number {
    const { lines, consumed } = scanLines(bytes)
    for (const scanned of lines) {
      const record = this.#records.read(parseLine(scanned))
      if (record === 'damaged')
        this.#onDamage(this.number, this.#position + scanned.at, Uint8Array.from(scanned.content))
      else if (record !== null) this.#keep(record, this.#position + scanned.end)
    }
    this.#position += consumed
    return consumed
  }

  #keep(record: JournalRecord, end: number): void {
    this.#ahead.push(record)
    if (this.#sure) return
    this.#synced = Math.max(this.#synced, record.synced ?? 0)
    this.#unsure.push({ end, record })
  }
}

export function cutShort(what: string): Error {
  return Object.assign(new Error(`${what} was cut short`), { code: 'ENOSPC' })
}
