import { defineJob, HoldfastError, type JobQueue, openQueue } from 'holdfast'
import { indexedDb } from 'holdfast/indexeddb'

const DATABASE = 'quota'

const work = defineJob({ type: 'work' })
/** Nobody runs these. */
const note = defineJob({ type: 'note' })

/** What the storage told of itself, in order. */
const told: string[] = []
let queue: JobQueue | null = null
let release = (): void => undefined

export async function open(): Promise<void> {
  queue = await openQueue({ storage: indexedDb({ name: DATABASE }), jobs: [work, note] })
  queue.on('health', ({ health: { state, cause } }) => told.push(HoldfastError.is(cause) ? cause.code : state))
  queue.on('store:reset', () => told.push('reset'))
}

/** Begins to run so many jobs, half of them at once; they end after `letGo`. */
export async function run(jobs: number): Promise<void> {
  const gate = new Promise<void>((resolve) => (release = resolve))
  const executor = opened().createExecutor({ concurrency: jobs / 2, handlers: [work.handler(() => gate)] })
  await opened().enqueueMany(Array.from({ length: jobs }, () => ({ job: work, payload: null })))
  await executor.start()
  while ((await opened().counts()).running < jobs / 2) await new Promise((resolve) => setTimeout(resolve))
}

export async function letGo(): Promise<void> {
  release()
  while ((await opened().counts()).completed === 0) await new Promise((resolve) => setTimeout(resolve))
}

/** Enqueues jobs of some kilobytes that cannot be compressed until that fails. Answers those that were accepted. */
export async function fill(): Promise<{ readonly ids: readonly string[]; readonly error: string }> {
  const ids: string[] = []
  for (;;) {
    const bytes = crypto.getRandomValues(new Uint8Array(6000))
    const error = await enqueue(`note-${ids.length}`, btoa(String.fromCharCode(...bytes)))
    if (error !== null) return { ids, error }
    ids.push(`note-${ids.length}`)
  }
}

/** Answers the code of its error. */
export async function enqueue(id: string, payload: string): Promise<string | null> {
  try {
    await opened().enqueue(note, payload, { id })
    return null
  } catch (error) {
    return HoldfastError.is(error) ? error.code : String(error)
  }
}

export async function cancel(id: string): Promise<unknown> {
  return (await opened().cancel(id))?.status
}

export async function counts(): Promise<unknown> {
  const { pending, running, completed, cancelled } = await opened().counts()
  return { pending, running, completed, cancelled }
}

/** Those that are not there. */
export async function missing(ids: readonly string[]): Promise<readonly string[]> {
  const found = new Set<string>()
  for await (const { id } of opened().list()) found.add(id)
  return ids.filter((id) => !found.has(id))
}

/** Asks the browser to keep the data, and answers what it says then. */
export async function persist(): Promise<unknown> {
  const granted = await opened().requestPersistence()
  const { persisted, usage, quota } = await opened().storageStatus()
  return { granted, persisted, isMeasured: (usage ?? 0) > 0 && (quota ?? 0) > (usage ?? 0) }
}

export function takeTold(): readonly string[] {
  return told.splice(0)
}

/** Writes ten bytes past holdfast, and answers how that ends. */
export async function writeTenBytes(): Promise<string> {
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(DATABASE)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(new Error('not opened'))
  })
  const transaction = database.transaction('$damaged', 'readwrite')
  transaction.objectStore('$damaged').put('0123456789', 'written by the test')
  return new Promise((resolve) => {
    transaction.oncomplete = () => resolve('complete')
    transaction.onabort = () => resolve(transaction.error?.name ?? 'aborted')
  }).then((end) => {
    database.close()
    return end as string
  })
}

function opened(): JobQueue {
  if (queue === null) throw new Error('The queue is not open')
  return queue
}
