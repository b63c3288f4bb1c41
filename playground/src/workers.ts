import { signal } from '@preact/signals'
import type { Job } from 'holdfast'
import { webWorkers } from 'holdfast/browser'
import { endlessLoop, primes } from './jobs/definitions.ts'
import { queue } from './queue.ts'

/** A Web Worker of this tab that runs jobs. */
export interface Member {
  readonly name: string
  /** `null` once it has ended, until the next one takes its place. */
  readonly worker: Worker | null
}

/** Each in a place that it leaves to the one that replaces it. */
export const crew = signal<readonly Member[]>([])

/** Whether they run jobs. One that ends before that would end the start. */
export const isStarted = signal(false)

/** The job that each of them runs, by the worker's name. */
export const running = signal<ReadonlyMap<string, Job>>(new Map())

/** Why there are none yet. */
export const trouble = signal<string | null>(null)

/** Between starts that fail, ms. */
const PAUSE = 2000

let spawned = 0

function spawn(purpose: 'jobs' | 'ticks'): Worker {
  const name = purpose === 'jobs' ? `Worker ${++spawned}` : 'Ticks'
  const worker = new Worker(new URL('./jobs/computation.worker.ts', import.meta.url), { type: 'module', name })
  if (purpose === 'jobs') enlist(name, worker)
  return worker
}

function enlist(name: string, worker: Worker): void {
  // The runner terminates a worker that it gives up, and tells nobody else.
  worker.terminate = () => {
    Worker.prototype.terminate.call(worker)
    crew.value = crew.value.map((member) => (member.worker === worker ? { ...member, worker: null } : member))
  }
  const members = [...crew.value]
  const free = members.findIndex((member) => member.worker === null)
  members[free === -1 ? members.length : free] = { name, worker }
  crew.value = members
}

/** The other executor of this tab. Without a grace a thread is ended as soon as the timeout of its job is over. */
export const executor = queue.createExecutor({
  runner: webWorkers({ spawn, size: 2, readyWithin: '60s' }),
  jobs: [primes, endlessLoop],
  killGrace: 0,
})
void start()

/** As often as it takes: a file that did not arrive may arrive the next time. */
async function start(): Promise<void> {
  try {
    await executor.start()
    trouble.value = null
    isStarted.value = true
  } catch (error) {
    trouble.value = String(error)
    setTimeout(() => void start(), PAUSE)
  }
}

/** Ends a worker from outside. Browsers tell nobody of that, so the runner is told what they tell it of a crash. */
export function kill(worker: Worker, name: string): void {
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
