// For Node and pages alike.
import { hang, noop } from './runners.jobs.mjs'
import { PAYLOAD, quantile } from './work.mjs'

/**
 * Short jobs in one thread, one after the other, while the other one hangs (if `loops`) and is replaced. Answers how long
 * after its timeout the job that hung was through in the new thread, and the p99 of the others. ms
 */
export async function hanging(queue, loops) {
  let [started, retried] = [Infinity, Infinity]
  queue.on('started', ({ job }) => job.type === 'hang' && (started = Math.min(started, performance.now())))
  queue.on('completed', ({ job }) => job.type === 'hang' && (retried = performance.now()))
  if (loops) await queue.enqueue(hang, null)
  const until = performance.now() + 1500
  const spans = await roundTrips(queue, () => performance.now() < until)
  await queue.close()
  return { retried: retried - started - 500, p99: quantile(spans, 0.99) }
}

/** Short jobs one after the other, as long as `goesOn`: from each enqueue until its end is told. ms */
export async function roundTrips(queue, goesOn) {
  let done = () => undefined
  queue.on('completed', ({ job }) => job.type === 'noop' && done())
  const spans = []
  while (goesOn(spans.length)) {
    const completed = new Promise((resolve) => (done = resolve))
    const asked = performance.now()
    await queue.enqueue(noop, PAYLOAD)
    await completed
    spans.push(performance.now() - asked)
  }
  return spans
}

/** The two rows of it. */
export function hangingRows(where, calm, loop) {
  const rise = loop.p99 - calm.p99
  return [
    {
      what: `endless loop${where}: from its timeout to its retry in a new thread`,
      result: `${loop.retried.toFixed(0)} ms`,
      aim: '≤ 150 ms',
      met: loop.retried <= 150,
    },
    {
      what: 'by how much it raises the p99 of others',
      result: `${rise.toFixed(1)} ms`,
      aim: '≤ 100 ms',
      met: rise <= 100,
    },
  ]
}
