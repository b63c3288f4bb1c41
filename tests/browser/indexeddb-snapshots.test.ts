import { afterEach, expect, test, vi } from 'vitest'
import { JobTable } from '../../src/core/storage/job-table/job-table.ts'
import { HoldfastError } from '../../src/index.ts'
import type { Moment } from './faulty-factory.ts'
import { closeOpened, enqueue, faulty, headOf, healthOf, idsOf, open, stored } from './opened-storages.ts'

afterEach(closeOpened)

const writesSnapshot = ({ kind, mode, stores }: Moment): boolean =>
  kind === 'transaction' && mode === 'readwrite' && stores?.includes('snapshot') === true
const writesRows = (moment: Moment): boolean => writesSnapshot(moment) && moment.stores?.length === 1
const begins = (moment: Moment): boolean => writesSnapshot(moment) && moment.stores?.includes('$meta') === true

/** A log that is due for a snapshot again and again, and what is told of its health. */
async function growing() {
  const { factory, storage, name } = await faulty({ snapshotAfter: 2 })
  const told: (readonly [string, unknown])[] = []
  storage.watchHealth?.(() => {
    const { state, cause } = healthOf(storage)
    told.push([state, HoldfastError.is(cause) ? cause.code : cause])
  })
  const ids: string[] = []
  const go = async (jobs: number): Promise<void> => {
    for (let n = 0; n < jobs; n++) {
      ids.push(`job-${String(ids.length).padStart(3, '0')}`)
      await enqueue(storage, ids.at(-1) as string)
    }
  }
  return { factory, storage, name, told, ids, go }
}

test.each([
  ['none can be begun', begins],
  ['its rows cannot be written', writesRows],
])(
  'a snapshot that cannot be made, since %s: all calls go on, and health tells that the log grows, until one can be made',
  async (_, fits) => {
    const { factory, storage, name, told, ids, go } = await growing()
    factory.plan = (moment) => (fits(moment) ? { fault: 'fail', error: 'UnknownError' } : null)
    await go(40)
    await expect.poll(() => told).toEqual([['degraded', 'HOLDFAST_STORAGE_GROWS']])
    expect(healthOf(storage)).toMatchObject({ state: 'degraded', cause: { cause: { name: 'UnknownError' } } })
    factory.plan = () => null
    await go(100)
    await expect.poll(() => told.slice(1)).toEqual([['ok', null]])
    expect([await idsOf(storage), (await stored(name)).map(({ id }) => id)]).toEqual([ids, ids])
  },
)

test('more than 200,000 rows in the memory of a tab are told until there are a twentieth fewer', async () => {
  const { storage } = await faulty()
  const rows = vi.spyOn(JobTable.prototype, 'size', 'get')
  const told = [200_000, 200_001, 200_000, 190_001, 190_000, 200_000].map((size) => {
    rows.mockReturnValue(size)
    const { cause, state } = healthOf(storage)
    return [size, state, HoldfastError.is(cause) ? cause.code : cause]
  })
  rows.mockRestore()
  expect(told).toEqual([
    [200_000, 'ok', null],
    [200_001, 'degraded', 'HOLDFAST_MANY_JOBS'],
    [200_000, 'degraded', 'HOLDFAST_MANY_JOBS'],
    [190_001, 'degraded', 'HOLDFAST_MANY_JOBS'],
    [190_000, 'ok', null],
    [200_000, 'ok', null],
  ])
})

test('one snapshot that fails is no news: the page may have stood still', async () => {
  const { factory, storage, name, told, go } = await growing()
  let failed = false as boolean
  factory.plan = (moment) => {
    if (failed || !writesRows(moment)) return null
    failed = true
    return { fault: 'fail', error: null }
  }
  await go(60)
  await storage.close()
  expect([told, await headOf(name)]).toEqual([[], expect.objectContaining({ count: expect.any(Number) as number })])
})

test('a tab whose own snapshots fail tells nothing any more once another tab has made one', async () => {
  const { factory, told, name, go } = await growing()
  factory.plan = (moment) => (writesRows(moment) ? { fault: 'fail', error: 'UnknownError' } : null)
  await go(40)
  await expect.poll(() => told).toHaveLength(1)
  const other = await open({ name, snapshotAfter: 1 })
  // It leaves it to the first one until the log is twice as long.
  for (let n = 0; n < 200 && (await headOf(name)) === undefined; n++) await enqueue(other, `other-${n}`)
  await other.close()
  await go(200)
  await expect.poll(() => told.slice(1, 2)).toEqual([['ok', null]])
})
