import { expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import { defineJob } from '../../src/index.ts'
import { SharedLog, sharedStorage, testQueue } from '../../src/testing/index.ts'
import { hooked, never, Stage } from './doubles.ts'

const task = defineJob({ type: 'task' })
const other = defineJob({ type: 'other' })

/** A queue whose executor runs `task` on a stage. */
async function staged(options: { concurrency?: number; storage?: ReturnType<typeof memory> } = {}) {
  const { concurrency, ...rest } = options
  const stage = new Stage()
  const { queue, clock } = await testQueue(rest)
  const executor = queue.createExecutor({
    handlers: [task.handler(stage.run)],
    ...(concurrency === undefined ? {} : { concurrency }),
  })
  const enqueue = async (...ids: string[]) => {
    await queue.enqueueMany(ids.map((id) => ({ job: task, options: { id } })))
    await clock.settle()
  }
  return { stage, queue, clock, executor, enqueue }
}

test('no more jobs run at once than `concurrency` says', async () => {
  const { stage, clock, executor, enqueue } = await staged({ concurrency: 3 })
  await enqueue('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j')
  await executor.start()
  for (let ended = 0; ended < 10; ended++) {
    await clock.settle()
    expect(stage.running).toHaveLength(Math.min(3, 10 - ended))
    stage.end(stage.running[0] as string)
  }
  await clock.settle()
  expect([stage.most, stage.started.length]).toEqual([3, 10])
})

test('four jobs run at once where `concurrency` is not given', async () => {
  const { stage, clock, executor, enqueue } = await staged()
  await enqueue('a', 'b', 'c', 'd', 'e', 'f')
  await executor.start()
  await clock.settle()
  expect(stage.running).toHaveLength(4)
})

test('a slot that falls free is filled without time passing', async () => {
  const { stage, clock, executor, enqueue } = await staged({ concurrency: 1 })
  await enqueue('a', 'b')
  await executor.start()
  await clock.settle()
  stage.end('a')
  await clock.settle()
  expect(stage.running).toEqual(['b'])
  expect(clock.monotonic()).toBe(0)
})

test('an enqueue wakes an idle executor without time passing', async () => {
  const { stage, clock, executor, enqueue } = await staged()
  await executor.start()
  await clock.settle()
  await enqueue('a')
  expect([stage.running, clock.monotonic()]).toEqual([['a'], 0])
})

test('a retry by hand wakes an idle executor without time passing', async () => {
  const { stage, queue, clock, executor } = await staged()
  await queue.enqueue(task, null, { id: 'a', delay: '1h' })
  await executor.start()
  await clock.settle()
  await queue.retry(['a'])
  await clock.settle()
  expect([stage.running, clock.monotonic()]).toEqual([['a'], 0])
})

test('an enqueue through another handle wakes an idle executor without time passing', async () => {
  const log = new SharedLog()
  const { stage, clock, executor } = await staged({ storage: sharedStorage(log) })
  await executor.start()
  await clock.settle()
  const elsewhere = await testQueue({ storage: sharedStorage(log), clock })
  await elsewhere.queue.enqueue(task, null, { id: 'a' })
  await clock.settle()
  expect([stage.running, clock.monotonic()]).toEqual([['a'], 0])
})

test('without any hint a job starts within a poll', async () => {
  const log = new SharedLog()
  const { stage, clock, executor } = await staged({ storage: hooked(sharedStorage(log), { silent: true }) })
  await executor.start()
  await clock.settle()
  const elsewhere = await testQueue({ storage: sharedStorage(log), clock })
  await elsewhere.queue.enqueue(task, null, { id: 'a' })
  await clock.advance(1200)
  expect(stage.running).toEqual(['a'])
})

test('a delayed job starts at its moment and not before', async () => {
  const { stage, queue, clock, executor } = await staged()
  await executor.start()
  await queue.enqueue(task, null, { id: 'a', delay: 12_345 })
  await clock.advance(12_344)
  expect(stage.running).toEqual([])
  await clock.advance(1)
  expect(stage.running).toEqual(['a'])
})

test('a delayed job starts at its moment by a timer, not by a poll', async () => {
  const claims: number[] = []
  const storage = hooked(memory(), { before: (name) => name === 'claim' && claims.push(clock.monotonic()) })
  const { stage, queue, clock, executor } = await staged({ storage })
  await queue.enqueue(task, null, { id: 'a', delay: 500 })
  await executor.start()
  await clock.advance(500)
  expect(stage.running).toEqual(['a'])
  expect(claims).toEqual([0, 500])
})

test('jobs start by priority, then by moment, then in the order of enqueues', async () => {
  const { stage, queue, clock, executor } = await staged({ concurrency: 1 })
  const options = [
    { id: 'normal' },
    { id: 'low', priority: 'low' },
    { id: 'earlier', runAt: clock.now() - 1000 },
    { id: 'critical', priority: 'critical' },
    { id: 'seven', priority: 7 },
    { id: 'normal too' },
    { id: 'high', priority: 'high' },
  ] as const
  await queue.enqueueMany(options.map((one) => ({ job: task, options: one })))
  await executor.start()
  for (let n = 0; n < options.length; n++) {
    await clock.settle()
    stage.end(stage.running[0] as string)
  }
  expect(stage.started).toEqual(['seven', 'critical', 'high', 'earlier', 'normal', 'normal too', 'low'])
})

test('each executor of a queue runs the types it has handlers for', async () => {
  const { queue, clock } = await testQueue()
  const ran: string[] = []
  const first = queue.createExecutor({ handlers: [task.handler(() => void ran.push('first: task'))] })
  const second = queue.createExecutor({ handlers: [other.handler(() => void ran.push('second: other'))] })
  await Promise.all([first.start(), second.start()])
  await queue.enqueueMany([{ job: task }, { job: other }, { job: task }])
  await clock.settle()
  expect(ran.sort()).toEqual(['first: task', 'first: task', 'second: other'])
})

test('a type without a handler waits and burns nothing', async () => {
  const { queue, clock, executor } = await staged()
  await queue.enqueue(other, null, { id: 'a' })
  await executor.start()
  await clock.advance('1h')
  expect(await queue.get('a')).toMatchObject({
    status: 'pending',
    attempts: 0,
    failures: 0,
    interruptions: 0,
    fence: 0,
  })
})

test('jobs of one serial queue run one after another, whatever the concurrency', async () => {
  const { stage, queue, clock, executor } = await staged()
  await queue.enqueueMany(['a', 'b', 'c'].map((id) => ({ job: task, options: { id, queueName: 'user-42' } })))
  await executor.start()
  for (const id of ['a', 'b', 'c']) {
    await clock.settle()
    expect(stage.running).toEqual([id])
    stage.end(id)
  }
})

test('the limit of a definition holds over all executors', async () => {
  const limited = defineJob({ type: 'limited', limit: { concurrency: 2 } })
  const { queue, clock } = await testQueue()
  const stage = new Stage()
  const executors = [1, 2].map(() => queue.createExecutor({ handlers: [limited.handler(stage.run)] }))
  await Promise.all(executors.map((executor) => executor.start()))
  await queue.enqueueMany(['a', 'b', 'c', 'd', 'e'].map((id) => ({ job: limited, options: { id } })))
  for (let n = 0; n < 5; n++) {
    await clock.settle()
    stage.end(stage.running[0] as string)
  }
  expect([stage.most, stage.started.length]).toEqual([2, 5])
})

test('a rate limit starts no more per window, and goes on when the window ends', async () => {
  const limited = defineJob({ type: 'limited', limit: { rate: 2, per: '10s' } })
  const { queue, clock } = await testQueue()
  const starts: number[] = []
  const executor = queue.createExecutor({
    handlers: [limited.handler(() => void starts.push(Math.round(clock.monotonic())))],
  })
  await executor.start()
  await queue.enqueueMany([1, 2, 3, 4, 5].map(() => ({ job: limited })))
  await clock.advance('20s')
  expect(starts).toEqual([0, 0, 10_000, 10_000, 20_000])
})

test('a job that requires a condition waits until it holds', async () => {
  const { stage, queue, clock, executor } = await staged()
  clock.setConditions([])
  await queue.enqueue(task, null, { id: 'a', requires: ['online'] })
  await executor.start()
  await clock.advance('1m')
  expect(stage.running).toEqual([])
  clock.setConditions(['online'])
  await clock.settle()
  expect(stage.running).toEqual(['a'])
})

test('when many outcomes are not acknowledged no more work is taken', async () => {
  const storage = hooked(memory(), { before: (name) => (name === 'settle' ? never : undefined) })
  const { queue, clock } = await testQueue({ storage })
  const executor = queue.createExecutor({ handlers: [task.handler(() => null)], concurrency: 10 })
  await queue.enqueueMany(Array.from({ length: 200 }, () => ({ job: task })))
  await executor.start()
  await clock.advance('1m')
  const { claimed, unacknowledged } = executor.stats()
  expect(unacknowledged).toBe(claimed)
  expect(claimed).toBeGreaterThanOrEqual(64)
  expect(claimed).toBeLessThan(64 + 10)
})

test('without any hint a suspect has its turn when the job that it waits for is lost', async () => {
  let isAway = false
  const storage = hooked(memory(), {
    silent: true,
    before: (name) => {
      if (isAway && name === 'beat') throw new Error('The storage is away')
    },
  })
  const { stage, queue, clock, executor, enqueue } = await staged({ storage, concurrency: 2 })
  queue.on('error', () => undefined)
  await enqueue('suspect')
  const now = clock.now()
  await storage.session({ open: 'dies', leaseDuration: 30_000, now })
  for (const requestId of ['once', 'twice']) {
    const asked = { requestId, session: 'dies', now, limit: 1, lanes: [{ type: 'task' }], have: [] }
    const { jobs } = await storage.claim({ ...asked, suspects: 'none' })
    const error = { name: 'Error', message: 'It died' }
    const end = { kind: 'retry', runAt: now, delay: 0, error, counts: 'interruption' } as const
    await storage.settle({ batch: jobs.map(({ id, fence }) => ({ id, fence, ...end })), now })
  }
  await enqueue('a')
  await executor.start()
  await clock.settle()
  isAway = true
  // Whoever ran `a` goes on and does not heed its signal: its slot stays taken, and there is another.
  await clock.advance('1m')
  expect(stage.started).toEqual(['a', 'suspect'])
})
