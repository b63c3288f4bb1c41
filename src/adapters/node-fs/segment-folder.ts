import type { Snapshot } from '../../core/storage/job-table/job-table.ts'
import type { FileSystem, OpenFile } from './file-system.ts'
import { encodeLine } from './lines.ts'
import { damagedName, leftOverNames, segmentName, segmentNumbers, temporaryName, temporaryNames } from './names.ts'
import { readHead, type SnapshotHead, writeSnapshot } from './snapshot.ts'

const TOMBSTONE = encodeLine({ kind: 'tombstone' })

/** How far what is retired lies behind what is being made, so that no sweep takes it for a left-over. */
const KEPT = 3

/** Names of retired segments that stay, so that a folder does not fill with tombstones. [decision 23] */
const KEPT_NAMES = 100

export interface SegmentFolderOptions {
  readonly fileSystem: FileSystem
  /** With links resolved. */
  readonly path: string
  /** Unique among all that ever write here. */
  readonly writer: string
}

export interface FoundSegment {
  readonly number: number
  readonly file: OpenFile
  readonly head: SnapshotHead
}

/**
 * The files of a journal. The name of a segment is never made again or emptied: it is published once, whole, by giving a
 * finished file its name, and retired by putting a tombstone in its place. So a process that slept through any number of
 * rolls still holds the file it knew, finds the seal in it, and can publish nothing under an old name: not while there is
 * a tombstone, and not when that has gone, a hundred segments later.
 *
 * What is published is synced whatever `durability` says: other processes of the folder may have been promised more, and
 * what was there before goes to make room for it. [tests/adapters/node-fs-journal.test.ts]
 */
export class SegmentFolder {
  readonly path: string
  readonly #fileSystem: FileSystem
  readonly #writer: string

  constructor({ fileSystem, path, writer }: SegmentFolderOptions) {
    this.path = path
    this.#fileSystem = fileSystem
    this.#writer = writer
  }

  /**
   * The newest segment, of those after `after`; `null`: there is none. Between the list and the look at a file any number
   * of segments may have come and been retired; so nothing is concluded from a list that is out of date by then.
   */
  async newest(after = 0): Promise<FoundSegment | null> {
    let listed = await this.#numbers(after)
    for (;;) {
      for (const number of listed) {
        const found = await this.find(number)
        if (found !== null) return found
      }
      const now = await this.#numbers(after)
      if (now[0] === listed[0]) return null
      listed = now
    }
  }

  async #numbers(after: number): Promise<readonly number[]> {
    return segmentNumbers(await this.#fileSystem.list(this.path)).filter((number) => number > after)
  }

  /** Whether the name of the segment is taken, by whatever. */
  async isTaken(number: number): Promise<boolean> {
    return segmentNumbers(await this.#fileSystem.list(this.path)).includes(number)
  }

  /** `null`: there is no such file, or it is a tombstone. */
  async find(number: number): Promise<FoundSegment | null> {
    const file = await this.#open(segmentName(number))
    if (file === null) return null
    try {
      const head = await readHead(file)
      if (head !== null) return { number, file, head }
    } catch (error) {
      await file.close()
      throw error
    }
    await file.close()
    return null
  }

  /** Makes the segment from a snapshot. `null`: somebody else has done it first. */
  async publish(number: number, snapshot: Snapshot): Promise<FoundSegment | null> {
    const temporary = this.#at(temporaryName(number, this.#writer))
    const { file, wrote: head } = await this.#prepare(temporary, (empty) => writeSnapshot(empty, snapshot))
    let published = false
    try {
      published = await this.#give(number, temporary)
      await this.sync()
      return published ? { number, file, head } : null
    } catch (error) {
      published = false
      throw error
    } finally {
      if (!published) await file.close()
    }
  }

  /** The name of the file because of which segment `number` can neither be made nor found. */
  async obstacle(number: number): Promise<string> {
    const [highest = number, ...others] = await this.#numbers(number - 1)
    return segmentName(others.includes(number) ? number : highest)
  }

  /**
   * False: the name is taken, or was. Whoever has prepared a file and then finds no segment so new that the name may be
   * free again, has the file swept before that: `#sweep` removes files first and names after them.
   */
  async #give(number: number, temporary: string): Promise<boolean> {
    try {
      const [newest = 0] = await this.#numbers(number)
      if (newest >= number + KEPT_NAMES) return false
      await this.#fileSystem.link(temporary, this.#at(segmentName(number)))
      return true
    } catch (error) {
      // ENOENT: somebody else's segment is there, and the file was swept as one that came too late.
      if (hasCode(error, 'EEXIST') || hasCode(error, 'ENOENT')) return false
      throw error
    } finally {
      await this.#remove(temporary)
    }
  }

  /** The one before the newest stays: it can stand in for a snapshot that is damaged later. */
  async tidy(newest: number): Promise<void> {
    await this.#retire(newest - 2)
    await this.#sweep(newest)
  }

  /**
   * Puts tombstones in the place of `number` and what is before it, down to the first that is one already. The oldest
   * goes first: whoever dies on the way leaves the others above a tombstone, where the next to come finds them.
   */
  async #retire(number: number): Promise<void> {
    const old: number[] = []
    for (let at = number; at > 0 && !(await this.#isRetired(at)); at--) old.unshift(at)
    const temporary = this.#at(temporaryName(number + KEPT, this.#writer))
    for (const at of old) {
      const { file } = await this.#prepare(temporary, (empty) => empty.append(TOMBSTONE))
      await file.close()
      // Swept by others, who have come far beyond here while this process slept: they see to the old ones.
      if (!(await this.#rename(temporary, segmentName(at)))) return
    }
  }

  async #rename(from: string, name: string): Promise<boolean> {
    try {
      await this.#fileSystem.rename(from, this.#at(name))
      return true
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return false
      throw error
    }
  }

  async #isRetired(number: number): Promise<boolean> {
    const file = await this.#open(segmentName(number))
    if (file === null) return true
    const size = file.stat().size
    await file.close()
    return size <= TOMBSTONE.length
  }

  /** Removes what was prepared for places up to `newest` and never got there, and then the names of long ago. */
  async #sweep(newest: number): Promise<void> {
    const names = await this.#fileSystem.list(this.path)
    for (const name of leftOverNames(names, newest)) await this.#remove(this.#at(name))
    for (const number of segmentNumbers(names))
      if (number <= newest - KEPT_NAMES) await this.#remove(this.#at(segmentName(number)))
  }

  /** How many bytes stand ready for the place of segment `number`: grows while somebody prepares it. */
  async prepared(number: number): Promise<number> {
    let bytes = 0
    for (const name of temporaryNames(await this.#fileSystem.list(this.path), number)) {
      const file = await this.#open(name)
      bytes += file?.stat().size ?? 0
      await file?.close()
    }
    return bytes
  }

  /** Names are durable from here on. */
  sync(): Promise<void> {
    return this.#fileSystem.syncFolder(this.path)
  }

  /** Keeps a segment whose snapshot is damaged beyond its retirement. */
  async keepDamaged(number: number): Promise<void> {
    await this.#fileSystem.link(this.#at(segmentName(number)), this.#at(damagedName(number, 0))).catch(() => undefined)
  }

  /** Keeps a damaged line for whoever wants to know what it was. */
  async setAside(number: number, offset: number, bytes: Uint8Array): Promise<void> {
    const file = await this.#fileSystem.open(this.#at(damagedName(number, offset)), { create: true })
    try {
      file.append(bytes)
    } finally {
      await file.close()
    }
  }

  /** A new file with what `write` puts into it. It stays open. */
  async #prepare<Wrote>(
    path: string,
    write: (file: OpenFile) => Promise<Wrote> | Wrote,
  ): Promise<{ readonly file: OpenFile; readonly wrote: Wrote }> {
    await this.#remove(path)
    const file = await this.#fileSystem.open(path, { create: true })
    try {
      const wrote = await write(file)
      await file.sync()
      return { file, wrote }
    } catch (error) {
      await this.#remove(path).catch(() => undefined)
      await file.close()
      throw error
    }
  }

  async #open(name: string): Promise<OpenFile | null> {
    try {
      return await this.#fileSystem.open(this.#at(name), { create: false })
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return null
      throw error
    }
  }

  async #remove(path: string): Promise<void> {
    try {
      await this.#fileSystem.remove(path)
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error
    }
  }

  #at(name: string): string {
    return `${this.path}/${name}`
  }
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
