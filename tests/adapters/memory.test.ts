import { expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import { keepsTheContract } from '../core/kit.ts'
import { newJob } from '../../src/testing/index.ts'
import { allJobs, memoryTarget, NOW } from '../core/kit-targets.ts'

keepsTheContract(memoryTarget)

test('memory says that it is not durable and that nobody else can open its jobs', () => {
  expect(memory().traits).toEqual({
    durable: false,
    scope: 'instance',
    payload: 'structured-clone',
    transactions: false,
  })
})

test('two memories share nothing', async () => {
  const [one, other] = [memory(), memory()]
  await one.open()
  await other.open()
  await one.enqueue({ jobs: [newJob({ id: 'a' })], now: NOW })
  expect(await allJobs(other)).toEqual([])
})

test('jobs in memory live as long as the object: closing and opening it keeps them', async () => {
  const storage = memory()
  await storage.open()
  await storage.enqueue({ jobs: [newJob({ id: 'a' })], now: NOW })
  await storage.close()
  await storage.open()
  expect((await allJobs(storage)).map(({ id }) => id)).toEqual(['a'])
})

test('its traits cannot be changed by whoever reads them', () => {
  expect(Object.isFrozen(memory().traits)).toBe(true)
})
