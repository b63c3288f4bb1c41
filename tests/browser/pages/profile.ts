import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder for what a browser keeps, on the disk, from one start to the next. */
export interface Profile extends AsyncDisposable {
  readonly folder: string
  remove(): Promise<void>
}

export async function freshProfile(): Promise<Profile> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-profile-'))
  // Processes of a browser that was killed may still write while they end.
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  return { folder, remove, [Symbol.asyncDispose]: remove }
}
