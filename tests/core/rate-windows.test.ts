import { expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import type { JobRecord, NewJob } from '../../src/core/storage/contract.ts'
import { newJob } from '../../src/testing/index.ts'
import { NOW } from './kit-targets.ts'

const PER = 10_000

/** A storage whose type `task` may start two jobs per window, and a window that one start has opened. */
async function opened(count: number) {
  const storage = memory()
  await storage.open()
  await storage.session({ open: 's', leaseDuration: 30_000, now: NOW })
  const lanes = [{ type: 'task', limit: { rate: { count, per: PER } } }]
  let claims = 0
  const claim = async (now: number, limit = 10): Promise<readonly JobRecord[]> => {
    const request = { requestId: `${++claims}`, session: 's', now, limit, lanes, have: [], suspects: 'none' } as const
    return (await storage.claim(request)).jobs
  }
  const add = (id: string, due: Partial<NewJob> = {}) =>
    storage.enqueue({ jobs: [newJob({ id, limitKey: '', ...due })], now: NOW })
  await add('opens the window')
  await claim(NOW)
  return { claim, add }
}

const ids = (jobs: readonly JobRecord[]): string[] => jobs.map(({ id }) => id)

test('when a window that was not used up ends, one claim takes all that the next window allows', async () => {
  const { claim, add } = await opened(2)
  await add('a')
  await add('b')
  expect(ids(await claim(NOW + PER))).toEqual(['a', 'b'])
})

test('a job whose time comes while a window is closed does not overtake one that waited for the window', async () => {
  const { claim, add } = await opened(1)
  await add('waits for the window')
  await add('delayed', { runAt: NOW + 7000, delay: 7000 })
  expect(ids(await claim(NOW + PER, 1))).toEqual(['waits for the window'])
})

test('a job that comes after a window has ended does not overtake one that waited for it', async () => {
  const { claim, add } = await opened(1)
  await add('waits for the window')
  await add('comes later', { createdAt: NOW + PER, runAt: NOW + PER })
  expect(ids(await claim(NOW + PER, 1))).toEqual(['waits for the window'])
})

test('starts of several claims add up in a window', async () => {
  const { claim, add } = await opened(3)
  await add('a')
  expect(ids(await claim(NOW + 1))).toEqual(['a'])
  await add('b')
  expect(ids(await claim(NOW + 2))).toEqual(['b'])
  await add('c')
  expect(ids(await claim(NOW + 3))).toEqual([])
})

test('a window that was not used up lets the rest of its starts through', async () => {
  const { claim, add } = await opened(3)
  await add('a')
  await add('b')
  await add('c')
  expect(ids(await claim(NOW + 1))).toEqual(['a', 'b'])
  expect(ids(await claim(NOW + PER))).toEqual(['c'])
})
