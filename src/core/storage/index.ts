/** What an adapter outside of this package builds on: the contract, the logged storage, the Log under it. */
export type * from './contract.ts'
export type { Snapshot, SnapshotRow } from './job-table/job-table.ts'
export type { Change, Unit } from './job-table/rows.ts'
export {
  type Append,
  type Log,
  LOG_FORMAT,
  type LogHealth,
  type LogRecord,
  type LogReplica,
  type Need,
  type PayloadChunk,
  type PayloadStore,
  type Presence,
  type Receipt,
  type Tail,
  type Turn,
} from './log.ts'
export { LoggedStorage, type LoggedStorageOptions } from './logged-storage.ts'
