import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { memory } from '../../src/adapters/memory/index.ts'
import { defineJob, type HandlerContext, type HandlerFunction, RetryLater } from '../../src/index.ts'
import { ManualClock, SharedLog, sharedStorage, testQueue } from '../../src/testing/index.ts'
import { failing, Gate, hooked, problemOf, Stage } from './doubles.ts'

const task = defineJob({ type: 'task' })
const next = defineJob({ type: 'next' })

async function ran(run: HandlerFunction<unknown>, options: { maxRetries?: number } = {}) {
  const made = await testQueue({ handlers: [task.handler(run)] })
  await made.queue.enqueue(task, { n: 1 }, { id: 'a', ...options })
  await made.drain()
  return { ...made, job: await made.queue.get('a') }
}

describe('what a handler sees', () => {
  test('the job, the number of the attempt and the fence of the claim', async () => {
    const seen: Pick<HandlerContext, 'attempt' | 'fence'>[] = []
    let status: string | undefined
    const { advance } = await testQueue({}).then(async ({ queue, clock }) => {
      const handler = task.handler((_, { job, attempt, fence }) => {
        seen.push({ attempt, fence })
        status = job.status
        throw new Error('boom')
      })
      await queue.createExecutor({ handlers: [handler] }).start()
      await queue.enqueue(task, null, { id: 'a' })
      return { advance: (span: number) => clock.advance(span) }
    })
    await advance(40_000)
    expect(seen.map(({ attempt }) => attempt)).toEqual([1, 2, 3])
    expect(new Set(seen.map(({ fence }) => fence)).size).toBe(3)
    expect(seen.map(({ fence }) => fence)).toEqual(seen.map(({ fence }) => fence).sort((a, b) => a - b))
    expect(status).toBe('running')
  })

  test('its functions and values may be taken out of the context', async () => {
    const { job } = await ran(async (_payload, { progress, log, queue, onComplete, signal, deadline, state }) => {
      progress(1)
      log('hello')
      const { enqueue } = onComplete
      enqueue(next, null, { id: 'chained' })
      await queue.enqueue(next, null, { id: 'direct' })
      return [signal.aborted, typeof deadline, state ?? null]
    })
    expect(job).toMatchObject({ status: 'completed', result: [false, 'number', null] })
  })

  test("the schema's output, as it was stored", async () => {
    const parsed = defineJob({ type: 'parsed', payload: z.object({ n: z.string().transform(Number) }) })
    const seen: unknown[] = []
    const { queue, drain } = await testQueue({ handlers: [parsed.handler((payload) => void seen.push(payload))] })
    await queue.enqueue(parsed, { n: '7' })
    await drain()
    expect(seen).toEqual([{ n: 7 }])
  })
})

describe('progress', () => {
  test('is told at once and stored by the next heartbeat', async () => {
    const stage = new Stage()
    const { queue, clock } = await testQueue()
    const told: unknown[] = []
    queue.on('progress', ({ job, value }) => told.push([job.id, value]))
    await queue.createExecutor({ handlers: [task.handler(stage.run)] }).start()
    await queue.enqueue(task, null, { id: 'a' })
    await clock.settle()
    stage.contexts.get('a')?.progress({ done: 3 })
    expect(told).toEqual([['a', { done: 3 }]])
    expect((await queue.get('a'))?.progress).toBe(null)
    await clock.advance('10s')
    expect((await queue.get('a'))?.progress).toEqual({ done: 3 })
  })

  test('a heartbeat that failed stores it with the next one', async () => {
    let away = true
    const storage = hooked(memory(), {
      before: (name) => {
        if (name === 'beat' && away) throw new Error('away')
      },
    })
    const stage = new Stage()
    const { queue, clock } = await testQueue({ storage })
    queue.on('error', () => undefined)
    await queue.createExecutor({ handlers: [task.handler(stage.run)] }).start()
    await queue.enqueue(task, null, { id: 'a' })
    await clock.settle()
    stage.contexts.get('a')?.progress(50)
    await clock.advance('10s')
    away = false
    await clock.advance('10s')
    expect((await queue.get('a'))?.progress).toBe(50)
  })

  test.each([
    ['completes', 'completed', () => 'done'],
    [
      'fails',
      'scheduled',
      () => {
        throw new Error('boom')
      },
    ],
    [
      'snoozes',
      'scheduled',
      () => {
        throw new RetryLater({ after: '1h' })
      },
    ],
  ])('of a handler that %s right after it is stored with the outcome', async (_, status, end) => {
    const told: unknown[] = []
    const { queue, drain } = await testQueue({
      handlers: [
        task.handler((_payload, { progress }) => {
          progress(99)
          progress(100)
          return end()
        }),
      ],
    })
    for (const name of ['completed', 'retrying', 'released'] as const)
      queue.on(name, ({ job }) => told.push(job.progress))
    await queue.enqueue(task, null, { id: 'a' })
    await drain()
    expect(await queue.get('a')).toMatchObject({ status, progress: 100 })
    expect(told).toEqual([100])
  })

  test('is stored with an outcome also when the storage was away meanwhile', async () => {
    const stage = new Stage()
    const { queue, clock } = await testQueue({ storage: hooked(memory(), { before: failing('beat', 2) }) })
    queue.on('error', () => undefined)
    await queue.createExecutor({ handlers: [task.handler(stage.run)] }).start()
    await queue.enqueue(task, null, { id: 'a' })
    await clock.settle()
    stage.contexts.get('a')?.progress(100)
    stage.end('a')
    await clock.advance('1s')
    expect(await queue.get('a')).toMatchObject({ status: 'completed', progress: 100 })
  })

  test('a value that JSON would alter is a typed error for the handler', async () => {
    let problem: unknown
    await ran(async (_, { progress }) => {
      problem = await problemOf(() => progress({ eta: Number.NaN }))
    })
    expect(problem).toEqual({ code: 'HOLDFAST_INVALID_PAYLOAD', field: 'progress.eta' })
  })
})

describe('log', () => {
  test('reaches listeners and the logger with the job and its fields', async () => {
    const lines: unknown[] = []
    const silent = (): void => undefined
    const logger = { debug: silent, warn: silent, error: silent, info: (...line: unknown[]) => lines.push(line) }
    const { queue, drain } = await testQueue({
      logger,
      handlers: [task.handler((_, { log }) => log('half way', { percent: 50 }))],
    })
    const told: unknown[] = []
    queue.on('log', ({ job, message, fields }) => told.push([job.id, message, fields]))
    await queue.enqueue(task, null, { id: 'a' })
    await drain()
    expect(told).toEqual([['a', 'half way', { percent: 50 }]])
    expect(lines).toEqual([['half way', { percent: 50, job: 'a', type: 'task' }]])
  })
})

describe('a logger that fails', () => {
  const failure = new Error('the disk is full')
  const thrown = (): never => {
    throw failure
  }
  // A function that answers by a promise is taken where one is wanted that answers nothing.
  const rejected: () => unknown = () => Promise.reject(failure)

  test.each([
    ['throws', thrown],
    ['rejects', rejected],
  ])('that %s is reported, and is no harm to the job', async (_, fail) => {
    const { queue, clock, drain } = await testQueue({
      logger: { debug: fail, info: fail, warn: fail, error: fail },
      storage: hooked(memory(), { before: failing('settle', 1) }),
      handlers: [task.handler((_payload, { log }) => log('half way'))],
    })
    await queue.enqueue(task, null, { id: 'a' })
    const draining = drain()
    await clock.advance('1s')
    await draining
    expect(await queue.get('a')).toMatchObject({ status: 'completed', failures: 0 })
    // What the handler says, what a service meets, and that it is over.
    expect(clock.reported).toEqual([failure, failure, failure])
  })

  test('with a last resort that fails too', async () => {
    const clock = Object.assign(new ManualClock(), { report: thrown })
    const { queue, drain } = await testQueue({ clock, handlers: [task.handler(() => 'done')] })
    queue.on('completed', thrown)
    await queue.enqueue(task, null, { id: 'a' })
    await drain()
    expect(await queue.get('a')).toMatchObject({ status: 'completed' })
    await queue.close()
  })
})

describe('what a handler still does when its attempt has ended', () => {
  test('a progress is checked, and neither told nor stored', async () => {
    let context: HandlerContext | null = null
    const { queue } = await ran((_, given) => void (context = given))
    const told: unknown[] = []
    queue.on('progress', ({ value }) => told.push(value))
    const { progress } = context as unknown as HandlerContext
    progress('late')
    expect(await problemOf(() => progress(Number.NaN))).toMatchObject({ code: 'HOLDFAST_INVALID_PAYLOAD' })
    expect([told, (await queue.get('a'))?.progress]).toEqual([[], null])
  })

  test.each(['returned', 'thrown', 'been given up'])('a chained job is refused: it has %s', async (end) => {
    const { queue, clock } = await testQueue()
    const stage = new Stage()
    await queue.createExecutor({ handlers: [task.handler(stage.run)] }).start()
    await queue.enqueue(task, null, { id: 'a', timeout: '1s', maxRetries: 0 })
    await clock.settle()
    if (end === 'returned') stage.end('a')
    if (end === 'thrown') stage.fail('a', new Error('boom'))
    await clock.advance('10s')
    const problem = await problemOf(() => stage.contexts.get('a')?.onComplete.enqueue(next, null))
    expect(problem).toMatchObject({ code: 'HOLDFAST_LEASE_LOST' })
  })

  test('a chained job is refused also while a schema of another one is waited for', async () => {
    const gate = new Gate<{ value: null }>()
    const slow = defineJob({
      type: 'slow',
      payload: { '~standard': { version: 1, vendor: 'test', validate: () => gate.promise } },
    })
    const { queue, clock } = await testQueue()
    let context: HandlerContext | null = null
    const handler = task.handler((_, given) => {
      context = given
      given.onComplete.enqueue(slow, null, { id: 'slow' })
    })
    await queue.createExecutor({ handlers: [handler] }).start()
    await queue.enqueue(task, null, { id: 'a' })
    await clock.settle()
    const { onComplete } = context as unknown as HandlerContext
    expect(await problemOf(() => onComplete.enqueue(next, null))).toMatchObject({ code: 'HOLDFAST_LEASE_LOST' })
    gate.open({ value: null })
    await clock.settle()
    expect([(await queue.get('a'))?.status, (await queue.get('slow'))?.status]).toEqual(['completed', 'pending'])
  })
})

describe('onComplete', () => {
  test('its jobs are stored with the completion', async () => {
    const { queue } = await ran((_, { onComplete }) =>
      onComplete.enqueue(next, { from: 'a' }, { id: 'b', priority: 3 }),
    )
    expect(await queue.get('b')).toMatchObject({ status: 'pending', type: 'next', payload: { from: 'a' }, priority: 3 })
  })

  test('its jobs run although nobody else wakes the executor', async () => {
    const order: string[] = []
    const { queue, drain } = await testQueue({
      handlers: [
        task.handler((_, { onComplete }) => onComplete.enqueue(next, null)),
        next.handler(() => void order.push('next')),
      ],
    })
    await queue.enqueue(task, null)
    await drain()
    expect(order).toEqual(['next'])
  })

  test('a chained job starts on a started executor without time passing', async () => {
    const starts: number[] = []
    const { queue, clock } = await testQueue()
    const executor = queue.createExecutor({
      handlers: [
        task.handler((_, { onComplete }) => onComplete.enqueue(next, null)),
        next.handler(() => void starts.push(clock.monotonic())),
      ],
    })
    await executor.start()
    await queue.enqueue(task, null)
    await clock.settle()
    expect(starts).toEqual([0])
  })

  test('an attempt that fails stores none of them', async () => {
    const { queue, job } = await ran((_, { onComplete }) => {
      onComplete.enqueue(next, null, { id: 'b' })
      throw new Error('boom')
    })
    expect([job?.status, await queue.get('b')]).toEqual(['scheduled', null])
  })

  test('a payload that cannot be stored throws in the handler and completes nothing', async () => {
    const { queue, job } = await ran((_, { onComplete }) => {
      onComplete.enqueue(next, 'fine', { id: 'b' })
      onComplete.enqueue(next, { at: new Date() }, { id: 'c' })
    })
    expect(job).toMatchObject({ status: 'failed', error: { code: 'HOLDFAST_INVALID_PAYLOAD' } })
    expect([await queue.get('b'), await queue.get('c')]).toEqual([null, null])
  })

  const asynchronous = defineJob({
    type: 'asynchronous',
    payload: z.object({ name: z.string().refine(async (name) => name !== 'taken') }),
  })

  test('an asynchronous schema is waited for', async () => {
    const { queue, job } = await ran((_, { onComplete }) => {
      onComplete.enqueue(asynchronous, { name: 'free' }, { id: 'b' })
      return 'done'
    })
    expect(job).toMatchObject({ status: 'completed', result: 'done' })
    expect(await queue.get('b')).toMatchObject({ payload: { name: 'free' } })
  })

  test('an asynchronous schema that refuses fails the attempt and stores nothing', async () => {
    const { queue, job } = await ran(
      (_, { onComplete }) => {
        onComplete.enqueue(next, null, { id: 'b' })
        onComplete.enqueue(asynchronous, { name: 'taken' }, { id: 'c' })
      },
      { maxRetries: 0 },
    )
    expect(job).toMatchObject({ status: 'failed', error: { code: 'HOLDFAST_SCHEMA_MISMATCH' } })
    expect([await queue.get('b'), await queue.get('c')]).toEqual([null, null])
  })

  test('a chain survives lost answers: each link runs once', async () => {
    const log = new SharedLog()
    let appends = 0
    log.fault = () => (++appends % 2 === 0 ? 'lose the answer' : null)
    const runs: unknown[] = []
    const { queue, drain } = await testQueue({
      storage: sharedStorage(log),
      handlers: [
        task.handler((n, { onComplete }) => {
          runs.push(n)
          if (Number(n) < 10) onComplete.enqueue(task, Number(n) + 1)
        }),
      ],
    })
    await queue.enqueue(task, 1)
    await drain()
    expect(runs).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })
})
