import { HoldfastError } from '../../core/errors.ts'
import { EMPTY, type Snapshot } from '../../core/storage/job-table/job-table.ts'
import {
  type Append,
  LOG_FORMAT,
  type Log,
  type LogHealth,
  type LogRecord,
  type LogReplica,
  type Presence,
  type Receipt,
  type Tail,
} from '../../core/storage/log.ts'
import { explained, growing, inTheWay, newer, outcomeUnknown } from './failures.ts'
import { nobodyRolls } from './patience.ts'
import { cutShort, type Landing, Segment, type SegmentOptions } from './segment.ts'
import type { FoundSegment, SegmentFolder } from './segment-folder.ts'
import { dearBytes, readSnapshot, type SnapshotHead } from './snapshot.ts'
import { TailWatch } from './tail-watch.ts'

export interface JournalOptions {
  /** Opens the folder, or says why that cannot be. */
  readonly openFolder: () => Promise<SegmentFolder>
  readonly watchFolder: (path: string, changed: () => void) => () => void
  readonly presence?: Presence & { open(folder: string): Promise<void>; close(): Promise<void> }
  readonly writer: string
  /** Whether an acknowledged write survives a power cut. */
  readonly durable: boolean
  /** Bytes of records after which a new segment begins, or twice the snapshot if that is more. */
  readonly rollAt: number
}

const NOTHING_BETWEEN: Receipt = { between: [] }

/** How often a write that was cut short without an error is repeated. */
const MOST_APPENDS = 3

/**
 * Turns in which a record is not even written when others came first while it was being decided: one that loses its race
 * costs every process its reading. After that it is written all the same, or a busy log would keep out whoever is slow.
 */
const MOST_POLITE = 3

type Turn = (tail: Tail) => Append | null

/** What a turn did. `again`: a seal came first, and the table stands where it stands. */
type Taken = 'again' | { readonly append: Append | null; readonly receipt: Receipt }

/**
 * A log in the files of one folder, which any number of processes append to. Reading the tail, deciding and appending
 * happen in one synchronous turn; then the record is read back to see who came between, and made durable. The order of
 * the file decides, so there is no owner, no lock and no election. [tests/adapters/node-fs]
 *
 * A segment ends with a seal. Whoever reads the seal has the same table as everybody else who does, so any of them can
 * write the snapshot that the next segment begins with; the one that sealed does, others step in when it does not.
 */
export class Journal implements Log {
  readonly presence?: Presence
  readonly #options: JournalOptions
  readonly #watch: TailWatch
  #folder: SegmentFolder | null = null
  #replica: LogReplica | null = null
  #segment: Segment | null = null
  /** The snapshot that it begins with. */
  #head: SnapshotHead | null = null
  /** The snapshot that the table has to begin anew from. */
  #snapshot: Snapshot | null = null
  /** Whether the name of the segment is known to survive a power cut. */
  #nameIsDurable = false
  /** A sync failed and the segment could not be sealed: nothing is acknowledged in it. */
  #mustSeal = false
  #damaged = 0
  /** Until what was found damaged is kept. */
  #kept: Promise<unknown> = Promise.resolve()
  #problem: Error | null = null
  /** Why old segments stay; `null`: they go. */
  #growth: Error | null = null
  /** The last append failed: that something could be read says nothing of a disk that takes no writes. */
  #unwritable = false

  constructor(options: JournalOptions) {
    this.#options = options
    if (options.presence !== undefined) this.presence = options.presence
    this.#watch = new TailWatch(
      (changed) => options.watchFolder(this.#folder?.path ?? '', changed),
      () => this.#segment?.hasGrown() ?? false,
    )
  }

  async open(replica: LogReplica): Promise<void> {
    this.#replica = replica
    // What it meets again is counted again.
    this.#damaged = 0
    try {
      this.#folder = await this.#options.openFolder()
      await this.#openNewest(this.#folder)
      await this.#options.presence?.open(this.#folder.path)
    } catch (error) {
      throw explained(error, { field: 'directory', value: this.#folder?.path })
    }
  }

  async close(): Promise<void> {
    await this.#options.presence?.close()
    await this.#kept
    await this.#leave()
  }

  async exchange(turn: Turn): Promise<Receipt> {
    try {
      for (let turns = 1; ; turns++) {
        const segment = await this.#openSegment()
        const taken = this.#take(segment, turn, turns < MOST_POLITE)
        if (taken === 'again') continue
        if (taken.append?.durable === true && this.#options.durable) await this.#makeDurable(segment, taken)
        if (!this.#unwritable) this.#problem = null
        return { ...taken.receipt, unfinished: this.#sealIfLong(segment) }
      }
    } catch (error) {
      this.#problem = explained(error)
      throw this.#problem
    }
  }

  watch(listener: () => void): () => void {
    return this.#watch.start(listener)
  }

  /** A look that fails is reported by the exchange that it leads to. */
  isAhead(): boolean {
    try {
      return this.#segment?.isAhead ?? true
    } catch {
      return true
    }
  }

  health(): LogHealth {
    return { damaged: this.#damaged, problem: this.#problem, degraded: this.#growth }
  }

  /** The synchronous turn: read, decide, append, read back. */
  #take(segment: Segment, turn: Turn, mayWait: boolean): Taken {
    const append = this.#handOver(segment, (tail) => {
      if (segment.sealedBy === null) return { decided: turn(tail) }
      this.#replica?.catchUp(tail)
      return 'again'
    })
    if (append === 'again') return append
    const { decided } = append
    if (decided === null || decided.record === null) return { append: decided, receipt: NOTHING_BETWEEN }
    const landing = this.#append(segment, decided.record, mayWait)
    if (landing.kind === 'void') return 'again'
    return { append: decided, receipt: landing }
  }

  /** Gives the table what it has not seen. What it could not take, a snapshot that cannot be read, it gets again. */
  #handOver<Answer>(segment: Segment, to: (tail: Tail) => Answer): Answer {
    const records = segment.take()
    // Somebody's append did not fail.
    if (records.length > 0) this.#unwritable = false
    try {
      const answer = to(this.#snapshot === null ? { records } : { snapshot: this.#snapshot, records })
      this.#snapshot = null
      return answer
    } catch (error) {
      segment.putBack(records)
      throw error
    }
  }

  #catchUp(segment: Segment): void {
    this.#handOver(segment, (tail) => this.#replica?.catchUp(tail))
  }

  /** What was cut short is appended again: the newline at its beginning parts it from the debris. */
  #append(segment: Segment, record: LogRecord, mayWait: boolean): Exclude<Landing, { kind: 'torn' }> {
    const lines = segment.encoded(record)
    this.#unwritable = true
    for (let tries = 0; ; tries++) {
      const landing = this.#appendOnce(segment, record, lines, mayWait)
      if (landing.kind !== 'torn') {
        this.#unwritable = false
        return landing
      }
      if (landing.failure !== null || tries === MOST_APPENDS) throw landing.failure ?? cutShort('a record')
    }
  }

  #appendOnce(segment: Segment, record: LogRecord, lines: readonly Buffer[], mayWait: boolean): Landing {
    try {
      return segment.append(record, lines, mayWait)
    } catch (cause) {
      throw outcomeUnknown(cause)
    }
  }

  /**
   * A sync that failed is final: the pages may be marked clean and lost, and a second one would say that all is well.
   * So nothing more is acknowledged here. What was read is brought again, and goes on in a new segment whose snapshot
   * is written whole.
   */
  async #makeDurable(segment: Segment, { append, receipt }: Exclude<Taken, 'again'>): Promise<void> {
    try {
      if (!segment.isDurable) await segment.sync()
      // Whoever published the segment may have died before its name was durable.
      if (!this.#nameIsDurable) await this.#folder?.sync()
      this.#nameIsDurable = true
    } catch (cause) {
      segment.putBack(append?.record ? [...receipt.between, append.record] : receipt.between)
      this.#mustSeal = true
      throw outcomeUnknown(cause)
    }
  }

  /** True when this segment is over, and the next exchange has a new one to make or to find. */
  #sealIfLong(segment: Segment): boolean {
    if (segment.sealedBy !== null) return true
    const log = segment.size - segment.start
    if (this.#head === null || log <= Math.max(this.#options.rollAt, 2 * segment.start)) return false
    // Whoever may not make a snapshot does not ask for one.
    if (this.#replica?.isWhole !== true) return false
    if (log <= 2 * dearBytes(this.#head, log, this.#replica.snapshot())) return false
    try {
      segment.seal(this.#options.writer)
      return true
    } catch {
      // The disk is full, or worse: whoever writes next is told.
      return false
    }
  }

  async #openSegment(): Promise<Segment> {
    if (this.#folder === null) throw new HoldfastError('HOLDFAST_STORAGE_CLOSED', 'The journal is not open')
    const segment = this.#segment ?? (await this.#openNewest(this.#folder))
    if (this.#mustSeal) {
      segment.seal(this.#options.writer)
      this.#mustSeal = false
      this.#catchUp(segment)
    }
    if (segment.sealedBy === null) return segment
    // What the seal made void is taken back, so that the table is what the segment says.
    this.#catchUp(segment)
    return this.#moveOn(this.#folder, segment)
  }

  async #openNewest(folder: SegmentFolder): Promise<Segment> {
    const found = (await folder.newest()) ?? (await this.#publish(folder, 1, EMPTY))
    await this.#tidy(folder, found)
    return this.#enter(folder, found)
  }

  /**
   * Only ever the number after the one whose end this table stands at: if others were first, the name is taken, and
   * theirs is the one that counts.
   */
  async #publish(folder: SegmentFolder, number: number, snapshot: Snapshot): Promise<FoundSegment> {
    const found = (await folder.publish(number, snapshot)) ?? (await folder.newest(number - 1))
    if (found !== null) return found
    throw inTheWay(folder.path, await folder.obstacle(number))
  }

  /** From a segment that is over to the one that follows. */
  async #moveOn(folder: SegmentFolder, from: Segment): Promise<Segment> {
    let mine = from.sealedBy === this.#options.writer
    for (;;) {
      // A segment appears under its name whole: what has the name and is none will not become one.
      const taken = await folder.isTaken(from.number + 1)
      const found = await folder.newest(from.number)
      if (found !== null) {
        // What is left to take away is told by whoever made it.
        this.#growth = null
        return this.#enter(folder, found)
      }
      if (taken) throw inTheWay(folder.path, await folder.obstacle(from.number + 1))
      if (mine) return this.#enter(folder, await this.#roll(folder, from))
      mine = await nobodyRolls(folder, from.number)
    }
  }

  async #roll(folder: SegmentFolder, from: Segment): Promise<FoundSegment> {
    const next = await this.#publish(folder, from.number + 1, this.#replica?.snapshot() ?? EMPTY)
    await this.#tidy(folder, next)
    return next
  }

  /** What cannot be tidied up now is in nobody's way, and is tried again by whoever opens the folder or makes a segment. */
  async #tidy(folder: SegmentFolder, { number }: FoundSegment): Promise<void> {
    this.#growth = await folder.tidy(number).then(() => null, growing)
  }

  async #enter(folder: SegmentFolder, found: FoundSegment): Promise<Segment> {
    try {
      const segment = await this.#prepared(folder, found)
      await this.#leave()
      this.#nameIsDurable = false
      this.#segment = segment
      this.#head = found.head
      return segment
    } catch (error) {
      await found.file.close()
      throw error
    }
  }

  async #prepared(folder: SegmentFolder, found: FoundSegment): Promise<Segment> {
    const { number, file, head } = found
    const { durable } = this.#options
    if (head.format > LOG_FORMAT) throw newer(folder.path, head.format)
    const segment = new Segment({ number, file, start: head.end, durable, onDamage: this.#setAside(folder) })
    if (durable) segment.reassure()
    // What newer code wrote is not in this table: it begins anew, and that is no damage.
    const follows = this.#segment?.number === number - 1 && this.#replica?.isWhole === true
    if (follows && this.#standsAt(head)) return segment
    // Whoever read the predecessor to its seal has the same table: if not, one of them read something that was damaged.
    if (follows || !head.whole) this.#damaged += 1
    this.#snapshot = head.whole ? readSnapshot(file, head) : await this.#mended(folder, found, segment)
    return segment
  }

  /** Whether the table is what the snapshot holds: then there is nothing to load. */
  #standsAt(head: SnapshotHead): boolean {
    const { sequence, count, versions } = this.#replica?.snapshot() ?? EMPTY
    return head.whole && head.sequence === sequence && head.count === count && head.versions === versions
  }

  /** For a snapshot that is damaged: its predecessor leads to the same table; without one, what can be read of it. */
  async #mended(folder: SegmentFolder, damaged: FoundSegment, segment: Segment): Promise<Snapshot> {
    await folder.keepDamaged(damaged.number)
    const before = await folder.find(damaged.number - 1)
    if (before === null) return readSnapshot(damaged.file, damaged.head)
    const onDamage = this.#setAside(folder)
    const predecessor = new Segment({ ...before, start: before.head.end, durable: false, onDamage })
    try {
      if (!before.head.whole) return readSnapshot(damaged.file, damaged.head)
      const snapshot = readSnapshot(before.file, before.head)
      segment.putBack(predecessor.take())
      predecessor.tellLostEnd()
      return { ...snapshot, rows: [...snapshot.rows] }
    } finally {
      await predecessor.close()
    }
  }

  #setAside(folder: SegmentFolder): SegmentOptions['onDamage'] {
    return (...damage) => {
      this.#damaged += 1
      // Others read the same line: one of them keeps it, and a disk that cannot take it loses nothing that works.
      const kept = folder.setAside(...damage).catch(() => undefined)
      this.#kept = this.#kept.then(() => kept)
    }
  }

  async #leave(): Promise<void> {
    const segment = this.#segment
    this.#segment = null
    await segment?.close()
  }
}
