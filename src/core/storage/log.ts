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
}

export interface Append {
  readonly record: LogRecord
  /** Whether the append is to survive a power cut before it is acknowledged. */
  readonly durable: boolean
}

export interface Receipt {
  /** Records of others that stand between the tail the turn saw and the appended record. */
  readonly between: readonly LogRecord[]
}

/**
 * An ordered sequence of records that several replicas share. The order of the log decides who was first; there is no
 * owner and no lock. node-fs and IndexedDB are Logs, memory is the one that keeps nothing.
 */
export interface Log {
  /** True when nobody else can append between a turn's tail and its record, and an append cannot fail. */
  readonly exclusive: boolean

  open(replica: { snapshot(): Snapshot }): Promise<void>
  close(): Promise<void>

  /**
   * One flush: calls `turn` synchronously with the tail, appends what it returns (`null`: nothing), and resolves once
   * that is as durable as asked. Rejects with `HOLDFAST_OUTCOME_UNKNOWN` when the record may or may not be in the log
   * (a later tail tells), with another error when it certainly is not.
   */
  exchange(turn: (tail: Tail) => Append | null): Promise<Receipt>

  /**
   * Calls `listener` when the log may have grown: promptly where the platform can tell, and in any case in the end. A
   * Log whose platform loses signals polls, since a handle that only reads learns of others' records by nothing else.
   * Returns the function that stops it.
   */
  watch(listener: () => void): () => void
}
