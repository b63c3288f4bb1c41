import { type DiskCall, DiskError, type DiskFault } from './disk-call.ts'
import { placeOf } from './folder.ts'
import type { SimulatedDisk } from './simulated-disk.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import type { StoredFile } from './stored-file.ts'

/** A file that one process has open. It stays what it is when its names go or lead elsewhere. */
export class SimulatedFile {
  readonly #file: StoredFile
  readonly #path: string
  readonly #process: SimulatedProcess
  readonly #disk: SimulatedDisk
  /** Failed syncs of the file this handle knows of. */
  #failures: number
  #open = true

  constructor(file: StoredFile, path: string, process: SimulatedProcess, disk: SimulatedDisk) {
    this.#file = file
    this.#path = path
    this.#process = process
    this.#disk = disk
    this.#failures = file.failures
  }

  stat(): { readonly size: number; readonly names: number } {
    return this.#process.now('stat', this.#path, (call) => {
      this.#assertOpen(call)
      return { size: this.#file.size, names: this.#file.names }
    })
  }

  read(into: Uint8Array, position: number): number {
    return this.#process.now('read', this.#path, (call) => {
      this.#assertOpen(call)
      return this.#file.read(into, position)
    })
  }

  append(data: Uint8Array): number {
    const append = (call: DiskCall, fault: DiskFault | null): number => {
      this.#assertOpen(call)
      const half = fault === 'short write' || fault === 'crash midway'
      const written = half ? data.subarray(0, Math.floor(data.length / 2)) : data
      this.#file.append(written, this.#disk.nextMoment())
      this.#disk.tell(placeOf(this.#path).folder, this.#process)
      return written.length
    }
    return this.#process.now('append', this.#path, append, data)
  }

  sync(): Promise<void> {
    const covered = this.#file.startSync()
    return this.#process.later(
      'sync',
      this.#path,
      (call) => {
        this.#assertOpen(call)
        this.#file.synced(covered)
        if (this.#file.failures === this.#failures) return
        // Another handle's sync failed, and what it dropped may have been written by this one.
        this.#failures = this.#file.failures
        throw new DiskError('EIO', call)
      },
      () => {
        this.#file.dropSync(covered)
        this.#failures = this.#file.failures
      },
    )
  }

  close(): Promise<void> {
    if (this.#open) {
      this.#open = false
      this.#process.openFiles -= 1
    }
    // The end of a process closes its files: a program that tidies up may take as long as it likes.
    if (this.#process.gone) return Promise.resolve()
    return this.#process.later('close', this.#path, () => undefined)
  }

  #assertOpen(call: DiskCall): void {
    if (!this.#open) throw new DiskError('EBADF', call)
  }
}
