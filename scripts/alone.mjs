/** Processes that do something one after the other. Node built-ins only, since this is part of the set-up. */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** A machine may stand still meanwhile. ms */
const LONGEST_FILLING = 60_000

/**
 * Holds a lock file during `work`. The file of a process that was killed is taken over. (Two that take it over in the same
 * instant would both go on: that is left to the developer.)
 * @template T
 * @param {string} lock @param {() => Promise<T>} work @param {() => void} [waits] called once where it has to wait
 */
export async function alone(lock, work, waits) {
  mkdirSync(dirname(lock), { recursive: true })
  for (let looks = 0; !take(lock); looks += 1) {
    if (looks === 0) waits?.()
    await sleep(50)
  }
  try {
    return await work()
  } finally {
    rmSync(lock, { force: true })
  }
}

/** @param {string} lock */
function take(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    if (isLeft(lock)) rmSync(lock, { force: true })
    return false
  }
}

/** Whether it is the lock of a process that was killed. @param {string} lock */
function isLeft(lock) {
  try {
    const holder = Number(readFileSync(lock, 'utf8'))
    // Killed between making the file and filling it, which takes no time.
    if (!(holder > 0)) return Date.now() - statSync(lock).mtimeMs > LONGEST_FILLING
    // In a container that was started anew this process may well have the number that the killed one had. Signal 0 only
    // asks whether the process exists; it throws when it does not.
    return holder === process.pid || !process.kill(holder, 0)
  } catch (error) {
    // Not of a process of another user, which exists, nor where the file is gone: somebody else may have taken it by now.
    return codeOf(error) === 'ESRCH'
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return /** @type {NodeJS.ErrnoException} */ (error).code
}
