import { describe, expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import { defineJob, type JobQueue, type PauseScope } from '../../src/index.ts'
import { ManualClock, testQueue } from '../../src/testing/index.ts'
import { problemOf, Stage, untilAborted } from './doubles.ts'

const task = defineJob({ type: 'task', maxRetries: 0 })
const other = defineJob({ type: 'other' })

const idsOf = (jobs: readonly { id: string }[]) => jobs.map(({ id }) => id)

/** A job in each status, named by it. What runs ends with the stage. */
async function oneOfEach() {
  const stage = new Stage()
  const { queue, clock } = await testQueue()
  const executor = queue.createExecutor({ handlers: [task.handler(stage.run)] })
  await executor.start()
  for (const id of ['completed', 'failed', 'running']) await queue.enqueue(task, null, { id, jobKey: `key-${id}` })
  await clock.settle()
  stage.end('completed')
  stage.fail('failed', new Error('boom'))
  await clock.settle()
  for (const id of ['cancelled', 'waiting']) await queue.enqueue(task, null, { id, delay: '1h', jobKey: `key-${id}` })
  await queue.cancel('cancelled')
  const all = ['waiting', 'running', 'completed', 'failed', 'cancelled', 'nobody']
  const statuses = async (): Promise<Map<string, unknown>> =>
    new Map(await Promise.all(all.map(async (id) => [id, await queue.get(id)] as const)))
  return { queue, clock, stage, executor, all, statuses }
}

describe('administration answers what it changed and touches nothing else', () => {
  const calls: Record<string, [(queue: JobQueue, ids: string[]) => Promise<readonly { id: string }[]>, string[]]> = {
    retry: [(queue, ids) => queue.retry(ids), ['waiting', 'failed', 'cancelled']],
    reschedule: [(queue, ids) => queue.reschedule(ids, { priority: 'high' }), ['waiting']],
    complete: [(queue, ids) => queue.complete(ids), ['waiting', 'failed', 'cancelled']],
    fail: [(queue, ids) => queue.fail(ids, 'by hand'), ['waiting', 'cancelled']],
    remove: [(queue, ids) => queue.remove(ids), ['waiting', 'completed', 'failed', 'cancelled']],
  }

  test.each(Object.entries(calls))('%s', async (_, [call, touched]) => {
    const { queue, all, statuses } = await oneOfEach()
    const before = await statuses()
    expect(idsOf(await call(queue, all))).toEqual(touched)
    const after = await statuses()
    for (const id of all)
      expect(JSON.stringify(after.get(id)) !== JSON.stringify(before.get(id))).toBe(touched.includes(id))
  })
})

describe('remove by key', () => {
  test('takes the waiting or failed holder away and answers it as it was', async () => {
    const { queue } = await oneOfEach()
    expect(await queue.remove({ jobKey: 'key-waiting' })).toMatchObject([{ id: 'waiting', status: 'scheduled' }])
    expect(await queue.remove({ jobKey: 'key-failed' })).toMatchObject([{ id: 'failed', status: 'failed' }])
    expect([await queue.get('waiting'), await queue.get('failed')]).toEqual([null, null])
  })

  test('lets the running holder finish, and it is not retried', async () => {
    const { queue, clock, stage } = await oneOfEach()
    expect(await queue.remove({ jobKey: 'key-running' })).toMatchObject([{ id: 'running', jobKey: null }])
    expect((await queue.enqueue(task, null, { jobKey: 'key-running', delay: '1h' })).disposition).toBe('created')
    stage.end('running', 'done')
    await clock.settle()
    expect(await queue.get('running')).toMatchObject({ status: 'completed', result: 'done' })
  })

  test('of a key that nobody holds is an empty answer', async () => {
    const { queue } = await oneOfEach()
    expect(await queue.remove({ jobKey: 'key-completed' })).toEqual([])
  })
})

describe('by hand', () => {
  test('a job is completed with a result, and whoever waits for it is told', async () => {
    const { queue } = await testQueue()
    await queue.enqueue(task, null, { id: 'a' })
    const result = queue.result('a')
    expect(await queue.complete(['a'], { result: { paid: true } })).toMatchObject([{ status: 'completed' }])
    expect(await result).toMatchObject({ status: 'completed', result: { paid: true } })
  })

  test('a job is failed with a reason', async () => {
    const { queue } = await testQueue()
    await queue.enqueue(task, null, { id: 'a' })
    await queue.fail(['a'], 'customer is gone')
    const error = { code: 'HOLDFAST_FAILED_BY_HAND', message: 'customer is gone' }
    expect(await queue.get('a')).toMatchObject({ status: 'failed', error })
  })

  test('a job is rescheduled: to be due now, it starts at once', async () => {
    const { queue, drain, clock } = await testQueue({ handlers: [task.handler(() => null)] })
    await queue.enqueue(task, null, { id: 'a', delay: '1h', priority: 'low', maxRetries: 7 })
    const [job] = await queue.reschedule(['a'], { runAt: clock.now() })
    expect(job).toMatchObject({ status: 'pending', priority: 0, maxRetries: 7 })
    expect(await drain()).toBe(1)
  })

  test('a session is released: its jobs wait again, counted as interrupted, and its handlers are told', async () => {
    const stage = new Stage()
    const { queue, clock } = await testQueue()
    const executor = queue.createExecutor({ handlers: [task.handler(stage.run)], concurrency: 1 })
    await executor.start()
    await queue.enqueue(task, null, { id: 'a' })
    await clock.settle()
    await executor.pause()
    expect(await queue.forceRelease([executor.session])).toMatchObject([{ status: 'pending', interruptions: 1 }])
    await clock.advance('30s')
    expect(stage.abortedFor('a')).toBe('HOLDFAST_LEASE_LOST')
  })

  test('what ends a job by hand is told as what ends it otherwise, once, and nothing else is', async () => {
    const { queue, clock, stage, executor } = await oneOfEach()
    const told: unknown[] = []
    for (const name of ['completed', 'failed', 'cancelled', 'interrupted', 'retrying', 'released'] as const)
      queue.on(name, ({ job: { id, status }, ...more }) => told.push([name, id, status, more]))
    for (const id of ['a', 'b', 'c', 'd']) await queue.enqueue(task, null, { id, delay: '1h' })
    await queue.cancel('a', 'user left')
    await queue.complete(['b', 'running'], { result: 5 })
    await queue.fail(['c', 'a', 'failed'], 'no use')
    await queue.remove(['failed', 'cancelled', 'd'])
    await queue.reschedule(['waiting'], { priority: 3 })
    await queue.retry(['b'])
    const error = expect.objectContaining({ code: 'HOLDFAST_FAILED_BY_HAND' }) as unknown
    expect(told).toEqual([
      ['cancelled', 'a', 'cancelled', { reason: 'user left' }],
      ['completed', 'b', 'completed', {}],
      ['failed', 'c', 'failed', { error }],
      ['failed', 'a', 'failed', { error }],
    ])
    told.length = 0
    await queue.cancel('running', 'too late')
    expect(told).toEqual([])
    stage.fail('running', new Error('stopped'))
    await clock.settle()
    expect(told).toEqual([['cancelled', 'running', 'cancelled', { reason: 'too late' }]])
    told.length = 0
    await queue.enqueue(task, null, { id: 'held' })
    await clock.settle()
    await executor.pause()
    await queue.forceRelease([executor.session])
    expect(told).toEqual([['interrupted', 'held', 'pending', {}]])
  })

  test('cleanup removes what retention names, and fails what is past its time at the second call', async () => {
    const { queue, clock } = await testQueue({ retention: { cancelled: { maxCount: 0 } } })
    await queue.enqueue(task, null, { id: 'gone' })
    await queue.cancel('gone')
    await queue.enqueue(task, null, { id: 'late', expireAfter: '20s' })
    await clock.advance('21s')
    expect(await queue.cleanup()).toEqual({ expired: 0, removed: 1, clockJumped: false })
    await clock.advance('1s')
    expect(await queue.cleanup()).toEqual({ expired: 1, removed: 0, clockJumped: false })
    expect([await queue.get('gone'), (await queue.get('late'))?.status]).toEqual([null, 'failed'])
  })

  test('cleanup by a clock that jumped takes nothing for its age, and says so', async () => {
    const { queue, clock } = await testQueue({ retention: { cancelled: { maxAge: '1d' } } })
    await queue.enqueue(task, null, { id: 'a' })
    await queue.cancel('a')
    clock.setWall(clock.now() + 365 * 86_400_000)
    expect(await queue.cleanup()).toEqual({ expired: 0, removed: 0, clockJumped: true })
    expect((await queue.get('a'))?.status).toBe('cancelled')
  })
})

describe('sessions', () => {
  test('show who is at work, here and elsewhere, and what each holds', async () => {
    const storage = memory()
    const clock = new ManualClock()
    const here = await testQueue({ storage, clock })
    const there = await testQueue({ storage, clock })
    const stage = new Stage()
    const first = here.queue.createExecutor({ handlers: [task.handler(stage.run)] })
    const second = there.queue.createExecutor({ handlers: [other.handler(stage.run)] })
    await first.start()
    await second.start()
    await here.queue.enqueueMany([
      { job: task, options: { id: 'a' } },
      { job: task, options: { id: 'b' } },
      { job: other, options: { id: 'c' } },
    ])
    await clock.advance('10s')
    const seen = await here.queue.sessions()
    expect(seen).toMatchObject([
      { id: first.session, own: true, ended: false, holds: ['b', 'a'] },
      { id: second.session, own: false, ended: false, holds: ['c'] },
    ])
    for (const { beats, lastBeat, openedAt } of seen) {
      expect(beats).toBeGreaterThan(0)
      expect(lastBeat).toBeGreaterThan(openedAt)
    }
    stage.end('c')
    await second.stop()
    expect(idsOf(await here.queue.sessions())).toEqual([first.session])
    expect(second.session).toBe('')
  })
})

describe('a pause', () => {
  const scopes: PauseScope[] = [{ all: true }, { type: 'task' }, { queueName: 'q' }]

  test.each(scopes)('of %j holds for every executor until it is resumed, also after a restart', async (scope) => {
    const storage = memory()
    const clock = new ManualClock()
    const first = await testQueue({ storage, clock })
    expect(await first.queue.pause(scope)).toBe(true)
    expect(await first.queue.pause(scope)).toBe(false)
    await first.queue.close()
    const { queue } = await testQueue({ storage, clock })
    const stage = new Stage()
    await queue.createExecutor({ handlers: [task.handler(stage.run)] }).start()
    await queue.enqueue(task, null, { id: 'a', queueName: 'q' })
    await clock.advance('1m')
    expect([await queue.pauses(), stage.started]).toEqual([[scope], []])
    expect(await queue.resume(scope)).toBe(true)
    expect(await queue.resume(scope)).toBe(false)
    await clock.settle()
    expect([await queue.pauses(), stage.started]).toEqual([[], ['a']])
  })

  test('of one executor leaves the others at work and its running jobs alone', async () => {
    const stage = new Stage()
    const { queue, clock } = await testQueue()
    const paused = queue.createExecutor({ handlers: [task.handler(stage.run)], concurrency: 2 })
    await paused.start()
    await queue.enqueue(task, null, { id: 'a' })
    await clock.settle()
    await paused.pause()
    await queue.enqueue(task, null, { id: 'b' })
    await queue.enqueue(other, null, { id: 'c' })
    await queue.createExecutor({ handlers: [other.handler(stage.run)] }).start()
    await clock.advance('2m')
    expect([stage.started, stage.running, paused.stats().paused]).toEqual([['a', 'c'], ['a', 'c'], true])
    paused.resume()
    await clock.settle()
    expect(stage.started).toEqual(['a', 'c', 'b'])
  })

  test('of one executor holds back a suspect too', async () => {
    const { queue, clock } = await testQueue()
    const doomed = queue.createExecutor({ handlers: [task.handler(untilAborted)] })
    await doomed.start()
    await queue.enqueue(task, null, { id: 'a' })
    for (let turn = 0; turn < 2; turn += 1) {
      await clock.advance('2m')
      await queue.forceRelease([doomed.session])
    }
    await doomed.pause()
    await clock.advance('10m')
    expect(await queue.get('a')).toMatchObject({ status: 'pending', interruptions: 2 })
  })
})

describe('bad input is a typed error that names the field, and changes nothing', () => {
  const wrong: [string, (queue: JobQueue) => unknown, string][] = [
    ['remove of a text', (queue) => queue.remove('a' as never), 'remove'],
    ['remove of an empty id', (queue) => queue.remove(['waiting', '']), 'ids[1]'],
    ['remove without a key', (queue) => queue.remove({} as never), 'remove.jobKey'],
    ['remove with an empty key', (queue) => queue.remove({ jobKey: '' }), 'remove.jobKey'],
    [
      'remove with an unknown option',
      (queue) => queue.remove({ jobKey: 'key-waiting', id: 'a' } as never),
      'remove.id',
    ],
    ['complete of a text', (queue) => queue.complete('waiting' as never), 'ids'],
    ['complete with what JSON alters', (queue) => queue.complete(['waiting'], { result: Number.NaN }), 'result'],
    [
      'complete with an unknown option',
      (queue) => queue.complete(['waiting'], { value: 1 } as never),
      'complete.value',
    ],
    ['fail without a reason', (queue) => queue.fail(['waiting'], undefined as never), 'reason'],
    ['fail of a number', (queue) => queue.fail([1] as never, 'why'), 'ids[0]'],
    ['reschedule with nothing', (queue) => queue.reschedule(['waiting'], {}), 'reschedule'],
    [
      'reschedule without a zone',
      (queue) => queue.reschedule(['waiting'], { runAt: '2026-01-01T00:00' }),
      'reschedule.runAt',
    ],
    ['reschedule to no priority', (queue) => queue.reschedule(['waiting'], { priority: 1.5 }), 'reschedule.priority'],
    [
      'reschedule to fewer than none',
      (queue) => queue.reschedule(['waiting'], { maxRetries: -1 }),
      'reschedule.maxRetries',
    ],
    ['forceRelease of a text', (queue) => queue.forceRelease('a' as never), 'sessions'],
    ['pause of nothing', (queue) => queue.pause({} as never), 'pause'],
    ['pause of two', (queue) => queue.pause({ type: 'task', queueName: 'q' }), 'pause'],
    ['pause of all: false', (queue) => queue.pause({ all: false } as never), 'pause.all'],
    ['pause of an empty type', (queue) => queue.pause({ type: '' }), 'pause.type'],
    ['resume of a text', (queue) => queue.resume('task' as never), 'resume'],
  ]

  test.each(wrong)('%s', async (_, call, field) => {
    const { queue, statuses } = await oneOfEach()
    const before = await statuses()
    const problem = await problemOf(() => call(queue))
    expect(problem.field).toBe(field)
    expect(['HOLDFAST_INVALID_OPTION', 'HOLDFAST_INVALID_PAYLOAD']).toContain(problem.code)
    expect([await statuses(), await queue.pauses()]).toEqual([before, []])
  })
})
