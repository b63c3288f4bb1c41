// Processes that are started at once decide one after the other what they do.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { places } from './places.mjs'

/**
 * Does `work` while no other process does its own. The turn of a process that was killed is taken over.
 *
 * @template T
 * @param {() => Promise<T>} work
 */
export async function inTurn(work) {
  await mkdir(dirname(places.turn), { recursive: true })
  while (!(await taken())) await sleep(50)
  try {
    return await work()
  } finally {
    await rm(places.turn, { force: true })
  }
}

async function taken() {
  try {
    await writeFile(places.turn, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error
    if (!(await isHeld())) await rm(places.turn, { force: true })
    return false
  }
}

async function isHeld() {
  try {
    // Signal 0 only asks whether there is such a process, and throws when there is none.
    return process.kill(Number(await readFile(places.turn, 'utf8')), 0)
  } catch (error) {
    // One of another user.
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM'
  }
}
