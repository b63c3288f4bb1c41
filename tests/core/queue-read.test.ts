import { describe, expect, test } from 'vitest'
import { defineJob, type Job } from '../../src/index.ts'
import { testQueue } from '../../src/testing/index.ts'
import { never, problemOf } from './doubles.ts'

const task = defineJob({ type: 'task', maxRetries: 0 })
const other = defineJob({ type: 'other' })

/** A queue with one job in every status, named by it. */
async function populated() {
  const handler = task.handler((payload, { job }) => {
    if (payload === 'failed') throw new Error('boom')
    if (payload === 'running') return never
    return job.id
  })
  const made = await testQueue({ handlers: [handler] })
  const { queue, clock, advance } = made
  for (const id of ['completed', 'failed', 'cancelled', 'running'] as const) {
    await queue.enqueue(task, id, { id, ...(id === 'cancelled' ? { delay: '1h' } : {}) })
    await clock.advance('1s')
  }
  await queue.cancel('cancelled')
  await advance('1s')
  await queue.enqueue(other, null, { id: 'pending', priority: 'high', queueName: 'q' })
  await clock.advance('1s')
  await queue.enqueue(other, null, { id: 'scheduled', delay: '1h' })
  return made
}

async function idsOf(jobs: AsyncIterable<Job>): Promise<string[]> {
  const ids: string[] = []
  for await (const { id } of jobs) ids.push(id)
  return ids
}

describe('get', () => {
  test('shows each job with its status', async () => {
    const { queue } = await populated()
    for (const id of ['completed', 'failed', 'cancelled', 'running', 'pending', 'scheduled']) {
      expect((await queue.get(id))?.status).toBe(id)
    }
  })

  test('of an unknown id is null', async () => {
    const { queue } = await testQueue()
    expect(await queue.get('nobody')).toBe(null)
  })

  test('a scheduled job is pending when its time has come', async () => {
    const { queue, clock } = await testQueue()
    await queue.enqueue(task, null, { id: 'a', delay: '1s' })
    await clock.advance('1s')
    expect((await queue.get('a'))?.status).toBe('pending')
  })

  test('what a caller does to the answer changes nothing', async () => {
    const { queue } = await testQueue()
    await queue.enqueue(task, { n: 1 }, { id: 'a' })
    Object.assign((await queue.get('a'))?.payload as object, { n: 2 })
    expect((await queue.get('a'))?.payload).toEqual({ n: 1 })
  })

  test.each([[''], [42], [undefined]])('refuses %j as an id', async (id) => {
    const { queue } = await testQueue()
    const problem = await problemOf(() => queue.get(id as string))
    expect(problem).toEqual({ code: 'HOLDFAST_INVALID_OPTION', field: 'id' })
  })
})

test('counts tells how many jobs are in each status', async () => {
  const { queue } = await populated()
  expect(await queue.counts()).toEqual({ pending: 1, scheduled: 1, running: 1, completed: 1, failed: 1, cancelled: 1 })
})

describe('list', () => {
  test('without options yields all jobs, the newest first', async () => {
    const { queue } = await populated()
    const all = ['scheduled', 'pending', 'running', 'cancelled', 'failed', 'completed']
    expect(await idsOf(queue.list())).toEqual(all)
  })

  test.each([
    [{ status: { eq: 'failed' } }, ['failed']],
    [{ status: { in: ['pending', 'scheduled'] } }, ['scheduled', 'pending']],
    [{ type: { eq: 'other' }, status: { ne: 'pending' } }, ['scheduled']],
    [{ queueName: { eq: 'q' } }, ['pending']],
    [{ priority: { gte: 2 } }, ['pending']],
    [{ finishedAt: { ne: null } }, ['cancelled', 'failed', 'completed']],
    [{ id: { nin: ['running', 'pending', 'scheduled', 'cancelled'] } }, ['failed', 'completed']],
  ] as const)('where %j', async (where, expected) => {
    const { queue } = await populated()
    expect(await idsOf(queue.list({ where }))).toEqual(expected)
  })

  test('orders by another field', async () => {
    const { queue } = await populated()
    const where = { type: { eq: 'other' } } as const
    expect(await idsOf(queue.list({ where, orderBy: { priority: 'desc' } }))).toEqual(['pending', 'scheduled'])
    expect(await idsOf(queue.list({ where, orderBy: { runAt: 'desc' } }))).toEqual(['scheduled', 'pending'])
  })

  test('takes priorities by their names too, and parts of statuses', async () => {
    const { queue } = await testQueue()
    for (const priority of ['low', 'normal', 'high', 7] as const)
      await queue.enqueue(task, null, { id: String(priority), priority })
    expect(await idsOf(queue.list({ where: { priority: { lt: 'high' } } }))).toEqual(['normal', 'low'])
    expect(await idsOf(queue.list({ where: { priority: { in: ['high', 7, null] } } }))).toEqual(['7', 'high'])
    expect(await idsOf(queue.list({ where: { status: { contains: 'end' }, priority: { eq: 0 } } }))).toEqual(['low'])
    expect(await idsOf(queue.list({ where: { status: { containsAny: ['x', 'y'] } } }))).toEqual([])
  })

  test('yields no more than its limit', async () => {
    const { queue } = await populated()
    expect(await idsOf(queue.list({ limit: 2 }))).toEqual(['scheduled', 'pending'])
  })

  test('yields every job once, however many pages that takes', async () => {
    const { queue } = await testQueue()
    await queue.enqueueMany(Array.from({ length: 2500 }, (_, n) => ({ job: task, options: { id: `job-${n}` } })))
    const ids = await idsOf(queue.list({ orderBy: { createdAt: 'asc' } }))
    expect(ids).toEqual(Array.from({ length: 2500 }, (_, n) => `job-${n}`))
  })

  test('a cursor of another order is refused', async () => {
    const { queue } = await populated()
    const { cursor } = await queue.list().page({ size: 2 })
    const other = queue.list({ orderBy: [{ priority: 'asc' }, { createdAt: 'asc' }] })
    await expect(other.page({ after: cursor ?? '' })).rejects.toMatchObject({ code: 'HOLDFAST_INVALID_OPTION' })
  })

  test('pages go on where the one before ended, and the last has no cursor', async () => {
    const { queue } = await populated()
    const list = queue.list()
    const first = await list.page({ size: 4 })
    expect([first.jobs.length, first.cursor === null]).toEqual([4, false])
    const second = await list.page({ size: 4, after: first.cursor ?? '' })
    expect(second.jobs.map(({ id }) => id)).toEqual(['failed', 'completed'])
    expect(second.cursor).toBe(null)
  })

  test.each([
    [{ filter: {} }, 'list.filter'],
    [{ where: { state: { eq: 'failed' } } }, 'where.state'],
    [{ where: { status: 'failed' } }, 'where.status'],
    [{ where: { status: { equals: 'failed' } } }, 'where.status.equals'],
    [{ orderBy: { payload: { to: 'up' } } }, 'orderBy.payload.to'],
    [{ orderBy: { runAt: 'up' } }, 'orderBy.runAt'],
    [{ orderBy: {} }, 'orderBy'],
    [{ limit: 0 }, 'list.limit'],
  ])('refuses %j, naming the field', async (options, field) => {
    const { queue } = await testQueue()
    const problem = await problemOf(() => queue.list(options as never))
    expect(problem).toEqual({ code: 'HOLDFAST_INVALID_OPTION', field })
  })

  test.each([
    [{ size: 0 }, 'page.size'],
    [{ size: 1001 }, 'page.size'],
    [{ after: 'nonsense' }, 'page.after'],
    [{ after: '{}' }, 'page.after'],
    [{ after: '["a","b"]' }, 'page.after'],
    [{ after: '[5]' }, 'page.after'],
    [{ offset: 3 }, 'page.offset'],
  ])('refuses page(%j), naming the field', async (options, field) => {
    const { queue } = await testQueue()
    const problem = await problemOf(() => queue.list().page(options as never))
    expect(problem).toEqual({ code: 'HOLDFAST_INVALID_OPTION', field })
  })
})
