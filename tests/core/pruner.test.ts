import { describe, expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import type { PruneRequest } from '../../src/core/storage/contract.ts'
import { defineJob, type RetentionOptions } from '../../src/index.ts'
import { testQueue } from '../../src/testing/index.ts'
import { failing, hooked } from './doubles.ts'

const task = defineJob({ type: 'task', maxRetries: 0 })
const DAY = 86_400_000
const YEAR = 365 * DAY

/** A queue whose executor completes, fails or leaves its jobs, as their payloads say. */
async function retaining(retention?: RetentionOptions, hooks: Parameters<typeof hooked>[1] = {}) {
  const requests: PruneRequest[] = []
  const storage = hooked(memory(), {
    before: (name, request) => {
      if (name === 'prune') requests.push(request as PruneRequest)
      return hooks.before?.(name, request)
    },
  })
  const { queue, clock } = await testQueue({ storage, ...(retention === undefined ? {} : { retention }) })
  const handler = task.handler((payload) => {
    if (payload === 'fail') throw new Error('boom')
  })
  await queue.createExecutor({ handlers: [handler] }).start()
  const finish = async (count: number, payload: string | null = null) => {
    await queue.enqueueMany(Array.from({ length: count }, () => ({ job: task, payload })))
    await clock.settle()
  }
  return { queue, clock, finish, requests }
}

describe('retention', () => {
  test('is a day and 1,000 for completed jobs, 30 days and 10,000 for failed and cancelled ones', async () => {
    const { clock, requests } = await retaining()
    await clock.advance('20s')
    const { now, rules } = requests[0] as PruneRequest
    expect(rules).toEqual([
      { state: 'completed', finishedBefore: now - DAY, keep: 1000 },
      { state: 'failed', finishedBefore: now - 30 * DAY, keep: 10_000 },
      { state: 'cancelled', finishedBefore: now - 30 * DAY, keep: 10_000 },
    ])
  })

  test('of completed jobs the newest thousand stay', async () => {
    const { queue, clock, finish } = await retaining()
    await finish(1500)
    await clock.advance('1m')
    expect((await queue.counts()).completed).toBe(1000)
  })

  test('ages and counts can be set for each', async () => {
    const { queue, clock, finish } = await retaining({ completed: { maxAge: '1m' }, failed: { maxCount: 2 } })
    await finish(3)
    await finish(5, 'fail')
    await clock.advance('50s')
    expect(await queue.counts()).toMatchObject({ completed: 3, failed: 2 })
    await clock.advance('30s')
    expect(await queue.counts()).toMatchObject({ completed: 0, failed: 2 })
  })

  test('nothing goes within 10 s of its end, so that a result can be read', async () => {
    const { queue, clock, finish } = await retaining({ completed: { maxAge: 0, maxCount: 0 } })
    await clock.advance('25s')
    await finish(3)
    await clock.advance(9999)
    expect((await queue.counts()).completed).toBe(3)
    await clock.advance('11s')
    expect((await queue.counts()).completed).toBe(0)
  })

  test('live jobs stay, whatever the rules', async () => {
    const { queue, clock } = await retaining({ completed: { maxAge: 0, maxCount: 0 }, failed: { maxAge: 0 } })
    await queue.enqueue(defineJob({ type: 'unhandled' }), null)
    await queue.enqueue(task, null, { delay: '300d' })
    await clock.advance('1h')
    expect(await queue.counts()).toMatchObject({ pending: 1, scheduled: 1 })
  })
})

describe('a clock that jumps', () => {
  test('by a year ahead for a moment takes no dead letter', async () => {
    const { queue, clock, finish } = await retaining()
    await finish(3, 'fail')
    await clock.advance('1m')
    clock.setWall(clock.now() + YEAR)
    await clock.advance('10s')
    clock.setWall(clock.now() - YEAR)
    await clock.advance('1m')
    expect((await queue.counts()).failed).toBe(3)
  })

  test('by a year ahead for a moment lets the newest stay and takes what they outnumber', async () => {
    const { queue, clock, finish } = await retaining({ failed: { maxCount: 2 } })
    await finish(1, 'fail')
    await clock.advance('1m')
    await finish(2, 'fail')
    clock.setWall(clock.now() + YEAR)
    expect(await queue.cleanup()).toEqual({ expired: 0, removed: 1, clockJumped: true })
    expect((await queue.counts()).failed).toBe(2)
  })

  test.each([
    ['age', { maxAge: 0 }],
    ['number', { maxCount: 0 }],
  ])(
    'between all runs, as where nothing measures the time between them, keeps nothing from going by its %s',
    async (_, completed) => {
      const { queue, clock } = await testQueue({ retention: { completed } })
      const executor = queue.createExecutor({ handlers: [task.handler(() => null)] })
      await queue.enqueue(task, null, { id: 'waits', requires: 'the moon', expireAfter: 1000 })
      for (let run = 0; run < 10; run++) {
        clock.setWall(clock.now() + 600_000)
        await queue.enqueue(task, run)
        await executor.processUntilIdle()
      }
      // Those of the last two runs: one is spared, one is not believed to be older yet.
      expect(await queue.counts()).toMatchObject({ completed: 2, pending: 0, failed: 1 })
    },
  )

  test('takes nothing that ended before it within 10 s of its end', async () => {
    const { queue, clock, finish } = await retaining({ completed: { maxCount: 0, maxAge: 0 } })
    await clock.advance('1m')
    await finish(1)
    clock.setWall(clock.now() + YEAR)
    await queue.cleanup()
    expect((await queue.counts()).completed).toBe(1)
  })

  test('is believed again once it goes on evenly', async () => {
    const { clock, requests } = await retaining()
    await clock.advance('1m')
    clock.setWall(clock.now() + YEAR)
    requests.length = 0
    await clock.advance('25s')
    expect(requests.length).toBeGreaterThan(0)
    expect(requests.every(({ now }) => Math.abs(now - clock.now()) < 60_000)).toBe(true)
  })
})

describe('the pruner', () => {
  test('removes in bounded steps until nothing is left to remove', async () => {
    const { queue, clock, finish, requests } = await retaining({ completed: { maxCount: 0 } })
    await finish(2500)
    await clock.advance('30s')
    expect((await queue.counts()).completed).toBe(0)
    expect(requests.every(({ limit }) => limit === 1000)).toBe(true)
  })

  test('tells an error of the storage and goes on', async () => {
    const { queue, clock, finish } = await retaining({ completed: { maxCount: 0 } }, { before: failing('prune', 1) })
    const told: string[] = []
    queue.on('error', ({ service }) => told.push(service))
    await finish(1)
    await clock.advance('1m')
    expect(told).toEqual(['pruner'])
    expect((await queue.counts()).completed).toBe(0)
  })
})
