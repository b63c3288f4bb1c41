import { randomBytes } from 'node:crypto'
import type { StorageAdapter } from '../../core/storage/contract.ts'
import { LoggedStorage } from '../../core/storage/logged-storage.ts'
import { Journal } from './journal.ts'
import { openFolder } from './open-folder.ts'
import { checkedOptions, type NodeFsOptions } from './options.ts'
import { SocketPresence } from './presence.ts'
import { SegmentFolder } from './segment-folder.ts'
import { systemFiles } from './system-files.ts'

export type { FileSystem, OpenFile } from './file-system.ts'
export type { NodeFsOptions } from './options.ts'

/**
 * Jobs in a folder of this machine, shared by every process that opens it. There is no server, no lock and no leader:
 * all append to one journal, and its order decides. An acknowledged write survives `kill -9` and, by default, a power
 * cut.
 *
 * @throws HoldfastError `HOLDFAST_INVALID_OPTION` at once; what is wrong with the folder when the queue is opened
 */
export function nodeFs(options: NodeFsOptions): StorageAdapter {
  const { directory, durability, rollAt, allowNetworkFileSystem, fileSystem: given } = checkedOptions(options)
  const fileSystem = given ?? systemFiles
  const writer = randomBytes(9).toString('base64url')
  const durable = durability === 'disk'
  // Where the files are simulated there is no folder for a socket.
  const presence = given === undefined ? new SocketPresence(writer) : undefined
  const log = new Journal({
    writer,
    durable,
    rollAt,
    ...(presence !== undefined && { presence }),
    watchFolder: (path, changed) => fileSystem.watch(path, changed),
    openFolder: async () => {
      const path = await openFolder(fileSystem, directory, allowNetworkFileSystem)
      return new SegmentFolder({ fileSystem, path, writer })
    },
  })
  const traits = { durable: true, scope: 'host', payload: 'json', transactions: false } as const
  return new LoggedStorage({ name: 'node-fs', traits, log, writer })
}
