import { rename, rm } from 'node:fs/promises'

/**
 * Removes a folder in which somebody may still write, as the processes of a browser do while they end. It is moved away
 * first: what is emptied name by name where it was gets new files meanwhile, and is then not empty.
 * [tests/scripts/remove-folder.test.ts]
 * @param {string} folder
 */
export async function removeFolder(folder) {
  const aside = `${folder}-gone`
  // Windows moves no folder in which a file is open.
  const gone = await rename(folder, aside).then(
    () => aside,
    () => folder,
  )
  // Tried again as a whole, for what was on its way into it.
  await rm(gone, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
}
