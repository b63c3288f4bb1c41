// 100,000 blocked jobs of one serial queue in front of the others: one of them runs, the rest must cost a claim nothing.
import { fill, openMemoryQueue, report, whole, work } from './work.mjs'

const BLOCKED = 100_000
const JOBS = 50_000
const ROUNDS = 5
const NOISE = 0.8

async function drain(blocked) {
  const queue = await openMemoryQueue()
  let free = () => undefined
  const holding = new Promise((resolve) => {
    free = resolve
  })
  await fill(queue, blocked, () => ({ queueName: 'one', priority: 'critical', timeout: '1d' }))
  await fill(queue, JOBS)
  let ran = 0
  let held = 0
  let finish = () => undefined
  const finished = new Promise((resolve) => {
    finish = resolve
  })
  const executor = queue.createExecutor({
    concurrency: 101,
    handlers: [
      work.handler(async (_payload, { job }) => {
        if (job.queueName !== null) {
          held += 1
          return holding
        }
        ran += 1
        if (ran === JOBS) finish()
      }),
    ],
  })
  const started = performance.now()
  await executor.start()
  await finished
  const rate = (JOBS / (performance.now() - started)) * 1000
  if (held !== Math.min(1, blocked)) throw new Error(`${held} jobs of the serial queue ran`)
  free()
  await executor.stop()
  await queue.close()
  return rate
}

const best = { without: 0, behind: 0 }
for (let round = 0; round < ROUNDS; round++) {
  best.without = Math.max(best.without, await drain(0))
  best.behind = Math.max(best.behind, await drain(BLOCKED))
  globalThis.gc?.()
}
const share = best.behind / best.without
report([
  { what: `drain of ${whole(JOBS)} without blocked jobs`, result: `${whole(best.without)} jobs/s` },
  {
    what: `drain of ${whole(JOBS)} behind ${whole(BLOCKED)} blocked ones`,
    result: `${whole(best.behind)} jobs/s, × ${share.toFixed(2)}`,
    aim: `the same (≥ × ${NOISE})`,
    met: share >= NOISE,
  },
])
