import { defineJob, HoldfastError, type JobQueue, openQueue } from 'holdfast'
import { webWorkers } from 'holdfast/browser'
import { indexedDb } from 'holdfast/indexeddb'

export const walk = defineJob({ type: 'walk', leaseDuration: '2s' })

/** What a worker waits for before it exposes its handlers. */
export const BEGIN = 'begin'

/**
 * How a walk goes: so many steps of so many ms, each a timer of its own, as work that needs the page to run; or until the
 * page was frozen and goes on.
 */
export type Walk = { readonly steps: number; readonly each: number } | 'until resumed'

/** The page on which a walk is over as soon as it begins. */
const SHORT_CUT = '/other'

const storage = indexedDb({ name: 'life' })
/** What happened in this page, in order. */
const happened: string[] = []
let queue: JobQueue | null = null
let ticker: Worker | null = null

addEventListener('pageshow', ({ persisted }) => {
  if (persisted) happened.push('back')
})
addEventListener('unhandledrejection', ({ reason }) => void happened.push(`unhandled ${String(reason)}`))

/** Opens the queue, and runs jobs in a Web Worker; the one that ticks does so after `letTick`. */
export async function openWithWorker(): Promise<void> {
  queue = await openQueue({ storage, jobs: [walk] })
  const spawn = (purpose: 'jobs' | 'ticks'): Worker => {
    const worker = new Worker('/worker.js', { type: 'module' })
    if (purpose === 'ticks') ticker = worker
    else worker.postMessage(BEGIN)
    return worker
  }
  await queue.createExecutor({ runner: webWorkers({ spawn, size: 1 }) }).start()
}

export function letTick(): void {
  ticker?.postMessage(BEGIN)
}

/** Opens the queue, and runs jobs, of which it tells what comes of them here. */
export async function open(): Promise<void> {
  queue = await openQueue({ storage, jobs: [walk] })
  queue.on('lost', ({ job }) => happened.push(`lost ${job.id}`))
  const executor = queue.createExecutor({
    handlers: [
      walk.handler(async (payload, { job, signal }) => {
        const how = payload as Walk
        happened.push(`started ${job.id}`)
        signal.addEventListener('abort', () => happened.push(`aborted ${job.id} ${codeOf(signal.reason)}`))
        if (location.pathname === SHORT_CUT) return
        if (how === 'until resumed') return resumed()
        for (let step = 0; step < how.steps && !signal.aborted; step++)
          await new Promise((resolve) => setTimeout(resolve, how.each))
      }),
    ],
  })
  await executor.start()
}

export async function enqueue(id: string, payload: Walk, timeout: number): Promise<void> {
  await opened().enqueue(walk, payload, { id, timeout })
}

export async function job(id: string): Promise<unknown> {
  const found = await opened().get(id)
  if (found === null) return null
  const { status, attempts, failures, interruptions } = found
  return { status, attempts, failures, interruptions }
}

export function events(): readonly string[] {
  return happened
}

/** Of all sessions: how long others are to wait for them when they fall silent. */
export async function patience(): Promise<readonly number[]> {
  return (await storage.sessions()).map((session) => session.patience)
}

/** Opens the database as a newer version of the package would, and answers whether somebody was in the way. */
export function upgrade(version: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('life', version)
    request.onblocked = () => resolve('blocked')
    request.onerror = () => reject(new Error('not opened'))
    request.onsuccess = () => {
      request.result.close()
      resolve('opened')
    }
  })
}

/** Resolves in a task after the page was told that it goes on: no timer, which a hidden page has once a second. */
function resumed(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => resolve()
    document.addEventListener('resume', () => port2.postMessage(null), { once: true })
  })
}

function opened(): JobQueue {
  if (queue === null) throw new Error('The queue is not open')
  return queue
}

function codeOf(error: unknown): string {
  return HoldfastError.is(error) ? error.code : String(error)
}
