// From the call of enqueue in this process to the first line of the handler in another one, which is idle. The clock is
// the machine's monotonic one, the same for both.
import { setTimeout as sleep } from 'node:timers/promises'
import { inFolder, openFolder, Process } from './node-fs-place.mjs'
import { quantile, report, work } from './work.mjs'

const JOBS = 1000
/** Between two enqueues at most: the other process is at times busy, at times long at rest. ms */
const LONGEST_PAUSE = 40

const spans = await inFolder(async (folder) => {
  const queue = await openFolder(folder)
  const other = new Process('wait', folder)
  await other.says()
  for (let at = 0; at < JOBS; at++) {
    await sleep(Math.random() * LONGEST_PAUSE)
    await queue.enqueue(work, { enqueuedAt: process.hrtime.bigint().toString() })
  }
  const said = other.says()
  other.tell('enough')
  const found = await said
  await other.stop()
  await queue.close()
  if (found.length !== JOBS) throw new Error(`${found.length} of ${JOBS} jobs began`)
  return found
})
const [p50, p99] = [quantile(spans, 0.5), quantile(spans, 0.99)]
report([
  { what: 'enqueue → start in another process, p50', result: `${p50.toFixed(2)} ms`, aim: '≤ 3 ms', met: p50 <= 3 },
  { what: 'enqueue → start in another process, p99', result: `${p99.toFixed(2)} ms`, aim: '≤ 10 ms', met: p99 <= 10 },
])
