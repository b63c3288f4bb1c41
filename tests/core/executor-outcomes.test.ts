import { expect, test } from 'vitest'
import { defineJob, FailPermanently, fixed, type HandlerFunction, RetryLater } from '../../src/index.ts'
import { memory } from '../../src/adapters/memory/index.ts'
import { testQueue } from '../../src/testing/index.ts'

const task = defineJob({ type: 'task' })
const boom = (): never => {
  throw new Error('boom')
}

/** A queue that runs `task` by this handler, with one job `a`. */
async function oneJob(run: HandlerFunction<unknown>, options: { maxRetries?: number } = {}) {
  const made = await testQueue({ handlers: [task.handler(run)] })
  await made.queue.enqueue(task, { n: 1 }, { id: 'a', ...options })
  const job = async () => {
    const found = await made.queue.get('a')
    if (found === null) throw new Error('The job is gone')
    return found
  }
  return { ...made, job }
}

test('a failing job is retried after exactly 5, 25 and 125 s, and is failed then', async () => {
  const starts: number[] = []
  const { clock, advance, job } = await oneJob(() => {
    starts.push(clock.now())
    boom()
  })
  const begin = clock.now()
  await advance('10m')
  expect(starts.map((at) => Math.round(at - begin))).toEqual([0, 5000, 30_000, 155_000])
  expect(await job()).toMatchObject({ status: 'failed', attempts: 4, failures: 4, error: { message: 'boom' } })
})

test('between retries a job is scheduled, with its error', async () => {
  const { drain, clock, job } = await oneJob(boom)
  await drain()
  expect(await job()).toMatchObject({ status: 'scheduled', runAt: clock.now() + 5000, error: { message: 'boom' } })
})

test('`maxRetries: 0` fails a job at its first error', async () => {
  const { drain, job } = await oneJob(boom, { maxRetries: 0 })
  await drain()
  expect(await job()).toMatchObject({ status: 'failed', attempts: 1, failures: 1 })
})

test('a job that succeeds at its second attempt is completed and shows no error', async () => {
  let runs = 0
  const { advance, job } = await oneJob(() => (++runs === 1 ? boom() : 'done'))
  await advance('5s')
  expect(await job()).toMatchObject({ status: 'completed', result: 'done', attempts: 2, failures: 1, error: null })
})

test('the backoff of a definition is kept', async () => {
  const starts: number[] = []
  const steady = defineJob({ type: 'steady', backoff: fixed('200ms'), maxRetries: 2 })
  const handler = steady.handler(() => {
    starts.push(clock.now())
    boom()
  })
  const { queue, clock, advance } = await testQueue({ handlers: [handler] })
  const begin = clock.now()
  await queue.enqueue(steady, null)
  await advance('1m')
  expect(starts.map((at) => Math.round(at - begin))).toEqual([0, 200, 400])
})

test('the history tells each attempt', async () => {
  const { advance, clock, job } = await oneJob(boom, { maxRetries: 1 })
  const begin = clock.now()
  await advance('5s')
  expect((await job()).history).toMatchObject([
    { attempt: 1, outcome: 'failed', startedAt: begin, endedAt: begin, error: { message: 'boom' } },
    { attempt: 2, outcome: 'failed', startedAt: begin + 5000, error: { message: 'boom' } },
  ])
})

test('RetryLater runs the job again after its span and counts as nothing', async () => {
  const starts: number[] = []
  const attempts: number[] = []
  const { clock, advance, job } = await oneJob(
    (_, { attempt }) => {
      starts.push(clock.now())
      attempts.push(attempt)
      if (starts.length <= 20) throw new RetryLater({ after: '7s' })
    },
    { maxRetries: 0 },
  )
  const begin = clock.now()
  await advance('21s')
  expect(starts.map((at) => Math.round(at - begin))).toEqual([0, 7000, 14_000, 21_000])
  expect(await job()).toMatchObject({ status: 'scheduled', attempts: 0, failures: 0, interruptions: 0, history: [] })
  await advance('10m')
  expect(await job()).toMatchObject({ status: 'completed', attempts: 1, failures: 0 })
  expect(new Set(attempts)).toEqual(new Set([1]))
})

test('FailPermanently ends a job at once, however many retries are left', async () => {
  const { drain, job } = await oneJob(() => {
    throw new FailPermanently('no such user')
  })
  await drain()
  expect(await job()).toMatchObject({
    status: 'failed',
    failures: 1,
    error: { code: 'HOLDFAST_FAILED_PERMANENTLY', message: 'no such user' },
  })
})

test.each([
  ['a text', 'oops'],
  ['undefined', undefined],
  ['null', null],
  ['a number', 7],
  ['an object', { code: 'E' }],
  ['a function', boom],
  ['a symbol', Symbol('s')],
  ['an object whose getters throw', Object.defineProperty(new Error('x'), 'message', { get: boom })],
  ['a frozen proxy that answers nothing', new Proxy({}, { has: boom, get: boom, getPrototypeOf: boom })],
])('a handler that throws %s fails, and the executor goes on', async (_, thrown) => {
  const { drain, job } = await oneJob(
    () => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- what handlers should not throw is the point
      throw thrown
    },
    { maxRetries: 0 },
  )
  expect(await drain()).toBe(1)
  const { status, error } = await job()
  expect([status, typeof error?.name, typeof error?.message]).toEqual(['failed', 'string', 'string'])
})

test('a promise that is rejected with nothing fails the job', async () => {
  const { drain, job } = await oneJob(
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what handlers should not do is the point
    () => Promise.reject(),
    { maxRetries: 0 },
  )
  await drain()
  expect((await job()).status).toBe('failed')
})

test.each([
  ['a value', () => 42],
  ['a promise', () => Promise.resolve(42)],
  // biome-ignore lint/suspicious/noThenProperty: a thenable that is no Promise is the point
  ['a thenable', () => ({ then: (resolve: (value: number) => void) => resolve(42) })],
])('a handler may return %s', async (_, run) => {
  const { drain, job } = await oneJob(run)
  await drain()
  expect(await job()).toMatchObject({ status: 'completed', result: 42 })
})

test('a handler that returns nothing completes its job with null', async () => {
  const { drain, job } = await oneJob(() => undefined)
  await drain()
  expect(await job()).toMatchObject({ status: 'completed', result: null })
})

test.each([
  ['JSON would alter', () => ({ when: new Date(0) }), 'HOLDFAST_INVALID_PAYLOAD'],
  ['is larger than the limit', () => 'x'.repeat(300_000), 'HOLDFAST_PAYLOAD_TOO_LARGE'],
])('a result that %s fails the job for good: running it again would not help', async (_, run, code) => {
  const { drain, job } = await oneJob(run)
  await drain()
  expect(await job()).toMatchObject({ status: 'failed', failures: 1, result: null, error: { code } })
})

test('what a handler does to its payload does not change the stored one', async () => {
  const { drain, job } = await oneJob((payload) => {
    Object.assign(payload as object, { n: 2 })
    boom()
  })
  await drain()
  expect((await job()).payload).toEqual({ n: 1 })
})

test('each outcome is told to listeners with the job as it is then', async () => {
  const told: string[] = []
  const outcomes = defineJob({ type: 'outcomes', maxRetries: 1 })
  const handler = outcomes.handler((payload) => {
    if (payload === 'complete') return
    if (payload === 'snooze') throw new RetryLater({ after: '1h' })
    boom()
  })
  const { queue, advance } = await testQueue({ handlers: [handler] })
  for (const event of ['enqueued', 'started', 'completed', 'retrying', 'failed', 'released'] as const) {
    queue.on(event, ({ job }) => told.push(`${event}: ${String(job.payload)} ${job.status}`))
  }
  for (const payload of ['complete', 'fail', 'snooze']) await queue.enqueue(outcomes, payload)
  told.length = 0
  await advance('5s')
  expect(told).toEqual([
    'started: complete running',
    'started: fail running',
    'started: snooze running',
    'completed: complete completed',
    'retrying: fail scheduled',
    'released: snooze scheduled',
    'started: fail running',
    'failed: fail failed',
  ])
})

test('an outcome is told and counted as what became of the job, not as what the handler did', async () => {
  const told: string[] = []
  const handler = task.handler(async (payload, { job, queue, onComplete }) => {
    // Each asked of the storage while the attempt runs, as another tab or process would; this executor is not told.
    if (payload === 'cancelled')
      await storage.amend({ batch: [{ kind: 'cancel', id: job.id, reason: 'enough' }], now: 0 })
    if (payload === 'superseded') await queue.enqueue(task, 'newer', { jobKey: 'key', delay: '1h' })
    if (payload === 'refused') return onComplete.enqueue(task, 'another', { id: 'taken' })
    boom()
  })
  const storage = memory()
  const { queue } = await testQueue({ storage })
  const executor = queue.createExecutor({ handlers: [handler] })
  queue.on('cancelled', ({ job, reason }) => told.push(`cancelled: ${job.id} ${job.status} ${reason}`))
  queue.on('failed', ({ job, error }) => told.push(`failed: ${job.id} ${job.status} ${String(error.code)}`))
  queue.on('retrying', ({ job }) => told.push(`retrying: ${job.id}`))
  await queue.enqueue(task, 'a job', { id: 'taken', delay: '1h' })
  for (const name of ['cancelled', 'refused']) await queue.enqueue(task, name, { id: name })
  await queue.enqueue(task, 'superseded', { id: 'superseded', jobKey: 'key' })
  await executor.processUntilIdle()
  expect(told.sort()).toEqual([
    'cancelled: cancelled cancelled enough',
    'failed: refused failed HOLDFAST_ID_CONFLICT',
    'failed: superseded failed HOLDFAST_SUPERSEDED',
  ])
  expect(executor.stats()).toMatchObject({ completed: 0, retried: 0, cancelled: 1, failed: 2 })
})
