import { indexedDb, type IndexedDbOptions } from '../../src/adapters/indexeddb/index.ts'
import type { ClaimRequest, JobRecord, StorageAdapter, StorageHealth } from '../../src/core/storage/contract.ts'
import { HoldfastError, type JobQueue, openQueue } from '../../src/index.ts'
import { newJob } from '../../src/testing/index.ts'
import { allJobs, NOW } from '../core/kit-targets.ts'
import { FaultyFactory } from './faulty-factory.ts'

export const codeOf = (error: unknown): string => (HoldfastError.is(error) ? error.code : String(error))

/** Of one test, which closes them by `closeOpened` afterwards. */
export const opened: StorageAdapter[] = []
let databases = 0

/** A name that no other test uses. */
export function database(): string {
  return `database-${++databases}-${Math.random().toString(36).slice(2)}`
}

export async function closeOpened(): Promise<void> {
  for (const storage of opened.splice(0)) await storage.close()
}

export async function open(options: IndexedDbOptions): Promise<StorageAdapter> {
  const storage = indexedDb(options)
  await storage.open()
  opened.push(storage)
  return storage
}

export async function faulty(
  options: IndexedDbOptions = {},
): Promise<{ factory: FaultyFactory; storage: StorageAdapter; name: string }> {
  const name = options.name ?? database()
  const factory = new FaultyFactory()
  return { factory, name, storage: await open({ ...options, name, factory }) }
}

export const enqueue = (storage: StorageAdapter, id: string, more: object = {}): Promise<unknown> =>
  storage.enqueue({ jobs: [newJob({ id, ...more })], now: NOW })

export const idsOf = async (storage: StorageAdapter): Promise<readonly string[]> =>
  (await allJobs(storage)).map(({ id }) => id)

export const CLAIM: ClaimRequest = {
  ...{ requestId: 'r', session: 's', now: NOW, limit: 9, lanes: [{ type: 'task' }], have: [] },
  suspects: 'none',
}

export async function claimed(storage: StorageAdapter): Promise<readonly JobRecord[]> {
  await storage.session({ open: 's', leaseDuration: 30_000, now: NOW })
  return (await storage.claim(CLAIM)).jobs
}

export const healthOf = (storage: StorageAdapter): StorageHealth => storage.health?.() as StorageHealth

/** What another tab sees: what the database holds. */
export async function stored(name: string): Promise<readonly JobRecord[]> {
  return allJobs(await open({ name }))
}

/** The database as a stranger sees it. */
export async function raw<Answer>(
  name: string,
  stores: string[],
  use: (transaction: IDBTransaction) => Answer,
): Promise<Answer> {
  const connection = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(name)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(new Error('not opened'))
  })
  const transaction = connection.transaction(stores, 'readwrite')
  const answer = use(transaction)
  await new Promise((resolve) => transaction.addEventListener('complete', resolve))
  connection.close()
  return answer
}

/** Of the snapshot that counts; `undefined`: there is none. */
export const headOf = async (name: string): Promise<unknown> =>
  (await raw(name, ['snapshot'], (transaction) => transaction.objectStore('snapshot').get('head'))).result

export async function openedQueue(
  name: string,
): Promise<{ queue: JobQueue; storage: StorageAdapter; events: string[] }> {
  const storage = indexedDb({ name })
  const queue = await openQueue({ storage })
  opened.push(storage)
  const events: string[] = []
  queue.on('store:reset', ({ health }) => events.push(`reset ${health.resets}`))
  queue.on('health', ({ health }) => events.push(health.state))
  return { queue, storage, events }
}
