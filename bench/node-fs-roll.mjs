// How long a roll with 100,000 live jobs keeps the event loop of the process that makes it. The same load without a roll
// tells what is not the roll's.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { inFolder, openFolder, segments } from './node-fs-place.mjs'
import { fill, PAYLOAD, report, whole, work } from './work.mjs'

const LIVE = 100_000
const WATCHED = 3000
const MOST = 25
/** Bytes of records until the roll, beyond what stands in the journal: it comes while the load has long begun. */
const BEFORE_ROLL = 200_000
const NEVER = 2 ** 40

/** The longest stall in ms while a job is enqueued every few ms; `rollAt` in bytes. */
async function longestStall(folder, rollAt) {
  const queue = await openFolder(folder, { rollAt })
  const before = segments(folder).length
  await sleep(1000)
  globalThis.gc?.()
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  for (const end = performance.now() + WATCHED; performance.now() < end; await sleep(2))
    await queue.enqueue(work, PAYLOAD)
  delay.disable()
  await queue.close()
  return { stall: delay.max / 1e6, rolls: segments(folder).length - before }
}

const [quiet, rolling] = await inFolder(async (folder) => {
  const queue = await openFolder(folder, { rollAt: NEVER })
  await fill(queue, LIVE)
  await queue.close()
  const without = await longestStall(folder, NEVER)
  const [only] = segments(folder)
  return [without, await longestStall(folder, only.bytes + BEFORE_ROLL)]
})
if (quiet.rolls !== 0 || rolling.rolls !== 1) throw new Error(`${quiet.rolls} and ${rolling.rolls} rolls, not 0 and 1`)
report([
  {
    what: `longest stall while a log of ${whole(LIVE)} live jobs is rolled`,
    result: `${rolling.stall.toFixed(1)} ms (${quiet.stall.toFixed(1)} ms without a roll)`,
    aim: `≤ ${MOST} ms`,
    met: rolling.stall <= MOST,
  },
])
