import { existsSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'

const memory = '/dev/shm'

/**
 * Where tests keep what need not outlive the machine: in memory where there is room. There the kit on IndexedDB took 48 s
 * in Firefox instead of 208 s, and the kit on node-fs half the time, since each of a thousand cases makes a storage and
 * deletes it. Whatever proves durability goes to the disk.
 */
export function quickFolder() {
  return isRoomInMemory() ? memory : tmpdir()
}

/** In containers it is often too small for a browser's profile. */
function isRoomInMemory() {
  if (!existsSync(memory)) return false
  const { bavail, bsize } = statfsSync(memory)
  return bavail * bsize > 2 ** 30
}
