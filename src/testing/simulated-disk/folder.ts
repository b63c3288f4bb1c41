import type { StoredFile } from './stored-file.ts'

/** One step that names take together: a rename takes a name away and gives one, or does neither. */
export interface NameChange {
  readonly moment: number
  readonly names: readonly (readonly [name: string, file: StoredFile | null])[]
}

/** The names in a folder: as running processes see them, as they are on the disk, and the changes in between. */
export class Folder {
  readonly names: Map<string, StoredFile> = new Map()
  readonly #durable = new Map<string, StoredFile>()
  #changes: readonly NameChange[] = []

  /** Changes that a power cut may still undo, oldest first. */
  get changes(): readonly NameChange[] {
    return this.#changes
  }

  change(change: NameChange): void {
    for (const [name, file] of change.names) {
      const before = this.names.get(name)
      if (before !== undefined) before.names -= 1
      if (file === null) this.names.delete(name)
      else {
        file.names += 1
        this.names.set(name, file)
      }
    }
    this.#changes = [...this.#changes, change]
  }

  synced(covered: readonly NameChange[]): void {
    for (const { names } of covered) put(this.#durable, names)
    this.#changes = this.#changes.filter((change) => !covered.includes(change))
  }

  /** The names that are left when of the changes that were not synced only those in `kept` reached the disk. */
  survivors(kept: readonly NameChange[]): ReadonlyMap<string, StoredFile> {
    const names = new Map(this.#durable)
    for (const change of kept) put(names, change.names)
    return names
  }

  /** The same names and changes, with the files that `copyOf` answers in the place of these. */
  copy(copyOf: (file: StoredFile) => StoredFile): Folder {
    const folder = new Folder()
    for (const [name, file] of this.names) {
      const copy = copyOf(file)
      copy.names += 1
      folder.names.set(name, copy)
    }
    for (const [name, file] of this.#durable) folder.#durable.set(name, copyOf(file))
    folder.#changes = this.#changes.map(({ moment, names }) => ({
      moment,
      names: names.map(([name, file]) => [name, file === null ? null : copyOf(file)] as const),
    }))
    return folder
  }

  /** Fills a folder of a new disk: nothing in it is at risk. */
  restore(names: Iterable<readonly [string, StoredFile]>): void {
    for (const [name, file] of names) {
      this.names.set(name, file)
      this.#durable.set(name, file)
      file.names += 1
    }
  }
}

function put(names: Map<string, StoredFile>, changes: NameChange['names']): void {
  for (const [name, file] of changes) {
    if (file === null) names.delete(name)
    else names.set(name, file)
  }
}

/** A path's folder and its name there. Both kinds of separator, whatever platform the test runs on. */
export function placeOf(path: string): { readonly folder: string; readonly name: string } {
  const at = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'))
  return { folder: path.slice(0, Math.max(at, 0)), name: path.slice(at + 1) }
}
