import { defineJob, openQueue } from 'holdfast'
import { indexedDb } from 'holdfast/indexeddb'

const kept = defineJob({ type: 'kept' })

/** Nothing runs them: they are to be found. */
const opening = openQueue({
  storage: indexedDb({ name: 'kept', durability: 'strict', snapshotAfter: 100 }),
  jobs: [kept],
})

/** Which of the jobs are not there. */
export async function missing(ids: readonly string[]): Promise<readonly string[]> {
  const queue = await opening
  const jobs = await Promise.all(ids.map((id) => queue.get(id)))
  return ids.filter((_, at) => jobs[at]?.status !== 'pending')
}

/** How many jobs there are. */
export async function count(): Promise<number> {
  return (await (await opening).counts()).pending
}

/** Whether the queue says that the browser threw away what it kept here, because it was damaged. */
export async function saysThrownAway(): Promise<boolean> {
  return (await opening).health().resets > 0
}

export async function enqueue(id: string): Promise<void> {
  await (await opening).enqueue(kept, null, { id })
}

/** Leaves a mark in a database that is no queue's: it is gone only with all that the browser kept here. */
export async function mark(): Promise<void> {
  const transaction = (await marks()).transaction('marks', 'readwrite', { durability: 'strict' })
  transaction.objectStore('marks').put(true, 'mark')
  await new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error ?? new Error('aborted'))
  })
}

export async function isMarked(): Promise<boolean> {
  const request = (await marks()).transaction('marks').objectStore('marks').get('mark')
  return (await settled(request)) === true
}

/** Opened after the queue's: Chromium says to the first of an origin alone that it threw away what was there. */
async function marks(): Promise<IDBDatabase> {
  await opening
  const request = indexedDB.open('marks', 1)
  request.onupgradeneeded = () => request.result.createObjectStore('marks')
  return settled(request)
}

function settled<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('failed'))
  })
}

/** Enqueues one job after the other, and tells the server of each when it is acknowledged, until the browser is killed. */
export async function enqueueOnAndOn(round: number): Promise<void> {
  const queue = await opening
  for (let number = 1; ; number++) {
    const { id } = await queue.enqueue(kept, { number, text: 'x'.repeat(number % 500) }, { id: `${round}-${number}` })
    await fetch('/acknowledged', { method: 'POST', body: id })
  }
}
