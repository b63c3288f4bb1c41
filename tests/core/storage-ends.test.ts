import { expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import type { JobRecord, Settlement } from '../../src/core/storage/contract.ts'
import { newJob } from '../../src/testing/index.ts'
import { NOW } from './kit-targets.ts'

const ERROR = { name: 'Error', message: 'boom' }

/** A storage whose session `s` runs the job `a`. */
async function running(job: Parameters<typeof newJob>[0] = { id: 'a' }) {
  const storage = memory()
  await storage.open()
  await storage.session({ open: 's', leaseDuration: 30_000, now: NOW })
  await storage.enqueue({ jobs: [newJob(job)], now: NOW })
  const lanes = [{ type: 'task' }]
  const request = { requestId: '1', session: 's', now: NOW, limit: 1, lanes, have: [], suspects: 'none' } as const
  const [held] = (await storage.claim(request)).jobs as [JobRecord]
  const settle = async (settlement: Settlement) => {
    await storage.settle({ batch: [settlement], now: NOW })
    return (await storage.get(['a']))[0]
  }
  return { storage, lease: { id: held.id, fence: held.fence }, settle }
}

test.each([
  [{ kind: 'retry', runAt: NOW, delay: 0, error: ERROR, counts: 'failure' } as const],
  [{ kind: 'fail', error: ERROR, counts: 'failure' } as const],
  [{ kind: 'release', runAt: NOW, delay: null } as const],
])('a job that was asked to end and is settled as %j is cancelled', async (settlement) => {
  const { storage, lease, settle } = await running()
  await storage.amend({ batch: [{ kind: 'cancel', id: 'a', reason: 'user left' }], now: NOW })
  expect(await settle({ ...lease, ...settlement })).toMatchObject({ state: 'cancelled', cancelRequested: 'user left' })
})

test.each([
  [{ kind: 'retry', runAt: NOW, delay: 0, error: ERROR, counts: 'failure' } as const],
  [{ kind: 'release', runAt: NOW, delay: null } as const],
])('a job whose key went to another and that is settled as %j is failed as superseded', async (settlement) => {
  const { storage, lease, settle } = await running({ id: 'a', jobKey: 'key' })
  await storage.enqueue({ jobs: [newJob({ id: 'b', jobKey: 'key' })], now: NOW })
  const job = await settle({ ...lease, ...settlement })
  expect(job).toMatchObject({ state: 'failed', jobKey: null, error: { code: 'HOLDFAST_SUPERSEDED' } })
})

test('a schedule that was removed and is defined again begins anew', async () => {
  const { storage } = await running()
  const define = (value: unknown) => storage.define({ kind: 'schedule', batch: [{ name: 'daily', value }] })
  await define({ every: 1 })
  await storage.tick({ batch: [{ schedule: 'daily', after: null, slot: NOW, jobs: [] }], now: NOW })
  await define(null)
  await define({ every: 1 })
  expect(await storage.definitions('schedule')).toMatchObject([{ name: 'daily', watermark: null }])
})

test('closing a closed storage resolves, and so does closing one that was never open', async () => {
  const { storage } = await running()
  await storage.close()
  await expect(storage.close()).resolves.toBeUndefined()
  await expect(memory().close()).resolves.toBeUndefined()
})

test('two closes at the same time both wait for the writes under way', async () => {
  const { storage } = await running()
  const writing = storage.enqueue({ jobs: [newJob({ id: 'b' })], now: NOW })
  await Promise.all([storage.close(), storage.close()])
  expect((await writing).accepted).toBe(true)
})
