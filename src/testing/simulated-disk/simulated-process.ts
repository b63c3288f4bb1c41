import { type DiskCall, type DiskCallName, DiskError, type DiskFault } from './disk-call.ts'
import { type Folder, placeOf } from './folder.ts'
import type { SimulatedDisk } from './simulated-disk.ts'
import { SimulatedFile } from './simulated-file.ts'
import { StoredFile } from './stored-file.ts'

/** What ext4 answers. */
const LOCAL_DISK = 0xef53

/** How a call is to end when it reaches the disk. */
interface Course {
  readonly call: DiskCall
  readonly fault: DiskFault | null
}

/** The file system as one process has it. Its calls are counted, may go wrong on cue and can be held by a test. */
export class SimulatedProcess {
  /** Calls so far. */
  calls = 0
  /** Asked at each call; `null`: all goes well. */
  fault: (call: DiskCall) => DiskFault | null = () => null
  /**
   * Runs before each call. A test lets another process act here, for instance append between this one's read and its
   * append. `stat`, `read`, `append` and `watch` are synchronous; the others wait for the promise, so a test can hold one.
   */
  before: (call: DiskCall) => void | Promise<void> = () => undefined
  /** Files it has open. */
  openFiles = 0
  readonly #disk: SimulatedDisk
  #crashed = false

  constructor(disk: SimulatedDisk) {
    this.#disk = disk
  }

  /** It has ended: every call fails, and what it was told before the program saw it was never told. */
  get gone(): boolean {
    return this.#crashed || this.#disk.off
  }

  /** Ends it, as `kill -9` does. */
  crash(): void {
    this.#crashed = true
  }

  makeFolder(path: string): Promise<string> {
    const folder = path.replace(/[/\\]+$/, '')
    return this.later('makeFolder', folder, () => {
      this.#disk.makeFolder(folder)
      return folder
    })
  }

  kindOf(path: string): Promise<number> {
    return this.later('kindOf', path, () => LOCAL_DISK)
  }

  list(folder: string): Promise<readonly string[]> {
    return this.later('list', folder, (call) => [...this.#folder(folder, call).names.keys()])
  }

  open(path: string, how: { readonly create: boolean }): Promise<SimulatedFile> {
    return this.later('open', path, (call) => {
      const { folder, name } = placeOf(path)
      const there = this.#folder(folder, call)
      let file = there.names.get(name)
      if (how.create === (file !== undefined)) throw new DiskError(how.create ? 'EEXIST' : 'ENOENT', call)
      if (file === undefined) {
        file = new StoredFile()
        this.#change(folder, call, [[name, file]])
      }
      this.openFiles += 1
      return new SimulatedFile(file, path, this, this.#disk)
    })
  }

  link(existing: string, path: string): Promise<void> {
    return this.later('link', path, (call) => {
      const { folder, name } = placeOf(path)
      const file = this.#named(existing, call)
      if (this.#folder(folder, call).names.has(name)) throw new DiskError('EEXIST', call)
      this.#change(folder, call, [[name, file]])
    })
  }

  rename(from: string, to: string): Promise<void> {
    return this.later('rename', to, (call) => {
      const source = placeOf(from)
      const target = placeOf(to)
      const file = this.#named(from, call)
      // Two names of one file: the system does nothing.
      if (this.#folder(target.folder, call).names.get(target.name) === file) return
      if (source.folder !== target.folder) throw new DiskError('EXDEV', call)
      this.#change(target.folder, call, [
        [source.name, null],
        [target.name, file],
      ])
    })
  }

  remove(path: string): Promise<void> {
    return this.later('remove', path, (call) => {
      const { folder, name } = placeOf(path)
      this.#named(path, call)
      this.#change(folder, call, [[name, null]])
    })
  }

  syncFolder(path: string): Promise<void> {
    const covered = this.#disk.folder(path)?.changes ?? []
    return this.later('syncFolder', path, (call) => this.#folder(path, call).synced(covered))
  }

  watch(folder: string, changed: () => void): () => void {
    return this.now('watch', folder, (call) => {
      this.#folder(folder, call)
      return this.#disk.watch(folder, this, changed)
    })
  }

  /** A call that answers at once. @internal */
  now<Answer>(
    name: DiskCallName,
    path: string,
    act: (call: DiskCall, fault: DiskFault | null) => Answer,
    data?: Uint8Array,
  ): Answer {
    const call = { ...this.#count(name, path), ...(data !== undefined && { data }) }
    void this.before(call)
    return this.#finish(this.#start(call), act)
  }

  /** A call that another process may come before. `failed` runs when it ends with an error. @internal */
  async later<Answer>(
    name: DiskCallName,
    path: string,
    act: (call: DiskCall) => Answer,
    failed: () => void = () => undefined,
  ): Promise<Answer> {
    const call = this.#count(name, path)
    await this.before(call)
    const course = this.#start(call)
    // The time on the way: what other processes do without waiting themselves comes first.
    for (let turn = 0; turn < 3; turn++) await Promise.resolve()
    return this.#finish(course, act, failed)
  }

  #count(name: DiskCallName, path: string): DiskCall {
    if (this.gone) throw new DiskError('GONE', { name, path })
    this.calls += 1
    this.#disk.calls += 1
    return { process: this, name, path, number: this.calls, total: this.#disk.calls }
  }

  #start(call: DiskCall): Course {
    const fault = this.gone ? null : (this.fault(call) ?? this.#disk.fault(call))
    if (fault === 'crash') this.crash()
    return { call, fault }
  }

  #finish<Answer>(
    { call, fault }: Course,
    act: (call: DiskCall, fault: DiskFault | null) => Answer,
    failed: () => void = () => undefined,
  ): Answer {
    if (this.gone) throw new DiskError('GONE', call)
    if (fault === 'EIO' || fault === 'ENOSPC' || fault === 'EMFILE' || fault === 'EPERM') {
      failed()
      throw new DiskError(fault, call)
    }
    if (fault === 'power cut') this.#disk.cutPower()
    if (fault === 'crash midway') this.crash()
    // A sync during which the power is cut has promised nothing; any other call has done what it does to the cache.
    if (fault === 'power cut' && (call.name === 'sync' || call.name === 'syncFolder')) throw new DiskError('GONE', call)
    const answer = act(call, fault)
    if (fault === 'power cut' || fault === 'crash midway') throw new DiskError('GONE', call)
    return answer
  }

  #folder(path: string, call: DiskCall): Folder {
    const folder = this.#disk.folder(path)
    if (folder === undefined) throw new DiskError('ENOENT', call)
    return folder
  }

  #named(path: string, call: DiskCall): StoredFile {
    const file = this.#disk.find(path)
    if (file === undefined) throw new DiskError('ENOENT', call)
    return file
  }

  #change(folder: string, call: DiskCall, names: readonly (readonly [string, StoredFile | null])[]): void {
    this.#folder(folder, call).change({ moment: this.#disk.nextMoment(), names })
    this.#disk.tell(folder, this)
  }
}
