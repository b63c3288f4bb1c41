import { constants, fdatasync, fstatSync, readSync, watch, writeSync } from 'node:fs'
import { link, mkdir, open, readdir, realpath, rename, rm, statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { FileSystem, OpenFile } from './file-system.ts'

const OWNER_ONLY_FOLDER = 0o700
const OWNER_ONLY_FILE = 0o600

const syncData = promisify(fdatasync)

/** The file system of the machine. */
export const systemFiles: FileSystem = {
  async makeFolder(given) {
    const path = resolve(given)
    const made = await mkdir(path, { recursive: true, mode: OWNER_ONLY_FOLDER })
    // The name of a new folder is durable only when the folder above it is.
    for (let at = path; made !== undefined && at.length >= made.length; at = dirname(at)) await syncFolder(dirname(at))
    const folder = await realpath(path)
    // Whoever made it may have been killed before that. A folder above that may not be read was made by somebody else.
    if (made === undefined) await syncFolder(dirname(folder)).catch(() => undefined)
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
