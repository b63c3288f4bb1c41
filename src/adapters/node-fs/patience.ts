import { setTimeout as sleep } from 'node:timers/promises'
import type { SegmentFolder } from './segment-folder.ts'

/** Between looks, ms: short at first, since a small table is soon written. */
const FIRST_LOOK = 1
const LONGEST_LOOK = 50
/** How long a file that is being prepared may stay as it is before somebody else prepares one, ms. */
const PATIENCE = 250

/**
 * Waits for the segment after `sealed`, which whoever sealed is preparing. True: nobody prepares it any more, so the
 * caller should; false: it is there.
 */
export async function nobodyRolls(folder: SegmentFolder, sealed: number): Promise<boolean> {
  let size = -1
  // Those who wait do not all step in at the same moment.
  const patience = PATIENCE * (1 + Math.random())
  let lastGrowth = performance.now()
  for (let look = FIRST_LOOK; ; look = Math.min(LONGEST_LOOK, 2 * look)) {
    await sleep(look)
    if (await folder.isTaken(sealed + 1)) return false
    const prepared = await folder.prepared(sealed + 1)
    if (prepared !== size) lastGrowth = performance.now()
    size = prepared
    if (performance.now() - lastGrowth > patience) return true
  }
}
