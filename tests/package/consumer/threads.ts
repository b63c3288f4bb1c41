// Handlers in worker_threads. The process has to end by itself.
import { Worker } from 'node:worker_threads'
import { openQueue } from 'holdfast'
import { memory } from 'holdfast/memory'
import { workerThreads } from 'holdfast/node'
import { hang, square } from './jobs.js'

await using queue = await openQueue({ storage: memory(), jobs: [square, hang] })
const runner = workerThreads({ spawn: () => new Worker(new URL('./jobs.worker.js', import.meta.url)), size: 1 })
await queue.createExecutor({ runner, killGrace: 0 }).start()
const endless = await queue.enqueue(hang, null)
const job = await queue.enqueue(square, 12)
console.log(JSON.stringify([await queue.result(endless.id), await queue.result(job.id)]))
