/**
 * What the journal asks of a file system, so that a test can put a simulated disk in its place. Errors are those of
 * `node:fs`: their `code` tells. Calls of the flush's synchronous turn are synchronous; what waits for the disk is not.
 */
export interface FileSystem {
  /** The path with links resolved. The folder is made, for its owner alone, with the folders above it, if missing. */
  makeFolder(path: string): Promise<string>
  /** The number by which the system names the kind of file system that holds `path`. */
  kindOf(path: string): Promise<number>
  list(folder: string): Promise<readonly string[]>
  /** For reading and appending. `create`: the file must not exist; else it must. */
  open(path: string, how: { readonly create: boolean }): Promise<OpenFile>
  /** A second name for a file. Rejects with `EEXIST` when the name is taken. */
  link(existing: string, path: string): Promise<void>
  /** Takes the place of whatever has the name `to`. */
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
  /** Names made, changed and removed in the folder are durable once this resolves. */
  syncFolder(path: string): Promise<void>
  /** Calls `changed` when something in the folder may have changed. A hint: calls may be lost, late or too many. */
  watch(folder: string, changed: () => void): () => void
}

export interface OpenFile {
  /** Size in bytes, and how many names the file has: none, when it was removed. */
  stat(): { readonly size: number; readonly names: number }
  /** Fills `into` from `position` on as far as the file goes; returns how many bytes that were. */
  read(into: Uint8Array, position: number): number
  /** One write at the end of the file, wherever others have moved it. Returns how many bytes were written. */
  append(data: Uint8Array): number
  /** What was appended is durable once this resolves (fdatasync). */
  sync(): Promise<void>
  close(): Promise<void>
}
