import { ManualClock } from '../manual-clock.ts'
import type { DiskCall, DiskFault } from './disk-call.ts'
import { Folder, placeOf } from './folder.ts'
import { type AtRisk, type Persistence, powerCut } from './persistence.ts'
import { SimulatedProcess } from './simulated-process.ts'
import { StoredFile } from './stored-file.ts'

/**
 * A disk in memory that several simulated processes share, to see what a program loses at a power cut. Killing a
 * process cannot show that: what it wrote stays in the system's cache, synced or not.
 *
 * Processes see one state, the cache. The disk under it is behind: a file's data reach it by `sync` of that file, names
 * by `syncFolder` of their folder, folders themselves at once. A sync covers what was there when it was called. One of a
 * file that fails drops what it covered: running processes go on reading it, later syncs succeed, and it is lost.
 * [tests/adapters/simulated-disk.test.ts]
 */
export class SimulatedDisk {
  /** Calls of all its processes so far. */
  calls = 0
  /** Asked at each call, after the process's own `fault`; `null`: all goes well. */
  fault: (call: DiskCall) => DiskFault | null = () => null
  /** The power is cut: no process of this disk does anything more. */
  off = false
  /** Where the order of all that happens on it stands. */
  #moment = 0
  readonly #folders = new Map<string, Folder>()
  readonly #watchers = new Map<() => void, { readonly folder: string; readonly process: SimulatedProcess }>()

  /** A running process: its own calls, faults and open files, and the file system to hand to a program. */
  process(): SimulatedProcess {
    return new SimulatedProcess(this)
  }

  cutPower(): void {
    this.off = true
  }

  /**
   * The disk as it is when the power comes back, if it were cut now. The same seed leaves the same; ask for several to
   * see the ways one cut may end.
   */
  afterPowerCut({ persistence, seed }: { readonly persistence: Persistence; readonly seed: number }): SimulatedDisk {
    const { random } = new ManualClock({ seed })
    const cut = powerCut(persistence, this.#atRisk(), random)
    const disk = new SimulatedDisk()
    const files = new Map<StoredFile, StoredFile>()
    for (const [path, folder] of this.#folders) {
      const restored = disk.makeFolder(path)
      for (const [name, file] of folder.survivors(cut.names(folder.changes))) {
        const survivor = files.get(file) ?? cut.file(file)
        files.set(file, survivor)
        restored.restore([[name, survivor]])
      }
    }
    return disk
  }

  /** The same disk once more, with the same of it unsynced, without its processes: they have all crashed there. */
  copy(): SimulatedDisk {
    const disk = new SimulatedDisk()
    disk.#moment = this.#moment
    const copies = new Map<StoredFile, StoredFile>()
    const copyOf = (file: StoredFile): StoredFile => {
      const copy = copies.get(file) ?? file.copy()
      copies.set(file, copy)
      return copy
    }
    for (const [path, folder] of this.#folders) disk.#folders.set(path, folder.copy(copyOf))
    return disk
  }

  /** The names in a folder as processes see them, for a test to look at. */
  list(folder: string): readonly string[] {
    return [...(this.#folders.get(folder)?.names.keys() ?? [])]
  }

  /** The content of a file as processes see it, for a test to look at. */
  content(path: string): Uint8Array {
    const file = this.find(path)
    if (file === undefined) throw new Error(`There is no ${path} on the simulated disk`)
    const bytes = new Uint8Array(file.size)
    file.read(bytes, 0)
    return bytes
  }

  /** What follows is for `SimulatedProcess`. @internal */
  nextMoment(): number {
    this.#moment += 1
    return this.#moment
  }

  /** @internal */
  makeFolder(path: string): Folder {
    const folder = this.#folders.get(path) ?? new Folder()
    this.#folders.set(path, folder)
    return folder
  }

  /** @internal */
  folder(path: string): Folder | undefined {
    return this.#folders.get(path)
  }

  /** @internal */
  find(path: string): StoredFile | undefined {
    const { folder, name } = placeOf(path)
    return this.#folders.get(folder)?.names.get(name)
  }

  /** @internal */
  watch(folder: string, process: SimulatedProcess, changed: () => void): () => void {
    this.#watchers.set(changed, { folder, process })
    return () => void this.#watchers.delete(changed)
  }

  /** Tells the watchers in other processes, and never within the call that changed something. @internal */
  tell(folder: string, except: SimulatedProcess): void {
    for (const [changed, watcher] of this.#watchers) {
      if (watcher.folder !== folder || watcher.process === except) continue
      void Promise.resolve().then(() => {
        if (!watcher.process.gone && this.#watchers.has(changed)) changed()
      })
    }
  }

  /** What a power cut may undo. A file without a name is lost in any case. */
  #atRisk(): AtRisk {
    const folders = [...this.#folders.values()]
    const files = new Set(folders.flatMap(({ names }) => [...names.values()]))
    return {
      writes: [...files].flatMap(({ writes }) => writes.map(momentOf)),
      names: folders.flatMap(({ changes }) => changes.map(momentOf)),
    }
  }
}

function momentOf({ moment }: { readonly moment: number }): number {
  return moment
}
