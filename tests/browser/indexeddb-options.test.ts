import { expect, test } from 'vitest'
import { indexedDb } from '../../src/adapters/indexeddb/index.ts'
import { within } from '../../src/adapters/indexeddb/deadline.ts'
import { HoldfastError, openQueue } from '../../src/index.ts'

const bad: readonly (readonly [field: string, options: unknown])[] = [
  ['indexedDb', null],
  ['indexedDb.nme', { nme: 'jobs' }],
  ['name', { name: '' }],
  ['name', { name: 7 }],
  ['durability', { durability: 'disk' }],
  ['durability.writes', { durability: { writes: 'disk' } }],
  ['durability.claims', { durability: { claims: true } }],
  ['durability.reads', { durability: { reads: 'strict' } }],
  ['deadline', { deadline: 0 }],
  ['deadline', { deadline: Number.POSITIVE_INFINITY }],
  ['fallback', { fallback: 'localStorage' }],
  ['factory', { factory: {} }],
  ['snapshotAfter', { snapshotAfter: 1.5 }],
]

test.each(bad)('a bad option is refused by its name: %s in %j', (field, options) => {
  let thrown: unknown
  try {
    indexedDb(options as object)
  } catch (error) {
    thrown = error
  }
  expect(HoldfastError.is(thrown, 'HOLDFAST_INVALID_OPTION') && thrown.details.field).toBe(field)
})

test('the queue tells what the browser says of its storage, and `null` for what it does not say', async () => {
  const queue = await openQueue({ storage: indexedDb({ name: `status-${Math.random()}` }) })
  const { persisted, usage, quota } = await queue.storageStatus()
  expect([null, true, false]).toContain(persisted)
  for (const bytes of [usage, quota]) expect(bytes === null || bytes >= 0).toBe(true)
  await queue.close()
})

test('a deadline that is longer than timers can be does not come at once', async () => {
  const work = new Promise((resolve) => setTimeout(resolve, 20, 'done'))
  expect(await within(work, 2 ** 40, () => new Error('late'))).toBe('done')
})
