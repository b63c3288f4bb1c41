import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineJob, exponential, fixed, graphile, isDue, isLeaseExpired, nextRetryDelay } from '../../src/index.ts'
import { testQueue } from '../../src/testing/index.ts'
import { problemOf } from './doubles.ts'

describe('defineJob', () => {
  test('fills in the defaults', () => {
    expect(defineJob({ type: 'task' })).toMatchObject({
      type: 'task',
      schema: null,
      defaults: {
        priority: 1,
        maxRetries: 3,
        maxInterruptions: null,
        timeout: 300_000,
        leaseDuration: 30_000,
        backoff: null,
        requires: [],
        limit: null,
      },
    })
  })

  test('a definition holds no handler and cannot be changed', () => {
    const task = defineJob({ type: 'task' })
    const bound = task.handler(() => null)
    expect([Object.isFrozen(task), Object.isFrozen(task.defaults), bound.definition]).toEqual([true, true, task])
    expect(Object.values(task.defaults)).not.toContain(bound.run)
  })

  test('`maxAttempts` is the other spelling of `maxRetries`', () => {
    expect(defineJob({ type: 'task', maxAttempts: 1 }).defaults.maxRetries).toBe(0)
  })

  test('graphile() comes with 25 attempts unless told otherwise', () => {
    expect(defineJob({ type: 'task', backoff: graphile() }).defaults.maxRetries).toBe(24)
    expect(defineJob({ type: 'task', backoff: graphile(), maxRetries: 2 }).defaults.maxRetries).toBe(2)
  })

  test('takes a schema that is a function, as some libraries make them', () => {
    const schema = Object.assign(() => true, {
      '~standard': { version: 1 as const, vendor: 'own', validate: (value: unknown) => ({ value }) },
    })
    expect(defineJob({ type: 'task', payload: schema }).schema).toBe(schema)
  })

  test.each([
    [null, 'defineJob'],
    ['task', 'defineJob'],
    [{}, 'type'],
    [{ type: '' }, 'type'],
    [{ type: 42 }, 'type'],
    [{ type: 'x'.repeat(201) }, 'type'],
    [{ type: 't', retries: 3 }, 'defineJob.retries'],
    [{ type: 't', payload: {} }, 'payload'],
    [{ type: 't', payload: z.object({}).shape }, 'payload'],
    [{ type: 't', payload: { '~standard': { version: 2, validate: () => ({}) } } }, 'payload'],
    [{ type: 't', priority: 'urgent' }, 'priority'],
    [{ type: 't', maxRetries: -1 }, 'maxRetries'],
    [{ type: 't', maxAttempts: 0 }, 'maxAttempts'],
    [{ type: 't', maxRetries: 1, maxAttempts: 2 }, 'maxAttempts'],
    [{ type: 't', maxInterruptions: 0.5 }, 'maxInterruptions'],
    [{ type: 't', timeout: 0 }, 'timeout'],
    [{ type: 't', timeout: Infinity }, 'timeout'],
    [{ type: 't', leaseDuration: '999ms' }, 'leaseDuration'],
    [{ type: 't', backoff: 5000 }, 'backoff'],
    [{ type: 't', backoff: null }, 'backoff'],
    [{ type: 't', requires: {} }, 'requires'],
    [{ type: 't', expireAfter: 0 }, 'expireAfter'],
    [{ type: 't', requires: [42] }, 'requires[0]'],
    [{ type: 't', limit: {} }, 'limit'],
    [{ type: 't', limit: { concurrency: 0 } }, 'limit.concurrency'],
    [{ type: 't', limit: { rate: 5 } }, 'limit.per'],
    [{ type: 't', limit: { concurrency: 1, per: '1s' } }, 'limit.per'],
    [{ type: 't', limit: { rate: 0, per: '1s' } }, 'limit.rate'],
    [{ type: 't', limit: { rate: 1, per: 0 } }, 'limit.per'],
    [{ type: 't', limit: { concurrency: 1, key: 'user' } }, 'limit.key'],
    [{ type: 't', limit: { concurrency: 1, max: 2 } }, 'limit.max'],
  ])('refuses %j, naming the field', async (options, field) => {
    expect(await problemOf(() => defineJob(options as never))).toEqual({ code: 'HOLDFAST_INVALID_OPTION', field })
  })

  test('a handler is a function', async () => {
    const problem = await problemOf(() => defineJob({ type: 't' }).handler('run' as never))
    expect(problem).toEqual({ code: 'HOLDFAST_INVALID_OPTION', field: 'handler' })
  })

  test('a limit key that is no text is refused when the job is enqueued', async () => {
    const bad = defineJob({ type: 'bad', limit: { concurrency: 1, key: () => 42 as never } })
    const { queue } = await testQueue()
    expect((await problemOf(() => queue.enqueue(bad, null))).code).toBe('HOLDFAST_INVALID_OPTION')
    expect(await queue.counts()).toMatchObject({ pending: 0 })
  })
})

describe('isDue', () => {
  test.each([
    [{ status: 'pending', runAt: 100 }, true],
    [{ status: 'pending', runAt: 999 }, true],
    [{ status: 'scheduled', runAt: 500 }, true],
    [{ status: 'scheduled', runAt: 501 }, false],
    [{ status: 'running', runAt: 100 }, false],
    [{ status: 'completed', runAt: 100 }, false],
    [{ status: 'failed', runAt: 100 }, false],
    [{ status: 'cancelled', runAt: 100 }, false],
  ] as const)('%j at 500: %s', (job, due) => {
    expect(isDue(job, 500)).toBe(due)
  })
})

describe('isLeaseExpired', () => {
  test.each([
    [{ status: 'running', lastHeartbeat: 1000, leaseDuration: 500 }, 1500, false],
    [{ status: 'running', lastHeartbeat: 1000, leaseDuration: 500 }, 1501, true],
    [{ status: 'pending', lastHeartbeat: null, leaseDuration: 500 }, 9999, false],
    [{ status: 'completed', lastHeartbeat: null, leaseDuration: 500 }, 9999, false],
  ] as const)('%j at %i: %s', (job, now, expired) => {
    expect(isLeaseExpired(job, now)).toBe(expired)
  })
})

describe('nextRetryDelay', () => {
  test.each([
    [{ failures: 0, backoff: null }, 5000],
    [{ failures: 1, backoff: null }, 25_000],
    [{ failures: 2, backoff: null }, 125_000],
    [{ failures: 7, backoff: fixed('200ms') }, 200],
    [{ failures: 0, backoff: exponential({ base: '1s', jitter: 1 }) }, 1000],
  ] as const)('%j: %i ms', (job, delay) => {
    expect(nextRetryDelay(job)).toBe(delay)
  })

  test('is what the executor then waits', async () => {
    const task = defineJob({ type: 'task', backoff: exponential({ base: '3s', factor: 2 }) })
    const handler = task.handler(() => {
      throw new Error('boom')
    })
    const { queue, clock, drain } = await testQueue({ handlers: [handler] })
    const job = await queue.enqueue(task, null, { id: 'a' })
    await drain()
    expect((await queue.get('a'))?.runAt).toBe(clock.now() + nextRetryDelay(job))
  })
})
