import type { SimulatedProcess } from './simulated-process.ts'

/**
 * What may happen to one call.
 * - `crash`: the process ends before the call does anything; `crash midway`: an append leaves half of its bytes first,
 *   another call does all it does. Other processes go on.
 * - `power cut`: the call takes effect in the cache, and then everything ends. See `SimulatedDisk.afterPowerCut`.
 * - `short write`: an append writes half of its bytes and says so; another call goes well.
 * - an error's code: the call fails with it and does nothing. Only a failed sync of a file does harm: it drops what it
 *   covered. (One of a folder does not: names go through the file system's own journal, and when that fails it takes
 *   nothing more at all, so a later sync that succeeds can be believed.)
 */
export type DiskFault = 'crash' | 'crash midway' | 'power cut' | 'short write' | 'EIO' | 'ENOSPC' | 'EMFILE' | 'EPERM'

export type DiskCallName =
  | 'makeFolder'
  | 'kindOf'
  | 'list'
  | 'open'
  | 'link'
  | 'rename'
  | 'remove'
  | 'syncFolder'
  | 'watch'
  | 'stat'
  | 'read'
  | 'append'
  | 'sync'
  | 'close'

/** One call that a process makes. */
export interface DiskCall {
  readonly process: SimulatedProcess
  readonly name: DiskCallName
  /** The file or folder; for `link` and `rename` the new name. */
  readonly path: string
  /** Which call of its process this is, from 1. */
  readonly number: number
  /** Which call of all processes of the disk this is, from 1. */
  readonly total: number
  /** What an append is to write. */
  readonly data?: Uint8Array
}

/** An error as `node:fs` reports it: `code` tells. */
export class DiskError extends Error {
  override readonly name: string = 'DiskError'
  /** `GONE`: the process has crashed or the power was cut. No program can see that one, so none should tell it apart. */
  readonly code: string

  constructor(code: string, call: Pick<DiskCall, 'name' | 'path'>) {
    super(`${code}: simulated, ${call.name} '${call.path}'`)
    this.code = code
  }
}
