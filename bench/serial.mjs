// Serial queues against jobs without: 10,000 queues of 10 jobs each, and one queue of 100,000 of which one runs, beside
// 10,000 free jobs. In memory and in a folder; each beside as many jobs without a queue, in turns.
import { inFolder, openFolder } from './node-fs-place.mjs'
import { fill, openMemoryQueue, report, whole, work } from './work.mjs'

const CONCURRENCY = 100
const ROUNDS = 5
const AIM = 0.6
const QUEUES = 10_000
const LONG = 100_000
const FREE = 10_000

const inQueues = (at) => ({ queueName: `queue-${at % QUEUES}` })
const inOne = () => ({ queueName: 'one', priority: 'critical', timeout: '1d' })

/** Jobs per second until `count` free ones have run; of `blocked` ones in one serial queue the first runs all the time. */
async function drain(queue, count, optionsOf, blocked = 0) {
  await fill(queue, blocked, inOne)
  await fill(queue, count, optionsOf)
  // What enqueuing left is not for the drain to clear away: 10,000 jobs are through before 110,000 are.
  globalThis.gc?.()
  let ran = 0
  let held = 0
  let release
  const holding = new Promise((resolve) => (release = resolve))
  let finish
  const finished = new Promise((resolve) => (finish = resolve))
  const run = (_payload, { job }) => {
    if (job.queueName === 'one') {
      held += 1
      return holding
    }
    ran += 1
    if (ran === count) finish()
  }
  const executor = queue.createExecutor({ concurrency: CONCURRENCY + 1, handlers: [work.handler(run)] })
  const started = performance.now()
  await executor.start()
  await finished
  const rate = (count / (performance.now() - started)) * 1000
  if (held !== Math.min(1, blocked)) throw new Error(`${held} jobs of the serial queue ran`)
  await executor.pause()
  release()
  await queue.close()
  globalThis.gc?.()
  return rate
}

const places = {
  memory: async (use) => use(await openMemoryQueue()),
  'node-fs': (use) => inFolder(async (folder) => use(await openFolder(folder))),
}

const rows = []
for (const [place, open] of Object.entries(places)) {
  const best = { plain: 0, queues: 0, few: 0, beside: 0 }
  const keep = (name, rate) => (best[name] = Math.max(best[name], rate))
  for (let round = 0; round < ROUNDS; round++) {
    keep('plain', await open((queue) => drain(queue, 10 * QUEUES)))
    keep('queues', await open((queue) => drain(queue, 10 * QUEUES, inQueues)))
    keep('few', await open((queue) => drain(queue, FREE)))
    keep('beside', await open((queue) => drain(queue, FREE, undefined, LONG)))
  }
  const row = (what, rate, base) => ({
    what: `${place}: ${what}`,
    result: `${whole(rate)} jobs/s, × ${(rate / base).toFixed(2)} of ${whole(base)}`,
    aim: `≥ × ${AIM}`,
    met: rate / base >= AIM,
  })
  rows.push(row(`drain of ${whole(QUEUES)} serial queues × 10`, best.queues, best.plain))
  rows.push(row(`drain of ${whole(FREE)} beside ${whole(LONG)} blocked`, best.beside, best.few))
}
report(rows)
