import { expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import { defineJob, openQueue, type StorageAdapter } from '../../src/index.ts'
import { SharedLog, sharedStorage, testQueue } from '../../src/testing/index.ts'

const task = defineJob({ type: 'task' })

test('a dump shows each flush as a record, and what they come to', async () => {
  const { queue } = await testQueue({ storage: sharedStorage(new SharedLog()) })
  await queue.enqueue(task, { n: 1 }, { id: 'a', jobKey: 'key' })
  await queue.enqueue(task, { n: 2 }, { id: 'b' })
  await queue.cancel('a')
  const { records, rows } = await queue.dump()
  expect(records.map(({ units }) => units.flat().map((change) => (change as { key: string }).key))).toEqual([
    expect.arrayContaining(['a', 'key']),
    ['b'],
    expect.arrayContaining(['a']),
  ])
  expect(new Set(records.map(({ id }) => id)).size).toBe(3)
  expect(rows).toMatchObject({ jobs: 2, keys: 0, sessions: 0 })
})

test('a dump shows what another handle wrote, each record once and in the order of the log', async () => {
  const log = new SharedLog()
  const [left, right] = await Promise.all(
    [0, 1].map(async () => openQueue({ storage: sharedStorage(log), jobs: [task] })),
  )
  await left?.enqueue(task, null, { id: 'a' })
  await right?.enqueue(task, null, { id: 'b' })
  await left?.enqueue(task, null, { id: 'c' })
  const dumped = await left?.dump()
  expect(dumped?.records).toHaveLength(3)
  expect((await right?.dump())?.records).toEqual(dumped?.records)
})

test('a record of hundreds of changes is shown by its first ones, and only the newest records are kept', async () => {
  const { queue } = await testQueue({ storage: sharedStorage(new SharedLog()) })
  await queue.enqueueMany(Array.from({ length: 500 }, () => ({ job: task })))
  const [record] = (await queue.dump()).records
  expect([record?.changes, record?.units.flat().length]).toEqual([500, 10])
  for (let n = 0; n < 300; n++) await queue.enqueue(task, null, { id: `job-${n}` })
  const { records } = await queue.dump()
  expect(records).toHaveLength(100)
  expect(JSON.stringify(records.at(-1))).toContain('job-299')
})

test('who changes a dump changes nothing else', async () => {
  const { queue } = await testQueue({ storage: sharedStorage(new SharedLog()) })
  await queue.enqueue(task, { n: 1 }, { id: 'a' })
  const before = await queue.dump()
  for (const { units } of (await queue.dump()).records)
    for (const change of (units as { to: object }[][]).flat()) Object.assign(change.to, { payload: 'spoilt', n: 2 })
  expect(await queue.dump()).toEqual(before)
  expect((await queue.get('a'))?.payload).toEqual({ n: 1 })
})

test('memory has no log: its dump shows what there is', async () => {
  const { queue } = await testQueue()
  await queue.enqueue(task, null, { id: 'a', jobKey: 'key' })
  expect(await queue.dump()).toMatchObject({ records: [], rows: { jobs: 1, keys: 1 } })
})

test('a storage that shows nothing of its own has an empty dump', async () => {
  const storage = memory()
  const queue = await openQueue({ storage: new Proxy(storage, { get: (_, name) => memberOf(storage, name) }) })
  expect(await queue.dump()).toEqual({ records: [], rows: {} })
})

/** Of a storage with nothing to dump. */
function memberOf(storage: StorageAdapter, name: string | symbol): unknown {
  if (name === 'dump') return undefined
  const member: unknown = Reflect.get(storage, name)
  return typeof member === 'function' ? member.bind(storage) : member
}
