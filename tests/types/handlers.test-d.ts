import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import {
  defineJob,
  exponential,
  fixed,
  graphile,
  type Job,
  type HandlerQueue,
  type JobQueue,
  type JobResult,
  type PayloadInput,
  type PayloadOutput,
  RetryLater,
} from '../../src/index.ts'

const resize = defineJob({ type: 'resize', payload: z.object({ width: z.string().transform(Number) }) })
const anything = defineJob({ type: 'anything' })

declare const queue: JobQueue

test("a handler gets the schema's output", () => {
  resize.handler((payload) => expectTypeOf(payload).toEqualTypeOf<{ width: number }>())
  resize.handler((payload, { job }) => {
    expectTypeOf(payload).toEqualTypeOf<{ width: number }>()
    expectTypeOf(job.payload).toEqualTypeOf<{ width: number }>()
  })
  anything.handler((payload) => expectTypeOf(payload).toBeUnknown())
})

test('a handler for another payload is refused', () => {
  // @ts-expect-error -- `width` is a number by then
  resize.handler((payload: { width: string }) => payload)
})

test('a handler may be synchronous or not, and return anything', () => {
  resize.handler(() => undefined)
  resize.handler(async () => ({ done: true }))
})

test('the types of a definition can be named', () => {
  expectTypeOf<PayloadInput<typeof resize>>().toEqualTypeOf<{ width: string }>()
  expectTypeOf<PayloadOutput<typeof resize>>().toEqualTypeOf<{ width: number }>()
})

test('the context has what the design says, and no more', () => {
  anything.handler((_, context) => {
    expectTypeOf(context.attempt).toBeNumber()
    expectTypeOf(context.fence).toBeNumber()
    expectTypeOf(context.deadline).toBeNumber()
    expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>()
    expectTypeOf(context.queue).toEqualTypeOf<HandlerQueue>()
    expectTypeOf(context.state).toBeUnknown()
    context.progress({ percent: 50 })
    context.log('half way', { percent: 50 })
    // @ts-expect-error -- no such member
    expectTypeOf(context.retries).toBeUnknown()
  })
})

test('the signal can be handed to the platform', () => {
  anything.handler((_, { signal }) => fetch('https://example.com', { signal }))
})

test('a chained job is checked as an enqueued one is', () => {
  anything.handler((_, { onComplete }) => {
    onComplete.enqueue(resize, { width: '100' }, { delay: '1m' })
    // @ts-expect-error -- the schema takes a text
    onComplete.enqueue(resize, { width: 100 })
  })
})

test('executors take handlers of many kinds', () => {
  const executor = queue.createExecutor({
    handlers: [resize.handler(({ width }) => width), anything.handler(() => null)],
    concurrency: 4,
    state: { mailer: 'smtp' },
    killGrace: '2s',
  })
  void executor.stop({ grace: '10s' })
  void executor.processUntilIdle({ deadline: new Date() })
  // @ts-expect-error -- a function alone does not say which job it is for
  queue.createExecutor({ handlers: [() => null] })
  // @ts-expect-error -- a definition has no handler
  queue.createExecutor({ handlers: [resize] })
  // @ts-expect-error -- no such unit
  void executor.stop({ grace: '10 sec' })
})

test('definitions take spans, priorities and the presets of backoff', () => {
  defineJob({ type: 'a', timeout: '30s', leaseDuration: 5000, backoff: exponential({ base: '5s', jitter: 0.1 }) })
  defineJob({ type: 'b', backoff: fixed('200ms'), priority: 'critical', maxAttempts: 5 })
  defineJob({ type: 'c', backoff: graphile(), limit: { rate: 10, per: '1m' } })
  // @ts-expect-error -- no such unit
  defineJob({ type: 'd', timeout: '5 parsecs' })
  // @ts-expect-error -- not a preset
  defineJob({ type: 'e', backoff: (attempt: number) => attempt })
  // @ts-expect-error -- no such option
  defineJob({ type: 'f', retries: 5 })
  // @ts-expect-error -- a job has a name
  defineJob({ timeout: '30s' })
})

test("a limit's key is computed from the schema's output", () => {
  defineJob({
    type: 'keyed',
    payload: z.object({ user: z.string().transform((text) => text.length) }),
    limit: { concurrency: 1, key: ({ user }) => user.toFixed() },
  })
})

test('spans of outcomes are checked', () => {
  expectTypeOf(new RetryLater({ after: '5m' }).after).toBeNumber()
  // @ts-expect-error -- no such unit
  expectTypeOf(new RetryLater({ after: '5 minutes' }).after).toBeNumber()
})

test('a result is told apart by its status', async () => {
  const result: JobResult = await queue.result('a')
  if (result.status === 'completed') expectTypeOf(result.result).toBeUnknown()
  if (result.status === 'failed') expectTypeOf(result.error.message).toBeString()
  if (result.status === 'cancelled') expectTypeOf(result.reason).toBeString()
  // @ts-expect-error -- only a completed job has one
  expectTypeOf(result.result).toBeUnknown()
})

test('lists are iterated and paged', async () => {
  for await (const job of queue.list({ where: { status: { eq: 'failed' } }, orderBy: { finishedAt: 'desc' } })) {
    expectTypeOf(job).toEqualTypeOf<Job>()
  }
  const { cursor } = await queue.list().page({ size: 10 })
  expectTypeOf(cursor).toEqualTypeOf<string | null>()
  // @ts-expect-error -- no such field
  queue.list({ where: { state: { eq: 'failed' } } })
  queue.list({ where: { priority: { gte: 'high' }, status: { contains: 'end' }, runAt: { lt: new Date() } } })
  // @ts-expect-error -- no such priority
  queue.list({ where: { priority: { eq: 'urgent' } } })
  // @ts-expect-error -- no such status
  queue.list({ where: { status: { in: ['FAILED'] } } })
  // @ts-expect-error -- a number
  queue.list({ where: { attempts: { gt: '1' } } })
  // @ts-expect-error -- no text
  queue.list({ where: { runAt: { startsWith: '2026' } } })
  // @ts-expect-error -- not an order
  queue.list({ orderBy: { runAt: 'up' } })
})

test('events carry what they are about', () => {
  queue.on('completed', ({ job }) => expectTypeOf(job).toEqualTypeOf<Job>())
  queue.on('retrying', ({ runAt }) => expectTypeOf(runAt).toBeNumber())
  // @ts-expect-error -- no such event
  queue.on('done', () => undefined)
})
