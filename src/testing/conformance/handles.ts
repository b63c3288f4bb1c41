import type { StorageAdapter } from '../../core/storage/contract.ts'
import { ConformanceError, ok } from './expect.ts'
import type { IsolatedStorage, Mode, StorageUnderTest } from './kit.ts'

/** How often a read is repeated while a handle catches up with the other: on a busy machine a hint is late. */
const PATIENCE = 200

/** Hands a case the handle for each of its steps, as its mode says. */
export class Handles {
  readonly mode: Mode
  readonly #target: StorageUnderTest
  readonly #storages: IsolatedStorage[]
  readonly #handles: readonly StorageAdapter[]
  readonly #opened: Set<StorageAdapter> = new Set()
  #writer = 0

  private constructor(
    mode: Mode,
    target: StorageUnderTest,
    storage: IsolatedStorage,
    handles: readonly StorageAdapter[],
  ) {
    this.mode = mode
    this.#target = target
    this.#storages = [storage]
    this.#handles = handles
  }

  static async create(mode: Mode, target: StorageUnderTest): Promise<Handles> {
    const storage = await target.create()
    const first = await storage.handle()
    return new Handles(mode, target, storage, mode === 'two handles' ? [first, await storage.handle()] : [first])
  }

  /** The handle for the next write. */
  async next(): Promise<StorageAdapter> {
    this.#writer = this.#other
    return this.#ready(this.#writer)
  }

  /** The handle of the latest write: its reads see that write. */
  async latest(): Promise<StorageAdapter> {
    return this.#ready(this.#writer)
  }

  /** Two handles for calls at the same time; where there is one, it stands twice. */
  async pair(): Promise<readonly [StorageAdapter, StorageAdapter]> {
    const first = await this.next()
    return [first, this.mode === 'two handles' ? await this.next() : first]
  }

  /** Repeats a check of reads on the handle that did not write last, which may show the write a little later. */
  async settled<T>(check: (storage: StorageAdapter) => Promise<T>): Promise<T> {
    const reader = await this.#ready(this.#other)
    const patience = this.mode === 'two handles' ? PATIENCE : 0
    for (let reads = 1; ; reads += 1) {
      try {
        return await check(reader)
      } catch (error) {
        if (reads > patience) throw this.#late(error)
        await this.#pause(reads)
      }
    }
  }

  /** The first handle, before anything opened it. */
  unopened(): StorageAdapter {
    const handle = this.#at(0)
    ok(!this.#opened.has(handle), 'the handle not to be open yet')
    return handle
  }

  /** An open handle on a storage of its own. */
  async elsewhere(): Promise<StorageAdapter> {
    const storage = await this.#target.create()
    this.#storages.push(storage)
    const handle = await storage.handle()
    await handle.open()
    this.#opened.add(handle)
    return handle
  }

  async destroy(): Promise<void> {
    for (const handle of this.#opened) {
      await handle.open()
      await handle.close()
    }
    for (const storage of this.#storages) await storage.destroy()
  }

  get #other(): number {
    return (this.#writer + 1) % this.#handles.length
  }

  async #ready(index: number): Promise<StorageAdapter> {
    const handle = this.#at(index)
    const known = this.#opened.has(handle)
    if (known && this.mode === 'reopened') await handle.close()
    if (!known || this.mode === 'reopened') await handle.open()
    this.#opened.add(handle)
    return handle
  }

  #at(index: number): StorageAdapter {
    const handle = this.#handles[index]
    ok(handle !== undefined, `a handle ${index}`)
    return handle
  }

  /** What a check of two handles found wrong: it may be that the kit has not waited for as long as hints take. */
  #late(error: unknown): unknown {
    if (error instanceof ConformanceError && this.mode === 'two handles' && this.#target.pause === undefined)
      error.message += `. It was still so after ${PATIENCE} reads: if the hints of this storage take time, give \`pause\``
    return error
  }

  async #pause(reads: number): Promise<void> {
    if (this.#target.pause !== undefined) return this.#target.pause(reads)
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve()
  }
}
