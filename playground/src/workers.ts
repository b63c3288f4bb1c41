import { signal } from '@preact/signals'
import type { Job } from 'holdfast'
import { webWorkers } from 'holdfast/browser'
import { endlessLoop, primes } from './jobs/definitions.ts'
import { queue } from './queue.ts'

/** A Web Worker of this tab. */
export interface Member {
  readonly name: string
  readonly worker: Worker
}

export const crew = signal<readonly Member[]>([])

/** The job that each of them runs, by the worker's name. */
export const running = signal<ReadonlyMap<string, Job>>(new Map())

/** Why there are none. */
export const trouble = signal<string | null>(null)

let spawned = 0

function spawn(): Worker {
  const name = `Worker ${++spawned}`
  const worker = new Worker(new URL('./jobs/computation.worker.ts', import.meta.url), { type: 'module', name })
  // The runner terminates a worker that it gives up, and tells nobody else.
  worker.terminate = () => {
    Worker.prototype.terminate.call(worker)
    crew.value = crew.value.filter((member) => member.worker !== worker)
  }
  crew.value = [...crew.value, { name, worker }]
  return worker
}

/** The other executor of this tab. Without a grace a thread is ended as soon as the timeout of its job is over. */
export const executor = queue.createExecutor({
  runner: webWorkers({ spawn, size: 2 }),
  jobs: [primes, endlessLoop],
  killGrace: 0,
})
executor.start().catch((error: unknown) => (trouble.value = String(error)))

/** Ends a worker from outside. Browsers tell nobody of that, so the runner is told what they tell it of a crash. */
export function kill({ name, worker }: Member): void {
  worker.terminate()
  worker.dispatchEvent(new ErrorEvent('error', { message: `${name} was killed on the page` }))
}

// Handlers say by their log which worker they are in.
queue.on('log', ({ job, fields: { worker } }) => {
  if (typeof worker === 'string') running.value = new Map([...running.peek(), [worker, job]])
})
for (const end of ['completed', 'retrying', 'failed', 'cancelled', 'released', 'lost', 'interrupted'] as const)
  queue.on(end, ({ job: { id } }) => {
    running.value = new Map([...running.peek()].filter(([, job]) => job.id !== id))
  })
