import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test, vi } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import { Slots } from '../../src/core/slots.ts'
import { defineJob, openQueue, RetryLater } from '../../src/index.ts'
import { testQueue } from '../../src/testing/index.ts'
import { failing, Gate, hooked, never, Stage, untilAborted } from './doubles.ts'

const task = defineJob({ type: 'task' })
const other = defineJob({ type: 'other' })

describe('processUntilIdle', () => {
  test('runs what is due, and what those jobs enqueue, and stops again', async () => {
    const storage = memory()
    const { queue } = await testQueue({ storage })
    const handler = task.handler(async (payload, context) => {
      if (typeof payload === 'number' && payload > 0) await context.queue.enqueue(task, payload - 1)
    })
    const executor = queue.createExecutor({ handlers: [handler], concurrency: 2 })
    await queue.enqueueMany([{ job: task, payload: 3 }, { job: task, payload: 0 }, { job: other }])
    expect(await executor.processUntilIdle()).toEqual({ processed: 5, nextRunAt: null })
    expect(executor.stats().state).toBe('idle')
    expect(await storage.sessions()).toEqual([])
    expect(await queue.counts()).toMatchObject({ completed: 5, pending: 1 })
  })

  test('ended by a stop of somebody else it answers when that is over, with what was given back', async () => {
    const claimed = new Gate()
    const { queue, clock } = await testQueue({
      storage: hooked(memory(), { after: (name) => (name === 'claim' ? claimed.promise : undefined) }),
    })
    await queue.enqueue(task, null)
    const executor = queue.createExecutor({ handlers: [task.handler(() => null)] })
    const answer = executor.processUntilIdle()
    await clock.settle()
    const stopped = executor.stop()
    claimed.open()
    expect(await answer).toEqual({ processed: 0, nextRunAt: clock.now() })
    expect([executor.stats().state, await queue.counts()]).toMatchObject(['idle', { pending: 1 }])
    await stopped
  })

  test('an executor that is just stopping is started for it, and stopped again', async () => {
    const { queue } = await testQueue()
    const executor = queue.createExecutor({ handlers: [task.handler(() => null)] })
    await executor.start()
    const stopping = executor.stop()
    await queue.enqueue(task, null)
    expect(await executor.processUntilIdle()).toMatchObject({ processed: 1 })
    await stopping
    expect(executor.stats().state).toBe('idle')
  })

  test('that fails leaves no executor running', async () => {
    const storage = hooked(memory(), { before: failing('list', 1) })
    const { queue, clock } = await testQueue({ storage })
    const executor = queue.createExecutor({ handlers: [task.handler(() => null)] })
    await expect(executor.processUntilIdle({ deadline: clock.now() })).rejects.toThrow('The storage is away')
    expect(executor.stats().state).toBe('idle')
  })

  test('says when the next job is due', async () => {
    const { queue, clock } = await testQueue()
    const executor = queue.createExecutor({ handlers: [task.handler(() => null)] })
    await queue.enqueue(task, null, { delay: '2h' })
    await queue.enqueue(other, null, { delay: '1h' })
    expect(await executor.processUntilIdle()).toEqual({ processed: 0, nextRunAt: clock.now() + 7_200_000 })
  })

  test('does not wait for retries', async () => {
    const { queue, clock } = await testQueue()
    const handler = task.handler(() => {
      throw new Error('boom')
    })
    await queue.enqueue(task, null)
    const executor = queue.createExecutor({ handlers: [handler] })
    expect(await executor.processUntilIdle()).toEqual({ processed: 1, nextRunAt: clock.now() + 5000 })
  })

  test('at the deadline running handlers are asked to end and their jobs given back', async () => {
    const { queue, clock } = await testQueue()
    const executor = queue.createExecutor({ handlers: [task.handler(untilAborted)] })
    await queue.enqueue(task, null, { id: 'a' })
    const working = executor.processUntilIdle({ deadline: clock.now() + 5000 })
    await clock.advance(4999)
    expect((await queue.get('a'))?.status).toBe('running')
    await clock.advance(1)
    expect(await working).toMatchObject({ processed: 1 })
    expect(await queue.get('a')).toMatchObject({ status: 'pending', attempts: 0 })
  })

  test('what it gave back at the deadline is due when it answers', async () => {
    const { queue, clock } = await testQueue()
    const executor = queue.createExecutor({ handlers: [task.handler(untilAborted)] })
    await queue.enqueue(task, null)
    const working = executor.processUntilIdle({ deadline: clock.now() + 5000 })
    await clock.advance(5000)
    expect(await working).toEqual({ processed: 1, nextRunAt: clock.now() })
  })

  test('a job that is put off as it is aborted is due at its moment', async () => {
    const { queue, clock } = await testQueue()
    const handler = task.handler(async (_, { signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      throw new RetryLater({ after: '1h' })
    })
    const executor = queue.createExecutor({ handlers: [handler] })
    await queue.enqueue(task, null)
    const working = executor.processUntilIdle({ deadline: clock.now() + 5000 })
    await clock.advance(5000)
    expect(await working).toEqual({ processed: 1, nextRunAt: clock.now() + 3_600_000 })
  })

  test('after a deadline that is over nothing is taken, and no session opened', async () => {
    const asked: string[] = []
    const storage = hooked(memory(), { before: (operation) => void asked.push(operation) })
    const { queue, clock } = await testQueue({ storage })
    const executor = queue.createExecutor({ handlers: [task.handler(() => null)] })
    await queue.enqueue(task, null, { id: 'a' })
    expect(await executor.processUntilIdle({ deadline: clock.now() - 1 })).toEqual({
      processed: 0,
      nextRunAt: clock.now(),
    })
    expect(asked.filter((operation) => operation === 'claim' || operation === 'session')).toEqual([])
    expect(executor.stats()).toMatchObject({ state: 'idle', claimed: 0 })
  })

  test('an executor that cannot start is given up at the deadline', async () => {
    const storage = hooked(memory(), { before: (operation) => (operation === 'session' ? gate.promise : undefined) })
    const gate = new Gate()
    const { queue, clock } = await testQueue({ storage })
    const executor = queue.createExecutor({ handlers: [task.handler(() => null)] })
    await queue.enqueue(task, null)
    const working = executor.processUntilIdle({ deadline: clock.now() + 1000 })
    await clock.advance(1000)
    gate.open()
    expect(await working).toEqual({ processed: 0, nextRunAt: clock.now() })
    expect(executor.stats()).toMatchObject({ state: 'idle', claimed: 0 })
  })

  test('handlers that end at once and always leave work that is due do not outlast the deadline', async () => {
    // Real time: a claim follows the other without a turn in which a clock could be moved.
    await using queue = await openQueue({ storage: memory() })
    const executor = queue.createExecutor({ handlers: [task.handler((_, ctx) => void ctx.queue.enqueue(task, null))] })
    await queue.enqueue(task, null)
    // Without the deadline this would go on for ever.
    const { nextRunAt } = await executor.processUntilIdle({ deadline: Date.now() + 100 })
    expect([executor.stats().state, nextRunAt === null]).toEqual(['idle', false])
  })

  test('keeps nothing of the jobs that it has run', async () => {
    const payloads: WeakRef<object>[] = []
    const gate = new Gate()
    let moment = 0
    // Each look at it is so late that the next claim waits for a turn of the loop.
    await using queue = await openQueue({ storage: memory(), environment: { monotonic: () => (moment += 100) } })
    const handler = task.handler(async (payload) => {
      payloads.push(new WeakRef(payload as object))
      if (payloads.length === 100) await gate.promise
    })
    const items = Array.from(
      { length: 100 },
      (_, n) => ({ job: task, payload: { n }, options: { timeout: '1d' } }) as const,
    )
    await queue.enqueueMany(items)
    const working = queue.createExecutor({ handlers: [handler], concurrency: 1 }).processUntilIdle()
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const kept = (): readonly [runs: number, kept: number] => {
      collect()
      return [payloads.length, payloads.filter((payload) => payload.deref() !== undefined).length]
    }
    // The one that runs.
    await expect.poll(kept).toEqual([100, 1])
    gate.open()
    await working
  })

  test('a call whose deadline has passed waits for no job any more, however long others run', async () => {
    const stage = new Stage()
    const { queue, clock } = await testQueue()
    await queue.enqueueMany(['a', 'b', 'c'].map((id) => ({ job: task, options: { id } })))
    const executor = queue.createExecutor({ handlers: [task.handler(stage.run)], concurrency: 3 })
    await executor.start()
    await clock.settle()
    const calls = Array.from({ length: 20 }, () => executor.processUntilIdle({ deadline: clock.now() + 1000 }))
    await clock.advance(1000)
    await Promise.all(calls)
    stage.end('a')
    await clock.settle()
    const waits = vi.spyOn(Slots.prototype, 'change')
    stage.end('b')
    await clock.settle()
    expect(waits).not.toHaveBeenCalled()
    waits.mockRestore()
  })

  test('an executor that was running goes on running', async () => {
    const stage = new Stage()
    const { queue, clock } = await testQueue()
    const executor = queue.createExecutor({ handlers: [task.handler(stage.run)] })
    await executor.start()
    expect(await executor.processUntilIdle()).toEqual({ processed: 0, nextRunAt: null })
    await queue.enqueue(task, null, { id: 'a' })
    await clock.settle()
    expect([executor.stats().state, stage.running]).toEqual(['running', ['a']])
  })

  test('a storage that is away for a while only makes it take longer', async () => {
    const { queue, clock } = await testQueue({ storage: hooked(memory(), { before: failing('claim', 2) }) })
    queue.on('error', () => undefined)
    const executor = queue.createExecutor({ handlers: [task.handler(() => null)] })
    await queue.enqueue(task, null)
    const working = executor.processUntilIdle()
    await clock.advance('10s')
    expect(await working).toEqual({ processed: 1, nextRunAt: null })
  })
})

describe('testQueue', () => {
  test('drain runs all that is due and answers how many jobs that were', async () => {
    const { queue, drain } = await testQueue({ handlers: [task.handler(() => null)] })
    await queue.enqueueMany([{ job: task }, { job: task }, { job: task, options: { delay: '1s' } }])
    expect(await drain()).toBe(2)
    expect(await drain()).toBe(0)
  })

  test('drain without handlers is a typed error', async () => {
    const { drain } = await testQueue()
    await expect(drain()).rejects.toMatchObject({ code: 'HOLDFAST_INVALID_OPTION' })
  })

  test("advance('2h') lets two hours pass, and every job run at its moment", async () => {
    const starts: number[] = []
    const { queue, clock, advance } = await testQueue({
      handlers: [task.handler(() => void starts.push(Math.round(clock.now() - begin)))],
    })
    const begin = clock.now()
    await queue.enqueueMany(
      ['1m', '90m', '2h', '3h'].map((delay) => ({ job: task, options: { delay: delay as '1m' } })),
    )
    await advance('2h')
    expect(clock.now() - begin).toBe(7_200_000)
    expect(starts).toEqual([60_000, 5_400_000, 7_200_000])
  })

  test('jobs tells the jobs of a type, oldest first', async () => {
    const { queue, jobs, clock } = await testQueue()
    for (const id of ['a', 'b']) {
      await queue.enqueue(task, null, { id })
      await clock.advance('1s')
    }
    await queue.enqueue(other, null)
    expect((await jobs('task')).map(({ id }) => id)).toEqual(['a', 'b'])
  })

  test('state and concurrency reach the executor', async () => {
    const seen: unknown[] = []
    const stage = new Stage()
    const { queue, clock, advance } = await testQueue({
      handlers: [task.handler((_, { state }) => void seen.push(state)), other.handler(stage.run)],
      concurrency: 1,
      state: { mailer: 'smtp' },
    })
    await queue.enqueueMany([{ job: task }, { job: other }, { job: other }])
    await advance(0)
    await clock.settle()
    expect([seen, stage.running.length]).toEqual([[{ mailer: 'smtp' }], 1])
  })

  test.each([
    ['that heeds its signal', untilAborted, 0],
    ['that does not heed its signal', () => never, 1000],
  ])('it closes while a handler runs %s', async (_, run, passes) => {
    const made = await testQueue({ handlers: [task.handler(run)] })
    await made.queue.enqueue(task, null)
    await made.advance(0)
    const begin = made.clock.now()
    await made.close()
    expect(made.clock.now() - begin).toBe(passes)
    await expect(made.queue.counts()).rejects.toMatchObject({ code: 'HOLDFAST_QUEUE_CLOSED' })
  })

  test('it closes while an executor of its own making runs, whatever its grace', async () => {
    const storage = memory()
    await storage.open()
    {
      await using made = await testQueue({ storage })
      await made.queue.enqueue(task, null, { id: 'a' })
      await made.queue.createExecutor({ handlers: [task.handler(() => never)], killGrace: '1m' }).start()
      await made.clock.settle()
    }
    await storage.open()
    expect(await storage.get(['a'])).toMatchObject([{ state: 'waiting', attempts: 0 }])
  })

  test('it closes where nothing runs without moving its clock', async () => {
    const made = await testQueue({ handlers: [task.handler(() => null)] })
    await made.queue.enqueue(task, null)
    await made.drain()
    const begin = made.clock.now()
    await made.close()
    expect(made.clock.now()).toBe(begin)
  })

  test('it closes its queue when it goes out of scope', async () => {
    const made = await testQueue()
    await made[Symbol.asyncDispose]()
    await expect(made.queue.counts()).rejects.toMatchObject({ code: 'HOLDFAST_QUEUE_CLOSED' })
  })
})
