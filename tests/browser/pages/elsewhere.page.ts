import { defineJob, type Executor, fixed, type JobQueue, openQueue, type Span } from 'holdfast'
import { indexedDb } from 'holdfast/indexeddb'

const DATABASE = 'elsewhere'
/** Long enough that a busy machine does not take a living tab for a silent one. */
const LEASE = '2s'

const brief = defineJob({ type: 'brief', leaseDuration: LEASE })
/** Runs until its tab is gone, or for ever the first time, and then ends at once. */
const stuck = defineJob({ type: 'stuck', leaseDuration: LEASE, backoff: fixed(0) })

const storage = indexedDb({ name: DATABASE })
let queue: JobQueue | null = null
let executor: Executor | null = null
/** Whether there was proof, each time that this page took a job from another, that a session was over. */
const proofs: Promise<boolean>[] = []

/** Opens the queue; with a name it runs jobs as well, and tells the server of each start under that name. */
export async function open(runsAs: string | null): Promise<void> {
  queue = await openQueue({ storage, jobs: [brief, stuck] })
  if (runsAs === null) return
  const started = async (id: string): Promise<void> => {
    await tell({ id, by: runsAs, at: now() })
  }
  executor = queue.createExecutor({
    handlers: [
      brief.handler((_, { job }) => started(job.id)),
      stuck.handler(async (_, { job, attempt }) => {
        await started(job.id)
        if (attempt === 1) await new Promise(() => undefined)
      }),
    ],
  })
  // Asked at once, since a session that is over and holds nothing any more is soon forgotten.
  queue.on('interrupted', () => proofs.push(storage.sessions().then((all) => all.some(({ ended }) => ended === true))))
  await executor.start()
}

/** Has a worker of this page run jobs, as `open` does here. It is frozen with the page, and not told. */
export function runInWorker(runsAs: string): Promise<void> {
  const worker = new Worker('/worker.js', { type: 'module', name: runsAs })
  return new Promise((resolve) => (worker.onmessage = () => resolve()))
}

/** Answers when the enqueue was called, ms of a clock that all tabs share. */
export async function enqueue(type: 'brief' | 'stuck', id: string, leaseDuration: Span = LEASE): Promise<number> {
  const at = now()
  await opened().enqueue(type, null, { id, leaseDuration })
  return at
}

/** Answers how the job ended, and how often its session was gone. */
export async function result(id: string): Promise<{ status: string; interruptions: number }> {
  const { status } = await opened().result(id)
  return { status, interruptions: (await opened().get(id))?.interruptions ?? 0 }
}

/** Whether any job was taken from a tab that was proven to be gone, and not only silent. */
export async function hadProof(): Promise<boolean> {
  return (await Promise.all(proofs)).includes(true)
}

/** Whether a transaction that writes ends within a second: one that is open in a frozen worker keeps all others waiting. */
export async function canWrite(): Promise<boolean> {
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(DATABASE)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(new Error('not opened'))
  })
  const ended = await new Promise<boolean>((resolve) => {
    database.transaction('log', 'readwrite').oncomplete = () => resolve(true)
    setTimeout(resolve, 1000, false)
  })
  database.close()
  return ended
}

function opened(): JobQueue {
  if (queue === null) throw new Error('The queue is not open')
  return queue
}

function now(): number {
  return performance.timeOrigin + performance.now()
}

async function tell(started: Started): Promise<void> {
  await fetch('/started', { method: 'POST', body: JSON.stringify(started) })
}

/** A start of a job as a tab tells it. */
export interface Started {
  readonly id: string
  readonly by: string
  /** ms of a clock that all tabs share. */
  readonly at: number
}
