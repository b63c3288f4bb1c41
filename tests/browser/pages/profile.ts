import { mkdir, mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { removeFolder } from '../../../scripts/remove-folder.mjs'

/** Beside the sources and not in the folder for temporary files, which is often no disk but memory. */
const profiles = fileURLToPath(new URL('../../../.holdfast/profiles/', import.meta.url))

/** A folder for what a browser keeps, on the disk, from one start to the next. */
export interface Profile extends AsyncDisposable {
  readonly folder: string
  remove(): Promise<void>
  /** It stays there when the test is over, to be looked into. */
  keep(): void
}

export async function freshProfile(): Promise<Profile> {
  await mkdir(profiles, { recursive: true })
  const folder = await mkdtemp(join(profiles, 'profile-'))
  // Processes of a browser that was killed may still write while they end.
  const remove = (): Promise<void> => removeFolder(folder)
  let isKept = false
  const keep = (): void => {
    isKept = true
  }
  return { folder, remove, keep, [Symbol.asyncDispose]: async () => (isKept ? undefined : remove()) }
}
