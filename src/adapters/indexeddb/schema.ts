import type { DBSchema, IDBPDatabase } from 'idb'
import type { SnapshotRow } from '../../core/storage/job-table/job-table.ts'

/** Version of the database. Upgrades add stores and never drop one, so an older tab beside a newer one finds its own. */
export const VERSION = 1

/** The format of what the stores hold. A database whose `minWriter` is higher is only read. */
export const SCHEMA = 1

/** Where a snapshot begins and what it says of itself; under each of `HEADS`. */
export interface SnapshotHead {
  readonly format: number
  /** Names its chunks: `<generation>/<number>`. */
  readonly generation: string
  readonly chunks: number
  /** Of the last record of the log that it contains. */
  readonly position: number
  readonly sequence: number
  readonly highest: number
  readonly count: number
  readonly versions: number
}

export interface SnapshotChunk {
  readonly rows: readonly SnapshotRow[]
}

/** Keys of `$meta` and what stands there. */
export interface Meta {
  /** Which database this is: another one under the same name is another. */
  readonly identity: string
  readonly schema: number
  readonly minWriter: number
  /** Who makes a snapshot, and since which position. A mark, not a lock: who dies with it is passed over. */
  readonly snapshotting: { readonly writer: string; readonly position: number }
  /** Written when an answer has to rest on a durable write and there is nothing to write. */
  readonly barrier: number
  /** Bytes that are given up when the browser gives no more, so that jobs can be ended; see `reserve.ts`. */
  readonly reserve: Uint8Array
  /** Proof that Blobs are kept here. */
  readonly blob: Blob
}

/** Without indexes: a record in the log is the whole of what one flush writes. */
export interface Schema extends DBSchema {
  /** Records of the log, each a `LogRecord` with its `position`; read as data of others, whatever it says. */
  log: { key: number; value: unknown }
  snapshot: { key: string; value: unknown }
  /** Payloads of one flush, kept out of the log and of the table; see `payloads.ts`. */
  payloads: { key: string; value: readonly unknown[] }
  $meta: { key: string; value: unknown }
  /** What could not be read, under `<store>/<key>`: nobody reads it but people. */
  $damaged: { key: string; value: unknown }
  /** Enqueues that joined a transaction of the application. */
  $outbox: { key: number; value: unknown }
}

export type Handle = IDBPDatabase<Schema>

/** Called within an upgrade. */
export function createStores(database: IDBDatabase, transaction: IDBTransaction, identity: string): void {
  const missing = (name: string): boolean => !database.objectStoreNames.contains(name)
  if (missing('log')) database.createObjectStore('log', { keyPath: 'position', autoIncrement: true })
  if (missing('snapshot')) database.createObjectStore('snapshot')
  if (missing('payloads')) database.createObjectStore('payloads')
  if (missing('$damaged')) database.createObjectStore('$damaged')
  if (missing('$outbox')) database.createObjectStore('$outbox', { autoIncrement: true })
  if (!missing('$meta')) return
  database.createObjectStore('$meta')
  const meta = transaction.objectStore('$meta')
  meta.put(identity, 'identity')
  meta.put(SCHEMA, 'schema')
  meta.put(SCHEMA, 'minWriter')
}
