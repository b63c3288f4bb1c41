// Handlers in worker_threads: dispatch beside piscina, the round trip of one job, work for a processor on one thread and
// on two, and an endless loop that its timeout ends.
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { openQueue } from 'holdfast'
import { memory } from 'holdfast/memory'
import { workerThreads } from 'holdfast/node'
import { Piscina } from 'piscina'
import { hanging, hangingRows, roundTrips } from './runners.hanging.mjs'
import { hang, hash, noop } from './runners.jobs.mjs'
import { PAYLOAD, quantile, report, whole } from './work.mjs'

const JOBS = 30_000
const IN_FLIGHT = 200
const ROUNDS = 3
const HASHES = 16
/** Some 100 ms of work. */
const HASH_ROUNDS = 2000

const spawn = () => new Worker(new URL('runners.worker.mjs', import.meta.url))

async function open(size, concurrency, options = {}) {
  const queue = await openQueue({ storage: memory(), jobs: [noop, hash, hang] })
  const runner = workerThreads({ spawn, size, jobsPerWorker: concurrency / size })
  const executor = queue.createExecutor({ runner, concurrency, ...options })
  await executor.start()
  return { queue, executor }
}

async function dispatch() {
  const { queue, executor } = await open(2, IN_FLIGHT)
  executor.pause()
  for (let at = 0; at < JOBS; at += 1000)
    await queue.enqueueMany(Array.from({ length: 1000 }, () => ({ job: noop, payload: PAYLOAD })))
  const started = performance.now()
  executor.resume()
  await queue.idle()
  const rate = (JOBS / (performance.now() - started)) * 1000
  const { completed } = await queue.counts()
  await queue.close()
  if (completed < 1000) throw new Error(`${completed} jobs were kept`)
  return rate
}

async function piscina() {
  const pool = new Piscina({
    filename: fileURLToPath(new URL('runners.work.mjs', import.meta.url)),
    minThreads: 2,
    maxThreads: 2,
    concurrentTasksPerWorker: IN_FLIGHT / 2,
    maxQueue: Infinity,
  })
  await pool.run(PAYLOAD)
  const started = performance.now()
  await Promise.all(Array.from({ length: JOBS }, () => pool.run(PAYLOAD)))
  const rate = (JOBS / (performance.now() - started)) * 1000
  await pool.destroy()
  return rate
}

async function roundTrip() {
  const { queue } = await open(1, 1)
  const spans = await roundTrips(queue, (count) => count < 5000)
  await queue.close()
  return quantile(spans, 0.5)
}

async function hashing(size) {
  const { queue } = await open(size, size)
  const started = performance.now()
  await queue.enqueueMany(Array.from({ length: HASHES }, () => ({ job: hash, payload: HASH_ROUNDS })))
  await queue.idle()
  const span = performance.now() - started
  await queue.close()
  return span
}

/** The same on threads without any queue: what the machine gives. */
async function bare(size) {
  const work = fileURLToPath(new URL('runners.work.mjs', import.meta.url))
  const pool = new Piscina({ filename: work, name: 'hashed', minThreads: size, maxThreads: size })
  await Promise.all(Array.from({ length: size }, () => pool.run(1)))
  const started = performance.now()
  await Promise.all(Array.from({ length: HASHES }, () => pool.run(HASH_ROUNDS)))
  const span = performance.now() - started
  await pool.destroy()
  return span
}

async function hangs(loops) {
  const { queue } = await open(2, 2, { killGrace: 0 })
  return hanging(queue, loops)
}

let [own, theirs, one, two, bareOne, bareTwo] = [0, 0, Infinity, Infinity, Infinity, Infinity]
for (let round = 0; round < ROUNDS; round++) {
  own = Math.max(own, await dispatch())
  theirs = Math.max(theirs, await piscina())
  one = Math.min(one, await hashing(1))
  bareOne = Math.min(bareOne, await bare(1))
  two = Math.min(two, await hashing(2))
  bareTwo = Math.min(bareTwo, await bare(2))
}
const trip = await roundTrip()
const calm = await hangs(false)
const loop = await hangs(true)
report([
  {
    what: `dispatch of no-op jobs to 2 threads, ${IN_FLIGHT} in flight (${whole(JOBS)}, best of ${ROUNDS})`,
    result: `${whole(own)} jobs/s`,
    aim: '≥ 20,000',
    met: own >= 20_000,
  },
  {
    what: 'the same by piscina, which stores nothing',
    result: `${whole(theirs)} tasks/s, × ${(own / theirs).toFixed(2)}`,
    aim: '≥ × 1.3',
    met: own >= 1.3 * theirs,
  },
  { what: 'enqueue → completed, p50', result: `${trip.toFixed(3)} ms`, aim: '≤ 0.2 ms', met: trip <= 0.2 },
  {
    what: 'SHA-256 on 2 threads against 1',
    result: `× ${(one / two).toFixed(2)} (by bare threads × ${(bareOne / bareTwo).toFixed(2)})`,
    aim: '≥ × 1.8',
    met: one / two >= 1.8,
  },
  ...hangingRows('', calm, loop),
])
