// Heap per waiting job beyond its payload. The payload's own weight is measured the same way: as many parsed copies.
import { fill, openMemoryQueue, PAYLOAD, report } from './work.mjs'

const JOBS = 200_000
const AIM = 700

function heap() {
  for (let round = 0; round < 4; round++) globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

const text = JSON.stringify(PAYLOAD)
const empty = heap()
const payloads = Array.from({ length: JOBS }, () => JSON.parse(text))
const perPayload = (heap() - empty) / JOBS
const kept = payloads.splice(0).length

const queue = await openMemoryQueue()
await fill(queue, 1000)
const before = heap()
await fill(queue, JOBS)
const perJob = (heap() - before) / JOBS
// The payloads enqueued here share one text, as a constant of a program does, so a job's payload weighs an object only.
const shared = Array.from({ length: JOBS }, () => ({ ...PAYLOAD }))
const perShared = (heap() - before) / JOBS - perJob
const beyond = perJob - perShared
await queue.close()
report([
  {
    what: `weight of a waiting job beyond its payload (${JOBS.toLocaleString('en')} jobs)`,
    result: `${Math.round(beyond)} bytes (payload object ${Math.round(perShared)}, with its own text ${Math.round(perPayload)})`,
    aim: `≤ ${AIM} bytes`,
    met: beyond <= AIM && kept === JOBS && shared.length === JOBS,
  },
])
