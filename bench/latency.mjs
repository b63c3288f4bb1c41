// From the call of enqueue to the first line of the handler, one job at a time, the executor idle.
import { openMemoryQueue, PAYLOAD, quantile, report, work } from './work.mjs'

const JOBS = 20_000
const AIM = 0.05

const queue = await openMemoryQueue()
let started = () => undefined
const executor = queue.createExecutor({ handlers: [work.handler(() => started())] })
await executor.start()
const spans = []
for (let index = 0; index < JOBS; index++) {
  const enqueued = performance.now()
  const running = new Promise((resolve) => {
    started = () => {
      spans.push(performance.now() - enqueued)
      resolve()
    }
  })
  await queue.enqueue(work, PAYLOAD)
  await running
}
await queue.close()
const [p50, p99] = [quantile(spans, 0.5), quantile(spans, 0.99)]
report([
  { what: 'enqueue → start, p50', result: `${p50.toFixed(3)} ms`, aim: `≤ ${AIM} ms`, met: p50 <= AIM },
  { what: 'enqueue → start, p99', result: `${p99.toFixed(3)} ms` },
])
