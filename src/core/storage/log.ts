import type { StorageStatus } from './contract.ts'
import type { Snapshot } from './job-table/job-table.ts'
import type { Unit } from './job-table/rows.ts'

/** The format this code writes. A reader that meets a newer one stops writing. */
export const LOG_FORMAT = 1

/** What one flush appended, whole. */
export interface LogRecord {
  /** Unique; by it a writer whose answer was lost finds out whether the record is in the log. */
  readonly id: string
  readonly format: number
  readonly units: readonly Unit[]
}

/** What a replica has not seen yet. */
export interface Tail {
  /**
   * Begin anew from here: in the first exchange after `open` (an empty snapshot for a new log), and when records that
   * this replica has not read are gone from the log.
   */
  readonly snapshot?: Snapshot
  readonly records: readonly LogRecord[]
  /** The snapshot is of a newer format than this code knows: what it says may be a part of the truth. */
  readonly isNewer?: boolean
  /** The tail goes on behind these records: what is not among them may still come. Only for `catchUp`. */
  readonly hasMore?: boolean
}

/** What a turn makes of a tail: `null`, nothing to append. */
export type Turn = (tail: Tail) => Append | null

export interface Append {
  /** `null`: nothing is written, but what was read is to be as durable as `durable` says: an answer rests on it. */
  readonly record: LogRecord | null
  /** Whether the log is to survive a power cut up to here before this is acknowledged. */
  readonly durable: boolean
  /** To be written in the same step as the record. */
  readonly payloads?: readonly PayloadChunk[]
}

/** Payloads of one flush that are kept outside the log: a row names its chunk and its place there. */
export interface PayloadChunk {
  /** Unique. Written again under the same key, it is the same. */
  readonly key: string
  readonly payloads: readonly unknown[]
}

/** Where a log keeps chunks. It removes them once no row names them. */
export interface PayloadStore {
  /** What a flush may carry, in characters or so, before its payloads are kept here; also the size of a chunk. */
  readonly above: number
  /** Those that are there; one that is not has gone with its jobs, or somebody took it away. */
  read(keys: readonly string[]): Promise<ReadonlyMap<string, readonly unknown[]>>
}

export interface Receipt {
  /** Records of others that stand between the tail the turn saw and the appended record. */
  readonly between: readonly LogRecord[]
  /** The log has work of its own to do in another exchange, soon, even when there is nothing else to write. */
  readonly unfinished?: boolean
}

/** The table above a log, as far as the log needs it. */
export interface LogReplica {
  /**
   * Takes over a tail and decides nothing; what a turn decided and the log could not keep is taken back. How a log
   * brings the table to the very end of what it is about to replace by a snapshot.
   */
  catchUp(tail: Tail): void
  /**
   * The table as it is now. It changes only within `catchUp` and an exchange. Throws `HOLDFAST_STORAGE_NEWER` where this
   * handle only reads: then the log is not to be cut, since nobody here could write what comes in the place of it.
   */
  snapshot(): Snapshot
  /** Rows that a snapshot would have now. */
  readonly size: number
  /** False once it met something newer than it understands: then no snapshot may be made of it. */
  readonly isWhole: boolean
}

/** Room that a log keeps for ending jobs when there is no other left. */
export interface Reserve {
  /** Gives it up, and with it whatever else can go without loss. */
  release(): Promise<void>
  /** Whether it could be put back, or was there: then there is room for new work. Never rejects. */
  restore(): Promise<boolean>
}

/** What a log can tell about the processes that write to it. */
export interface Presence {
  /**
   * How other processes find out whether this one lives: plain data, kept with each session that is opened here, and
   * replaced by its next beat when it has changed. `undefined`: by nothing, for now.
   */
  readonly self: unknown
  /** While a name is on its way: resolves when it is held, or may take longer. Absent or `null`: none is. */
  readonly naming?: Promise<void> | null
  /** Whether there is proof that the process is over. */
  isOver(process: unknown): boolean
  /** Looks after the processes that `others` names, and calls `found` when one of them is over. Returns what ends it. */
  watch(others: () => Iterable<unknown>, found: () => void): () => void
  /** `others` may name more than before: what was read is in the table now. Absent: `watch` needs no telling. */
  look?(): void
}

/** `read`: nothing is appended. `append`: at most what need not survive a power cut. `durable`: anything. */
export type Need = 'read' | 'append' | 'durable'

/**
 * An ordered sequence of records that several replicas share. The order of the log decides who was first; there is no
 * owner and no lock. node-fs and IndexedDB are Logs.
 */
export interface Log {
  /** Absent: a session ends by its own word or by silence, never by proof. */
  readonly presence?: Presence | undefined

  /** Absent: all payloads are in the table, and in its snapshots. */
  readonly payloads?: PayloadStore

  open(replica: LogReplica): Promise<void>
  close(): Promise<void>

  /**
   * One flush: calls `turn` synchronously with the tail, appends what it returns (`null`: nothing), and resolves once
   * that is as durable as asked. `need` says beforehand the most that the turn may ask for. `guess` is a turn that has
   * read nothing, for a log to which nobody else seems to write: what it returns shows in the log whether it stands, or
   * it says `read first`, where an answer would rest on what was not read. `turn` is called again when what it returned certainly is not in the log and can still
   * get there: the last call counts. Rejects with `HOLDFAST_OUTCOME_UNKNOWN` when the record may or may not be in the log
   * (a later tail tells), with another error when it certainly is not: `HOLDFAST_PAYLOAD_FORMAT` where the platform
   * cannot store one of the payloads that it was given; then the calls are tried one by one.
   */
  exchange(turn: Turn, need: Need, guess: () => Append | null | 'read first'): Promise<Receipt>

  /**
   * Calls `listener` when the log may have grown: promptly where the platform can tell, and in any case in the end. A
   * Log whose platform loses signals polls, since a handle that only reads learns of others' records by nothing else.
   * Returns the function that stops it.
   */
  watch(listener: () => void): () => void

  /**
   * Whether others have written since it was last read, told at once and at next to no cost: it is asked before each
   * read. Absent: that cannot be told without an exchange.
   */
  isAhead?(): boolean

  /**
   * Absent: nothing is kept, and a full storage takes no outcomes either. With it, calls that an exchange refused with
   * `HOLDFAST_STORAGE_FULL` are tried once more after `release` unless they bring new work.
   */
  readonly reserve?: Reserve | undefined

  /** What the platform says of its storage. Absent: nothing. */
  status?(): Promise<StorageStatus>
  requestPersistence?(): Promise<boolean | null>

  /** What is wrong with the log, for `queue.health()`. Absent: nothing can be. */
  health?(): LogHealth

  /** Calls `listener` when `health` has changed other than by an exchange, for as long as the log exists. */
  watchHealth?(listener: () => void): void
}

export interface LogHealth {
  /** Records that could not be read; they were set aside. */
  readonly damaged: number
  /** Why the log takes no writes at the moment; `null`: it does. */
  readonly problem: Error | null
  /** Writes are less durable than was asked: the platform does not honour it. */
  readonly isWeaker?: boolean
  /** How often the data was found to be gone, or another's, since the log was opened. */
  readonly resets?: number
  /** What is wrong though the log takes writes: nothing survives the end of the process, for instance. */
  readonly degraded?: Error | null
}
