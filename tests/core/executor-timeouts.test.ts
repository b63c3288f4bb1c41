import { expect, test } from 'vitest'
import { defineJob, type HandlerContext } from '../../src/index.ts'
import { SharedLog, sharedStorage, testQueue } from '../../src/testing/index.ts'
import { Gate, Stage, untilAborted } from './doubles.ts'

const task = defineJob({ type: 'task', timeout: '30s' })

/** A queue that runs `task` by this handler, started, with one job `a` running. */
async function running(run: (payload: unknown, context: HandlerContext) => unknown, killGrace = 1000) {
  const { queue, clock } = await testQueue()
  const executor = queue.createExecutor({ handlers: [task.handler(run)], killGrace, concurrency: 1 })
  await executor.start()
  await queue.enqueue(task, null, { id: 'a' })
  await clock.settle()
  return { queue, clock, executor }
}

test('at its timeout an attempt is asked to end, and not before', async () => {
  const stage = new Stage()
  const { clock } = await running(stage.run)
  expect(stage.contexts.get('a')?.signal.aborted).toBe(false)
  await clock.advance(29_999)
  expect(stage.abortedFor('a')).toBe(null)
  await clock.advance(1)
  expect(stage.abortedFor('a')).toBe('HOLDFAST_TIMEOUT')
})

test('a handler reads its deadline from the context', async () => {
  const stage = new Stage()
  const { clock } = await running(stage.run)
  expect(stage.contexts.get('a')?.deadline).toBe(clock.now() + 30_000)
})

test('a handler that heeds the signal has failed once and is retried', async () => {
  const { queue, clock } = await running(untilAborted)
  await clock.advance('30s')
  expect(await queue.get('a')).toMatchObject({
    status: 'scheduled',
    failures: 1,
    runAt: clock.now() + 5000,
    error: { code: 'HOLDFAST_TIMEOUT' },
  })
})

test('what a handler throws after its timeout stays as the cause', async () => {
  const stage = new Stage()
  const { queue, clock } = await running(stage.run)
  await clock.advance('30s')
  stage.fail('a', new TypeError('half done'))
  await clock.settle()
  expect(await queue.get('a')).toMatchObject({ error: { code: 'HOLDFAST_TIMEOUT', cause: { name: 'TypeError' } } })
})

test('a handler that completes within the grace after its timeout has completed', async () => {
  const stage = new Stage()
  const { queue, clock } = await running(stage.run)
  await clock.advance(30_999)
  stage.end('a', 'just in time')
  await clock.settle()
  expect(await queue.get('a')).toMatchObject({ status: 'completed', result: 'just in time' })
})

test('a handler that ignores the signal is settled when its grace is over', async () => {
  const stage = new Stage()
  const { queue, clock } = await running(stage.run)
  await clock.advance(30_999)
  expect((await queue.get('a'))?.status).toBe('running')
  await clock.advance(1)
  expect(await queue.get('a')).toMatchObject({ status: 'scheduled', error: { code: 'HOLDFAST_TIMEOUT' } })
})

test('its slot stays taken until it ends', async () => {
  const stage = new Stage()
  const { queue, clock, executor } = await running(stage.run)
  await queue.enqueue(task, null, { id: 'b' })
  await clock.advance('1m')
  expect(executor.stats()).toMatchObject({ running: 0, free: 0, overdue: 1 })
  expect(stage.started).toEqual(['a'])
  stage.end('a')
  await clock.settle()
  expect(stage.started).toHaveLength(2)
  expect(executor.stats()).toMatchObject({ running: 1, free: 0, overdue: 0 })
})

test('what it returns then changes nothing', async () => {
  const stage = new Stage()
  const { queue, clock } = await running(stage.run)
  await clock.advance(31_000)
  const settled = await queue.get('a')
  stage.end('a', 'far too late')
  await clock.settle()
  expect(await queue.get('a')).toMatchObject({ attempts: settled?.attempts, failures: 1, result: null })
})

test('the grace can be set', async () => {
  const { queue, clock } = await running(() => new Gate().promise, 60_000)
  await clock.advance(89_999)
  expect((await queue.get('a'))?.status).toBe('running')
  await clock.advance(1)
  expect((await queue.get('a'))?.status).toBe('scheduled')
})

test('a signal that is first read after the timeout is aborted already', async () => {
  const gate = new Gate()
  let aborted: boolean | undefined
  const { clock } = await running(async (_, context) => {
    await gate.promise
    aborted = context.signal.aborted
  })
  await clock.advance('30s')
  gate.open()
  await clock.settle()
  expect(aborted).toBe(true)
})

test('the timeout of one job does not touch another', async () => {
  const stage = new Stage()
  const { queue, clock } = await testQueue()
  await queue.createExecutor({ handlers: [task.handler(stage.run)] }).start()
  await queue.enqueue(task, null, { id: 'long', timeout: '10m' })
  await queue.enqueue(task, null, { id: 'short', timeout: '1s' })
  await clock.advance('2s')
  await clock.settle()
  expect((await queue.get('long'))?.status).toBe('running')
  expect((await queue.get('short'))?.error?.code).toBe('HOLDFAST_TIMEOUT')
})

test('a cancel aborts the signal of a running job at once, and ends it cancelled', async () => {
  const { queue, clock } = await running(untilAborted)
  const answer = await queue.cancel('a', 'user left')
  expect(answer).toMatchObject({ status: 'running', cancelReason: 'user left' })
  await clock.settle()
  expect(await queue.get('a')).toMatchObject({ status: 'cancelled', cancelReason: 'user left' })
})

test('the reason of the signal says that it was a cancel', async () => {
  const stage = new Stage()
  const { queue } = await running(stage.run)
  await queue.cancel('a')
  expect(stage.abortedFor('a')).toBe('HOLDFAST_CANCELLED')
})

test('a cancelled handler that returns all the same completes its job, as record, event, result and stats agree', async () => {
  const stage = new Stage()
  const { queue, clock, executor } = await running(stage.run)
  const told: unknown[] = []
  queue.on('completed', ({ job }) => told.push(['completed', job.status, job.result]))
  queue.on('cancelled', () => told.push('cancelled'))
  await queue.cancel('a')
  stage.end('a', 'done')
  await clock.settle()
  expect(await queue.get('a')).toMatchObject({ status: 'completed', result: 'done' })
  expect(await queue.result('a')).toEqual({ status: 'completed', result: 'done' })
  expect(told).toEqual([['completed', 'completed', 'done']])
  expect(executor.stats()).toMatchObject({ completed: 1, cancelled: 0 })
  expect(await queue.counts()).toMatchObject({ completed: 1, cancelled: 0 })
})

test('a cancelled handler that ignores the signal is settled when its grace is over', async () => {
  const stage = new Stage()
  const { queue, clock } = await running(stage.run)
  await queue.cancel('a')
  await clock.advance(999)
  expect((await queue.get('a'))?.status).toBe('running')
  await clock.advance(1)
  expect((await queue.get('a'))?.status).toBe('cancelled')
})

test('a cancel asked for elsewhere comes with the next heartbeat', async () => {
  const log = new SharedLog()
  const stage = new Stage()
  const { queue, clock } = await testQueue({ storage: sharedStorage(log) })
  await queue.createExecutor({ handlers: [task.handler(stage.run)] }).start()
  const elsewhere = await testQueue({ storage: sharedStorage(log), clock })
  await queue.enqueue(task, null, { id: 'a' })
  await clock.settle()
  await elsewhere.queue.cancel('a', 'from afar')
  await clock.advance('10s')
  expect(stage.abortedFor('a')).toBe('HOLDFAST_CANCELLED')
})

test('a cancel-requested job that throws is cancelled, not retried', async () => {
  const log = new SharedLog()
  const stage = new Stage()
  const { queue, clock } = await testQueue({ storage: sharedStorage(log) })
  await queue.createExecutor({ handlers: [task.handler(stage.run)] }).start()
  const elsewhere = await testQueue({ storage: sharedStorage(log), clock })
  await queue.enqueue(task, null, { id: 'a' })
  await clock.settle()
  await elsewhere.queue.cancel('a', 'from afar')
  stage.fail('a', new Error('boom'))
  await clock.settle()
  expect(await queue.get('a')).toMatchObject({ status: 'cancelled', cancelReason: 'from afar' })
})
