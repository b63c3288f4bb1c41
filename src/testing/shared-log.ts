import { HoldfastError } from '../core/errors.ts'
import type { StorageTraits } from '../core/storage/contract.ts'
import { JobTable, type Snapshot } from '../core/storage/job-table/job-table.ts'
import type {
  Append,
  Log,
  LogRecord,
  LogReplica,
  PayloadChunk,
  PayloadStore,
  Receipt,
  Tail,
} from '../core/storage/log.ts'
import { LoggedStorage } from '../core/storage/logged-storage.ts'
import { copyPlain } from '../core/storage/plain.ts'

/**
 * What may happen to one append. `lose the answer`: it lands, and the writer is not told. `drop`: it does not land, and
 * the writer is told that nobody knows. `repeat`: it lands twice. `refuse`: it fails for certain, as on a full disk.
 * `overtake`: what `interfere` does comes between the tail the writer saw and its record.
 */
export type Fault = 'lose the answer' | 'drop' | 'repeat' | 'refuse' | 'overtake'

/** Records after which a new snapshot is made, so that tests cross one often. */
const SNAPSHOT_EVERY = 7

/**
 * A log in memory that several handles share: the model of a log on a disk or in IndexedDB, with their faults on cue.
 * Records are copied in and out; a handle that falls behind a snapshot is told to begin anew.
 */
export class SharedLog {
  /** Asked before each append; `null`: all goes well. */
  fault: (record: LogRecord) => Fault | null = () => null
  /** For `overtake`: runs while the append is on its way. */
  interfere: () => void = () => undefined
  /** Exchanges that have read their tail and not appended yet: what comes between is kept for them. */
  underWay = 0
  readonly #records: LogRecord[] = []
  /** Index in the whole history of the first record that is still here. */
  #start = 0
  #snapshot: Snapshot = copySnapshot(new JobTable().snapshot())
  readonly #watchers = new Set<() => void>()
  /** Payloads outside the log. */
  readonly chunks: Map<string, readonly unknown[]> = new Map()
  /** What a flush carries before its payloads are kept there, for handles made after it was set. */
  keepsPayloadsAbove: number = 16 * 1024

  /** A Log for one storage. Handles of one SharedLog share its records. */
  handle(): Log {
    return new Handle(this)
  }

  get end(): number {
    return this.#start + this.#records.length
  }

  append(record: LogRecord, payloads: readonly PayloadChunk[] = []): void {
    this.#records.push(copyPlain(record))
    for (const chunk of payloads) this.chunks.set(chunk.key, copyPlain(chunk.payloads))
  }

  readChunks(keys: readonly string[]): ReadonlyMap<string, readonly unknown[]> {
    const found = keys.flatMap((key) =>
      this.chunks.has(key) ? [[key, copyPlain(this.chunks.get(key) ?? [])] as const] : [],
    )
    return new Map(found)
  }

  tellWatchers(except: () => void): void {
    for (const watcher of this.#watchers) if (watcher !== except) watcher()
  }

  watch(listener: () => void): () => void {
    this.#watchers.add(listener)
    return () => void this.#watchers.delete(listener)
  }

  /** What stands from `position` on; a snapshot when that is gone, or nothing was read yet. */
  tail(position: number | null): Tail {
    if (position === null || position < this.#start)
      return { snapshot: copySnapshot(this.#snapshot), records: copyPlain(this.#records) }
    return { records: copyPlain(this.#records.slice(position - this.#start)) }
  }

  between(from: number, to: number): readonly LogRecord[] {
    return copyPlain(this.#records.slice(from - this.#start, to - this.#start))
  }

  /** Replaces the records by a snapshot of a replica that has read all of them. */
  truncate(snapshot: Snapshot): void {
    if (this.#records.length < SNAPSHOT_EVERY || this.underWay > 1) return
    this.#snapshot = copySnapshot(snapshot)
    this.#start = this.end
    this.#records.length = 0
  }
}

class Handle implements Log {
  readonly payloads: PayloadStore
  readonly #log: SharedLog
  #position: number | null = null
  #replica: LogReplica | null = null
  #listener: () => void = () => undefined

  constructor(log: SharedLog) {
    this.#log = log
    this.payloads = { above: log.keepsPayloadsAbove, read: (keys) => Promise.resolve(log.readChunks(keys)) }
  }

  open(replica: LogReplica): Promise<void> {
    this.#replica = replica
    this.#position = null
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  async exchange(turn: (tail: Tail) => Append | null): Promise<Receipt> {
    this.#log.underWay += 1
    try {
      return await this.#exchange(turn)
    } finally {
      this.#log.underWay -= 1
    }
  }

  async #exchange(turn: (tail: Tail) => Append | null): Promise<Receipt> {
    const log = this.#log
    const tail = log.tail(this.#position)
    const read = log.end
    this.#position = read
    const { record, payloads } = turn(tail) ?? { record: null }
    if (record === null) return { between: [] }
    const fault = log.fault(record)
    if (fault === 'refuse') throw new HoldfastError('HOLDFAST_STORAGE', 'The log is full')
    if (fault === 'drop') throw new HoldfastError('HOLDFAST_OUTCOME_UNKNOWN', 'The connection was lost')
    if (fault === 'overtake') {
      log.interfere()
      // The others' turn: their flushes need one to reach the log.
      for (let at = 0; at < 20; at++) await Promise.resolve()
    }
    const landed = log.end
    log.append(record, payloads)
    if (fault === 'repeat') log.append(record, payloads)
    log.tellWatchers(this.#listener)
    if (fault === 'lose the answer') throw new HoldfastError('HOLDFAST_OUTCOME_UNKNOWN', 'The connection was lost')
    const between = log.between(read, landed)
    this.#position = landed + 1
    // The replica holds what it has just decided; if nobody came between, that is the log up to here.
    if (between.length === 0 && this.#replica !== null) log.truncate(this.#replica.snapshot())
    return { between }
  }

  isAhead(): boolean {
    return this.#position !== this.#log.end
  }

  watch(listener: () => void): () => void {
    this.#listener = listener
    return this.#log.watch(listener)
  }
}

const SHARED_TRAITS: StorageTraits = { durable: false, scope: 'host', payload: 'structured-clone', transactions: false }

let handles = 0

/** A handle on the jobs of a shared log. */
export function sharedStorage(log: SharedLog): LoggedStorage {
  handles += 1
  return new LoggedStorage({ name: 'shared', traits: SHARED_TRAITS, log: log.handle(), writer: `shared-${handles}` })
}

function copySnapshot({ rows, ...rest }: Snapshot): Snapshot {
  return { ...rest, rows: copyPlain([...rows]) }
}
