import { constants, fdatasync, fstatSync, readSync, watch, writeSync } from 'node:fs'
import { link, mkdir, open, readdir, realpath, rename, rm, stat, statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { FileSystem, OpenFile } from './file-system.ts'
import { hasCode } from './segment-folder.ts'

const OWNER_ONLY_FOLDER = 0o700
const OWNER_ONLY_FILE = 0o600

const syncData = promisify(fdatasync)

/** The file system of the machine. */
export const systemFiles: FileSystem = {
  async makeFolder(given) {
    const path = resolve(given)
    const made = await makeFolders(path)
    const folder = await realpath(path)
    // Whoever made it may have been killed before that. A folder above that may not be read was made by somebody else.
    if (!made) await syncFolder(dirname(folder)).catch(() => undefined)
    return folder
  },
  kindOf: async (path) => (await statfs(path)).type,
  list: (folder) => readdir(folder),
  open: openFile,
  link,
  rename,
  remove: (path) => rm(path),
  syncFolder,
  watch(folder, changed) {
    const watcher = watch(folder, { persistent: false }, changed)
    // It may end for many reasons, a removed folder among them. It was a hint all along.
    watcher.on('error', () => watcher.close())
    return () => watcher.close()
  },
}

/**
 * With those above it. False: it was there. The `recursive` of Node itself has no end where a folder is there and takes
 * none, as in /proc: it is told that something is missing, finds that nothing is, and asks again.
 */
async function makeFolders(path: string, missing: 'made' | 'told' = 'made'): Promise<boolean> {
  const above = dirname(path)
  try {
    await mkdir(path, OWNER_ONLY_FOLDER)
  } catch (error) {
    if (await isFolder(path)) return false
    if (missing === 'told' || above === path || !hasCode(error, 'ENOENT')) throw error
    await makeFolders(above)
    return makeFolders(path, 'told')
  }
  // The name of a new folder is durable only when the folder above it is.
  await syncFolder(above)
  return true
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

async function openFile(path: string, { create }: { readonly create: boolean }): Promise<OpenFile> {
  const flags = constants.O_RDWR | constants.O_APPEND | (create ? constants.O_CREAT | constants.O_EXCL : 0)
  const handle = await open(path, flags, OWNER_ONLY_FILE)
  const { fd } = handle
  return {
    stat() {
      const { size, nlink } = fstatSync(fd)
      return { size, names: nlink }
    },
    read: (into, position) => readSync(fd, into, 0, into.length, position),
    append: (data) => writeSync(fd, data),
    sync: () => syncData(fd),
    close: () => handle.close(),
  }
}

async function syncFolder(path: string): Promise<void> {
  // Windows has no such thing, and needs none.
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
