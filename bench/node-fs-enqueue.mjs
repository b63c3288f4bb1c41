// Acknowledged enqueues, each on the disk: many callers at once, and in batches; beside the bare appends that they
// cannot outrun, and beside plainjob on SQLite. Afterwards another handle counts what is there.
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { inFolder, openFolder } from './node-fs-place.mjs'
import { plainjob, PLAINJOB_MODES } from './plainjob.mjs'
import { fill, PAYLOAD, report, whole, work } from './work.mjs'

const CALLERS = 1000
const CALLS = 40_000
const BATCHED = 200_000
const RAW = 2000
const ROUNDS = 3

const best = { concurrent: 0, batched: 0 }

/** @param {(queue: import('holdfast').JobQueue) => Promise<void>} enqueueAll @param {number} count */
async function enqueued(enqueueAll, count) {
  return inFolder(async (folder) => {
    const queue = await openFolder(folder)
    const started = performance.now()
    await enqueueAll(queue)
    const rate = (count / (performance.now() - started)) * 1000
    await queue.close()
    const again = await openFolder(folder)
    const { pending } = await again.counts()
    await again.close()
    if (pending !== count) throw new Error(`${pending} of ${count} acknowledged jobs are there`)
    return rate
  })
}

async function concurrently(queue) {
  const caller = async () => {
    for (let at = 0; at < CALLS / CALLERS; at++) await queue.enqueue(work, PAYLOAD)
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
}

/** Records per second that are appended and synced, `group` of them per sync. */
function rawAppends(group) {
  return inFolder(async (folder) => {
    const file = openSync(join(folder, 'raw'), 'a')
    const record = Buffer.alloc(400, 'x')
    const data = Buffer.concat(Array.from({ length: group }, () => record))
    const started = performance.now()
    for (let at = 0; at < RAW; at++) {
      writeSync(file, data)
      fdatasyncSync(file)
    }
    const rate = ((group * RAW) / (performance.now() - started)) * 1000
    closeSync(file)
    return rate
  })
}

for (let round = 0; round < ROUNDS; round++) {
  best.concurrent = Math.max(best.concurrent, await enqueued(concurrently, CALLS))
  best.batched = Math.max(best.batched, await enqueued((queue) => fill(queue, BATCHED), BATCHED))
  globalThis.gc?.()
}
const rows = [
  {
    what: `node-fs, ${whole(CALLERS)} callers enqueue at once (best of ${ROUNDS})`,
    result: `${whole(best.concurrent)} jobs/s`,
    aim: '≥ 20,000',
    met: best.concurrent >= 20_000,
  },
  {
    what: 'node-fs, enqueueMany of 1,000',
    result: `${whole(best.batched)} jobs/s`,
    aim: '≥ 100,000',
    met: best.batched >= 100_000,
  },
  { what: 'raw append of 400 bytes + fdatasync', result: `${whole(await rawAppends(1))} records/s` },
  { what: 'raw append of 100 such records + fdatasync', result: `${whole(await rawAppends(100))} records/s` },
]
for (const mode of PLAINJOB_MODES) {
  const { add, addMany, problem } = await plainjob(mode)
  rows.push({ what: `plainjob, synchronous ${mode}, add one by one`, result: problem ?? `${whole(add)} jobs/s` })
  rows.push({ what: `plainjob, synchronous ${mode}, addMany of 1,000`, result: problem ?? `${whole(addMany)} jobs/s` })
}
report(rows)
