/** One append that a power cut may still undo. */
export interface Write {
  readonly start: number
  readonly end: number
  /** Its place in the order of everything that happened on the disk. */
  readonly moment: number
  /** A sync that covered it failed: its pages count as clean, so no later sync writes them, and they are lost. */
  dropped: boolean
}

/** A piece of a file's content, from one offset up to another. */
export interface Piece {
  readonly start: number
  readonly end: number
}

/**
 * The content of a file, whatever its names: what running processes read (the page cache), and which parts of it no
 * sync has covered yet. It lives on without a name while a process holds it open.
 */
export class StoredFile {
  size = 0
  /** How many names it has. */
  names = 0
  /** Syncs that failed. Each handle that was open then is told once, as on Linux since 4.13. */
  failures = 0
  #bytes: Uint8Array = new Uint8Array(64)
  #writes: Write[] = []

  /** Writes that are not on the disk, oldest first. */
  get writes(): readonly Write[] {
    return this.#writes
  }

  read(into: Uint8Array, position: number): number {
    const end = Math.min(this.size, position + into.length)
    if (end <= position) return 0
    into.set(this.#bytes.subarray(position, end))
    return end - position
  }

  append(data: Uint8Array, moment: number): void {
    const start = this.size
    this.#reserve(start + data.length)
    this.#bytes.set(data, start)
    this.size += data.length
    if (data.length > 0) this.#writes.push({ start, end: this.size, moment, dropped: false })
  }

  /** What was appended up to now is being written out: `synced` or `dropSync` tells how that ended. */
  startSync(): readonly Write[] {
    return this.#writes.filter(({ dropped }) => !dropped)
  }

  synced(covered: readonly Write[]): void {
    this.#writes = this.#writes.filter((write) => write.dropped || !covered.includes(write))
  }

  dropSync(covered: readonly Write[]): void {
    this.failures += 1
    for (const write of covered) write.dropped = true
  }

  /**
   * The file of which nothing that was not synced is left but the pieces in `kept`. What lies before a kept piece and is
   * not kept reads as zeros; `extended`: the size reached the disk although the data did not.
   */
  survivor(kept: readonly Piece[], extended: boolean): StoredFile {
    const safe = this.#safe()
    const size = extended ? this.size : Math.max(0, ...safe.map(({ end }) => end), ...kept.map(({ end }) => end))
    const file = new StoredFile()
    file.#reserve(size)
    for (const { start, end } of [...safe, ...kept]) file.#bytes.set(this.#bytes.subarray(start, end), start)
    file.size = size
    return file
  }

  /** The same content, with the same of it unsynced. It has no names yet. */
  copy(): StoredFile {
    const file = new StoredFile()
    file.size = this.size
    file.failures = this.failures
    file.#bytes = this.#bytes.slice()
    file.#writes = this.#writes.map((write) => ({ ...write }))
    return file
  }

  /** What no unsynced write covers. */
  #safe(): readonly Piece[] {
    const pieces: Piece[] = []
    let from = 0
    for (const { start, end } of this.#writes) {
      if (start > from) pieces.push({ start: from, end: start })
      from = end
    }
    if (this.size > from) pieces.push({ start: from, end: this.size })
    return pieces
  }

  #reserve(size: number): void {
    if (size <= this.#bytes.length) return
    const bytes = new Uint8Array(Math.max(size, 2 * this.#bytes.length))
    bytes.set(this.#bytes.subarray(0, this.size))
    this.#bytes = bytes
  }
}
