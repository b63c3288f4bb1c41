import { HoldfastError } from '../../core/errors.ts'
import type { FileSystem } from './file-system.ts'
import { NETWORK_KINDS } from './network-kinds.ts'
import { hasCode } from './segment-folder.ts'

/** The real path of the journal's folder, made if it is missing. */
export async function openFolder(
  fileSystem: FileSystem,
  directory: string,
  allowNetworkFileSystem: boolean,
): Promise<string> {
  const path = await made(fileSystem, directory)
  // Some systems give the number as a signed one.
  const kind = NETWORK_KINDS.get((await fileSystem.kindOf(path)) >>> 0)
  if (kind !== undefined && !allowNetworkFileSystem)
    throw new HoldfastError(
      'HOLDFAST_NETWORK_FILE_SYSTEM',
      `${directory} is on a network file system (${kind}), where appends of several machines can overwrite each other. ` +
        'Use a local folder, or allowNetworkFileSystem: true if only one machine ever writes there',
      { details: { field: 'directory', value: directory } },
    )
  return path
}

async function made(fileSystem: FileSystem, directory: string): Promise<string> {
  try {
    return await fileSystem.makeFolder(directory)
  } catch (cause) {
    throw new HoldfastError('HOLDFAST_STORAGE', `${directory} cannot hold the journal: it ${reason(cause)}`, {
      cause,
      details: { field: 'directory', value: directory },
    })
  }
}

function reason(cause: unknown): string {
  if (hasCode(cause, 'EEXIST') || hasCode(cause, 'ENOTDIR')) return 'is a file, or lies below one'
  if (hasCode(cause, 'EACCES') || hasCode(cause, 'EPERM') || hasCode(cause, 'EROFS')) return 'may not be written'
  return `cannot be made (${cause instanceof Error ? cause.message : String(cause)})`
}
