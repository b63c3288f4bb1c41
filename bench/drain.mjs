// All jobs enqueued before; the clock runs from start() to the last acknowledged settle. Beside two in-memory queues
// that keep no record of what they ran, given the same jobs: p-queue with the same 100 priorities, fastq with none.
import fastq from 'fastq'
import PQueue from 'p-queue'
import { fill, openMemoryQueue, PAYLOAD, report, whole, work } from './work.mjs'

const JOBS = 100_000
const CONCURRENCY = 100
const PRIORITIES = 100
const ROUNDS = 5
const AIM = 100_000

async function holdfast() {
  const queue = await openMemoryQueue()
  const enqueuing = performance.now()
  await fill(queue, JOBS, (index) => ({ priority: index % PRIORITIES }))
  const enqueued = performance.now() - enqueuing
  /** @type {string[]} */
  const ran = []
  const executor = queue.createExecutor({
    concurrency: CONCURRENCY,
    handlers: [work.handler(async (_payload, { job }) => void ran.push(job.id))],
  })
  const started = performance.now()
  await executor.start()
  await executor.processUntilIdle()
  const drained = performance.now() - started
  // Exact delivery: each job ran once, and the storage says of each that it completed.
  const { completed } = await queue.counts()
  if (ran.length !== JOBS || new Set(ran).size !== JOBS || completed !== JOBS)
    throw new Error('A job was lost or run twice')
  await queue.close()
  return { enqueue: (JOBS / enqueued) * 1000, drain: (JOBS / drained) * 1000 }
}

async function pQueue() {
  const queue = new PQueue({ concurrency: CONCURRENCY, autoStart: false })
  let ran = 0
  for (let index = 0; index < JOBS; index++)
    void queue.add(async () => PAYLOAD && ran++, { priority: index % PRIORITIES })
  const started = performance.now()
  queue.start()
  await queue.onIdle()
  if (ran !== JOBS) throw new Error('p-queue lost a job')
  return (JOBS / (performance.now() - started)) * 1000
}

async function fastQueue() {
  let ran = 0
  const queue = fastq.promise(async () => void ran++, CONCURRENCY)
  queue.pause()
  for (let index = 0; index < JOBS; index++) void queue.push(PAYLOAD)
  const started = performance.now()
  queue.resume()
  await queue.drained()
  if (ran !== JOBS) throw new Error('fastq lost a job')
  return (JOBS / (performance.now() - started)) * 1000
}

const best = { enqueue: 0, drain: 0, pQueue: 0, fastq: 0 }
for (let round = 0; round < ROUNDS; round++) {
  const own = await holdfast()
  best.enqueue = Math.max(best.enqueue, own.enqueue)
  best.drain = Math.max(best.drain, own.drain)
  best.pQueue = Math.max(best.pQueue, await pQueue())
  best.fastq = Math.max(best.fastq, await fastQueue())
  globalThis.gc?.()
}
const shape = `${whole(JOBS)} jobs, concurrency ${CONCURRENCY}, best of ${ROUNDS}`
report([
  {
    what: `memory drain, ${PRIORITIES} priorities (${shape})`,
    result: `${whole(best.drain)} jobs/s`,
    aim: `≥ ${whole(AIM)}`,
    met: best.drain >= AIM,
  },
  { what: 'memory enqueueMany of 1,000', result: `${whole(best.enqueue)} jobs/s` },
  { what: `p-queue drain, ${PRIORITIES} priorities`, result: `${whole(best.pQueue)} jobs/s` },
  { what: 'fastq drain, no priorities', result: `${whole(best.fastq)} jobs/s` },
])
