import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { indexedDb } from '../../src/adapters/indexeddb/index.ts'
import { IndexedDbLog } from '../../src/adapters/indexeddb/log.ts'
import type { StorageAdapter } from '../../src/core/storage/contract.ts'
import type { LogReplica } from '../../src/core/storage/log.ts'
import { newJob } from '../../src/testing/index.ts'
import { allJobs, NOW } from '../core/kit-targets.ts'
import { type Fault, FaultyFactory, type Moment } from './faulty-factory.ts'

/** The tables of the handles of one play, in the order in which these were opened. */
let replicas: LogReplica[] = []

beforeEach(() => {
  const open = Object.getOwnPropertyDescriptor(IndexedDbLog.prototype, 'open')?.value as IndexedDbLog['open']
  vi.spyOn(IndexedDbLog.prototype, 'open').mockImplementation(function (this: IndexedDbLog, replica) {
    replicas.push(replica)
    return open.call(this, replica)
  })
})
afterEach(() => vi.restoreAllMocks())

/** All rows of a table, of every kind, with their versions and what else is counted: whatever is missing shows. */
function digestOf(replica: LogReplica): string {
  const { rows, ...counts } = replica.snapshot()
  const sorted = (_: string, value: unknown): unknown =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
      : value
  const lines = [...rows].map((row) => JSON.stringify(row, sorted)).sort()
  return [JSON.stringify(counts), ...lines].join('\n')
}

const LANES = [{ type: 'task' }]

/**
 * Jobs small and large, claimed and ended, with snapshots all the time; another tab writes now and then, so that some
 * flushes read before they add and some do not. Answers what was acknowledged.
 */
async function work(storage: StorageAdapter, other: StorageAdapter): Promise<readonly string[]> {
  const acknowledged: string[] = []
  const told = async (id: string, call: Promise<unknown>): Promise<void> => {
    await call.then(
      () => acknowledged.push(id),
      () => undefined,
    )
  }
  await storage.session({ open: 's', leaseDuration: 30_000, now: NOW }).catch(() => undefined)
  const large = (id: string): Promise<void> =>
    told(id, storage.enqueue({ jobs: [newJob({ id, payload: id.repeat(9000) })], now: NOW }))
  await large('a')
  await told('other', other.enqueue({ jobs: [newJob({ id: 'other', priority: -1 })], now: NOW }))
  for (const id of ['b', 'c']) await large(id)
  const request = { requestId: 'r', session: 's', now: NOW, limit: 2, lanes: LANES, have: [] }
  const claimed = await storage.claim({ ...request, suspects: 'none' }).catch(() => ({ jobs: [] }))
  for (const { id, fence } of claimed.jobs)
    await storage.settle({ batch: [{ id, fence, kind: 'complete', result: id }], now: NOW }).catch(() => undefined)
  await told('d', storage.enqueue({ jobs: [newJob({ id: 'd' })], now: NOW }))
  return acknowledged
}

async function play(plan: FaultyFactory['plan']): Promise<FaultyFactory> {
  replicas = []
  const name = `sweep-${Math.random().toString(36).slice(2)}`
  const factory = new FaultyFactory()
  const storage = indexedDb({ name, factory, snapshotAfter: 2, deadline: 1000 })
  await storage.open()
  const [lagging, other] = [indexedDb({ name }), indexedDb({ name })]
  for (const handle of [lagging, other]) await handle.open()
  factory.plan = plan
  const acknowledged = await work(storage, other)
  factory.plan = () => null
  // Reads what others wrote before it answers.
  for (const handle of [storage, lagging, other]) await handle.enqueue({ jobs: [newJob({ id: 'last' })], now: NOW })
  const fresh = indexedDb({ name })
  await fresh.open()
  const jobs = await allJobs(fresh)
  expect(jobs.map(({ id }) => id)).toEqual(expect.arrayContaining([...acknowledged, 'last']))
  for (const { id, payload } of jobs) if (id.length === 1 && id !== 'd') expect(payload).toBe(id.repeat(9000))
  for (const handle of [storage, lagging, other]) expect(await allJobs(handle)).toEqual(jobs)
  const [first, ...others] = replicas.map(digestOf)
  expect(others).toEqual([first, first, first])
  for (const handle of [storage, lagging, other, fresh]) await handle.close()
  return factory
}

const isCommit = ({ kind }: Moment): boolean => kind === 'commit'
const isRequest = ({ kind, mode }: Moment): boolean => kind === 'request' && mode === 'readwrite'
const readsTail = ({ method, mode, stores }: Moment): boolean =>
  method === 'getAll' && mode === 'readwrite' && stores?.[0] === 'log'

const FAULTS: readonly (readonly [what: string, fault: Fault, fits: (moment: Moment) => boolean])[] = [
  [
    'any step fails at once',
    { fault: 'fail', error: 'UnknownError' },
    (moment) => moment.kind === 'transaction' || isCommit(moment) || isRequest(moment),
  ],
  ['any transaction is aborted, wherever it is', { fault: 'abort', error: null }, isRequest],
  ['any transaction is aborted at its commit', { fault: 'abort', error: null }, isCommit],
  ['any flush is aborted between reading and adding', { fault: 'abort', error: null }, readsTail],
  ['the answer of any commit is lost', { fault: 'lose the answer' }, isCommit],
]

test.each(FAULTS)(
  '%s: replicas end equal and nothing acknowledged is lost',
  async (_, fault, fits) => {
    let moments = 1
    for (let at = 1; at <= moments; at++) {
      let seen = 0
      await play((moment) => (fits(moment) && ++seen === at ? fault : null))
      moments = Math.max(moments, seen)
    }
    expect(moments).toBeGreaterThan(2)
  },
  180_000,
)

/** Two handles, the first of which goes wrong, on one database, and what reads their tables. */
async function opened(): Promise<{ factory: FaultyFactory; tabs: [StorageAdapter, StorageAdapter]; name: string }> {
  replicas = []
  const name = `sweep-${Math.random().toString(36).slice(2)}`
  const factory = new FaultyFactory()
  const tabs = [indexedDb({ name, factory, snapshotAfter: 2 }), indexedDb({ name, snapshotAfter: 2 })] as const
  for (const tab of tabs) await tab.open()
  return { factory, tabs: [...tabs], name }
}

const enqueue = (storage: StorageAdapter, id: string): Promise<unknown> =>
  storage.enqueue({ jobs: [newJob({ id })], now: NOW })

test('tables are equal after a tab stood still in the middle of a flush while another one wanted to write', async () => {
  const { factory, tabs } = await opened()
  const [frozen, other] = tabs
  await enqueue(frozen, 'a')
  let held = false as boolean
  factory.plan = ({ kind, stores }) => {
    if (held || kind !== 'commit' || stores?.[0] !== 'log') return null
    held = true
    return { fault: 'hold' }
  }
  const first = enqueue(frozen, 'b')
  await expect.poll(() => held).toBe(true)
  const second = enqueue(other, 'c')
  factory.release()
  await Promise.all([first, second])
  for (const tab of tabs) await enqueue(tab, 'last')
  const [one, two] = replicas.map(digestOf)
  expect(two).toBe(one)
  expect((await allJobs(other)).map(({ id }) => id).toSorted()).toEqual(['a', 'b', 'c', 'last'])
  for (const tab of tabs) await tab.close()
})

test('tables that met a record of an unknown format stay equal, and none of them becomes a snapshot', async () => {
  const { tabs, name } = await opened()
  for (const tab of tabs) await enqueue(tab, 'a')
  const database = await new Promise<IDBDatabase>((resolve) => {
    const request = indexedDB.open(name)
    request.onsuccess = () => resolve(request.result)
  })
  const unknown = database.transaction('log', 'readwrite')
  unknown.objectStore('log').add({ id: 'n', format: 2, units: 'unheard of' })
  await new Promise((resolve) => unknown.addEventListener('complete', resolve))
  database.close()
  const late = indexedDb({ name, snapshotAfter: 1 })
  await late.open()
  for (const tab of [...tabs, late]) {
    await expect(enqueue(tab, 'b')).rejects.toMatchObject({ code: 'HOLDFAST_STORAGE_NEWER' })
    expect((await allJobs(tab)).map(({ id }) => id)).toEqual(['a'])
  }
  for (const replica of replicas) expect(() => replica.snapshot()).toThrow()
  for (const tab of [...tabs, late]) await tab.close()
})
