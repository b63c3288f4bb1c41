import { invalidOption, knownOptions } from '../../core/errors.ts'
import type { FileSystem } from './file-system.ts'

export interface NodeFsOptions {
  /**
   * Where the journal lives; made, for its owner alone, if it is missing. Every process that opens the same folder
   * shares its jobs. A local file system is needed: see `allowNetworkFileSystem`.
   */
  readonly directory: string
  /**
   * What an acknowledged write survives. `disk` (default): a power cut, by fdatasync. `process`: the end of the process,
   * also by `kill -9`, and not a power cut; calls
   * wait for the disk only where the journal goes on in a new file.
   */
  readonly durability?: 'disk' | 'process'
  /**
   * Bytes of records after which the journal goes on in a new file that begins with a snapshot; the bound is twice the
   * snapshot, the last or the next, where that is more. Default 4 MiB, at least 1. A smaller one costs more writing and
   * less reading at start.
   */
  readonly rollAt?: number
  /**
   * True: open the folder even where the file system is known to be a network's, which may let two machines write over
   * each other. Default false.
   */
  readonly allowNetworkFileSystem?: boolean
  /** In place of the machine's files: the simulated disk of `holdfast/testing`. */
  readonly fileSystem?: FileSystem
}

const DEFAULT_ROLL_AT = 4 * 1024 * 1024

const NAMES: readonly (keyof NodeFsOptions)[] = [
  'directory',
  'durability',
  'rollAt',
  'allowNetworkFileSystem',
  'fileSystem',
]

export interface CheckedOptions {
  readonly directory: string
  readonly durability: 'disk' | 'process'
  readonly rollAt: number
  readonly allowNetworkFileSystem: boolean
  readonly fileSystem: FileSystem | undefined
}

/** @throws HoldfastError `HOLDFAST_INVALID_OPTION` */
export function checkedOptions(options: NodeFsOptions): CheckedOptions {
  knownOptions('nodeFs', options, NAMES)
  const { directory, durability, rollAt, allowNetworkFileSystem, fileSystem } = options as unknown as Readonly<
    Record<string, unknown>
  >
  if (typeof directory !== 'string' || directory === '' || directory.includes('\0'))
    throw invalidOption('directory', 'the path of a folder', directory)
  if (durability !== undefined && durability !== 'disk' && durability !== 'process')
    throw invalidOption('durability', "'disk' or 'process'", durability)
  if (rollAt !== undefined && !(Number.isInteger(rollAt) && (rollAt as number) >= 1))
    throw invalidOption('rollAt', 'a whole number of bytes, at least 1', rollAt)
  if (allowNetworkFileSystem !== undefined && typeof allowNetworkFileSystem !== 'boolean')
    throw invalidOption('allowNetworkFileSystem', 'true or false', allowNetworkFileSystem)
  if (fileSystem !== undefined && typeof (fileSystem as FileSystem | null)?.open !== 'function')
    throw invalidOption('fileSystem', 'a file system, as the simulated disk is one', fileSystem)
  return {
    directory,
    durability: durability ?? 'disk',
    rollAt: (rollAt as number | undefined) ?? DEFAULT_ROLL_AT,
    allowNetworkFileSystem: allowNetworkFileSystem ?? false,
    fileSystem: fileSystem as FileSystem | undefined,
  }
}
