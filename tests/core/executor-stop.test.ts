import { describe, expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import { defineJob, openQueue, RetryLater } from '../../src/index.ts'
import { ManualClock, testQueue } from '../../src/testing/index.ts'
import { failing, Gate, hooked, Stage, untilAborted } from './doubles.ts'

const task = defineJob({ type: 'task' })

async function staged(options: { storage?: ReturnType<typeof memory> } = {}) {
  const stage = new Stage()
  const storage = options.storage ?? memory()
  const { queue, clock } = await testQueue({ storage })
  const executor = queue.createExecutor({ handlers: [task.handler(stage.run)] })
  return { stage, storage, queue, clock, executor }
}

/** Whether a promise has settled, as seen when it is asked. */
function watched(promise: Promise<unknown>): { done: boolean } {
  const state = { done: false }
  void promise.finally(() => (state.done = true))
  return state
}

describe('stop', () => {
  test('waits for running handlers as long as its grace, and takes no new work meanwhile', async () => {
    const { stage, queue, clock, executor } = await staged()
    await queue.enqueue(task, null, { id: 'a' })
    await executor.start()
    await clock.settle()
    const stopping = watched(executor.stop({ grace: '10s' }))
    await queue.enqueue(task, null, { id: 'b' })
    await clock.advance(9999)
    expect([stopping.done, stage.abortedFor('a'), stage.started]).toEqual([false, null, ['a']])
    stage.end('a', 'done')
    await clock.settle()
    expect(stopping.done).toBe(true)
    expect(await queue.get('a')).toMatchObject({ status: 'completed', result: 'done' })
    expect(await queue.get('b')).toMatchObject({ status: 'pending', attempts: 0 })
  })

  test('after its grace it asks handlers to end and gives their jobs back, counted as nothing', async () => {
    const { queue, clock } = await testQueue()
    const executor = queue.createExecutor({ handlers: [task.handler(untilAborted)] })
    await queue.enqueue(task, null, { id: 'a' })
    await executor.start()
    await clock.settle()
    const stopping = watched(executor.stop({ grace: '2s' }))
    await clock.advance('2s')
    expect(stopping.done).toBe(true)
    const counters = { attempts: 0, failures: 0, interruptions: 0, history: [] }
    expect(await queue.get('a')).toMatchObject({ status: 'pending', error: null, ...counters })
  })

  test('the reason of the signal says that the executor is stopping', async () => {
    const { stage, queue, clock, executor } = await staged()
    await queue.enqueue(task, null, { id: 'a' })
    await executor.start()
    await clock.settle()
    void executor.stop({ grace: 0 })
    await clock.settle()
    expect(stage.abortedFor('a')).toBe('HOLDFAST_STOPPING')
  })

  test('it does not wait longer than the kill grace for a handler that ignores its signal', async () => {
    const { queue, clock, executor } = await staged()
    await queue.enqueue(task, null, { id: 'a' })
    await executor.start()
    await clock.settle()
    const stopping = watched(executor.stop({ grace: '1s' }))
    await clock.advance(1999)
    expect(stopping.done).toBe(false)
    await clock.advance(1)
    expect(stopping.done).toBe(true)
    expect(await queue.get('a')).toMatchObject({ status: 'pending', attempts: 0 })
  })

  test('a handler that snoozes while it is asked to stop keeps its moment', async () => {
    const { queue, clock } = await testQueue()
    const handler = task.handler(async (_, { signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      throw new RetryLater({ after: '1h' })
    })
    const executor = queue.createExecutor({ handlers: [handler] })
    await queue.enqueue(task, null, { id: 'a' })
    await executor.start()
    await clock.settle()
    void executor.stop({ grace: 0 })
    await clock.settle()
    expect(await queue.get('a')).toMatchObject({ status: 'scheduled', runAt: clock.now() + 3_600_000, attempts: 0 })
  })

  test('it closes the session', async () => {
    const { storage, executor, clock } = await staged()
    await executor.start()
    expect(await storage.sessions()).toHaveLength(1)
    await executor.stop()
    expect(await storage.sessions()).toEqual([])
    await clock.advance('1h')
    expect(await storage.sessions()).toEqual([])
  })

  test('of an executor that never started it resolves at once', async () => {
    const { executor } = await staged()
    await expect(executor.stop()).resolves.toBeUndefined()
  })

  test('called twice it waits twice', async () => {
    const { stage, queue, clock, executor } = await staged()
    await queue.enqueue(task, null, { id: 'a' })
    await executor.start()
    await clock.settle()
    const both = [watched(executor.stop()), watched(executor.stop())]
    await clock.settle()
    expect(both.map(({ done }) => done)).toEqual([false, false])
    stage.end('a')
    await clock.settle()
    expect(both.map(({ done }) => done)).toEqual([true, true])
  })

  test('called again with a shorter grace it ends sooner, for both', async () => {
    const { queue, clock } = await testQueue()
    const executor = queue.createExecutor({ handlers: [task.handler(untilAborted)] })
    await queue.enqueue(task, null, { id: 'a' })
    await executor.start()
    await clock.settle()
    const first = watched(executor.stop({ grace: '1h' }))
    await clock.advance('1m')
    const second = watched(executor.stop({ grace: '5s' }))
    await clock.advance(4999)
    expect([first.done, second.done]).toEqual([false, false])
    await clock.advance(1)
    expect([first.done, second.done]).toEqual([true, true])
  })

  test('a second one without grace, or with a longer one, leaves the first its own', async () => {
    const { queue, clock } = await testQueue()
    const executor = queue.createExecutor({ handlers: [task.handler(untilAborted)] })
    await queue.enqueue(task, null, { id: 'a' })
    await executor.start()
    await clock.settle()
    const first = watched(executor.stop({ grace: '1m' }))
    void executor.stop()
    void executor.stop({ grace: '1h' })
    await clock.advance(59_999)
    expect(first.done).toBe(false)
    await clock.advance(1)
    expect(first.done).toBe(true)
  })

  test('an executor that was stopped gives its handlers the whole grace the next time', async () => {
    const { stage, queue, clock, executor } = await staged()
    await executor.start()
    await executor.stop({ grace: 0 })
    await executor.start()
    await queue.enqueue(task, null, { id: 'a' })
    await clock.settle()
    void executor.stop({ grace: '10s' })
    await clock.advance(9999)
    expect(stage.abortedFor('a')).toBe(null)
    await clock.advance(1)
    expect(stage.abortedFor('a')).toBe('HOLDFAST_STOPPING')
  })

  test('its grace is not lengthened by a claim that is under way', async () => {
    const gate = new Gate()
    const stage = new Stage()
    let claims = 0
    const storage = hooked(memory(), {
      before: (operation) => (operation === 'claim' && ++claims > 1 ? gate.promise : undefined),
    })
    const { queue, clock } = await testQueue({ storage })
    const executor = queue.createExecutor({ handlers: [task.handler(stage.run)] })
    await queue.enqueue(task, null, { id: 'a' })
    await executor.start()
    await clock.advance('2s')
    expect([stage.started, claims]).toEqual([['a'], 2])
    const stopping = watched(executor.stop({ grace: '1s' }))
    await clock.advance('1s')
    expect(stage.abortedFor('a')).toBe('HOLDFAST_STOPPING')
    stage.end('a')
    gate.open()
    await clock.settle()
    expect(stopping.done).toBe(true)
  })

  test('a service that fails to stop does not keep it from its end', async () => {
    const failure = new Error('no such listener')
    const environment = Object.assign(new ManualClock(), {
      onConditionsChange: () => () => {
        throw failure
      },
    })
    const storage = memory()
    const queue = await openQueue({ storage, environment })
    const executor = queue.createExecutor({ handlers: [task.handler(() => null)] })
    const errors: unknown[] = []
    queue.on('error', ({ error, service }) => errors.push([service, error]))
    await executor.start()
    await executor.stop()
    expect([executor.stats().state, await storage.sessions(), errors]).toEqual(['idle', [], [['stop', failure]]])
  })

  test('a stop right after a start ends it in good order', async () => {
    const { storage, queue, clock, executor } = await staged()
    await queue.enqueue(task, null, { id: 'a' })
    void executor.start()
    const stopping = executor.stop({ grace: 0 })
    await clock.advance('5s')
    await stopping
    expect(executor.stats().state).toBe('idle')
    expect(await storage.sessions()).toEqual([])
    expect(await queue.get('a')).toMatchObject({ status: 'pending', attempts: 0 })
  })

  test('an outcome on its way is acknowledged before it resolves', async () => {
    const away = failing('settle', 2)
    const { queue, clock } = await testQueue({ storage: hooked(memory(), { before: away }) })
    queue.on('error', () => undefined)
    const executor = queue.createExecutor({ handlers: [task.handler(() => 'done')] })
    await queue.enqueue(task, null, { id: 'a' })
    await executor.start()
    await clock.settle()
    const stopping = watched(executor.stop())
    await clock.settle()
    expect(stopping.done).toBe(false)
    await clock.advance('1s')
    expect(stopping.done).toBe(true)
    expect((await queue.get('a'))?.status).toBe('completed')
  })
})

describe('start', () => {
  test('called twice it opens one session', async () => {
    const { storage, executor } = await staged()
    await Promise.all([executor.start(), executor.start()])
    expect(await storage.sessions()).toHaveLength(1)
  })

  test('an executor that was stopped can be started again, as a new session', async () => {
    const { stage, storage, queue, clock, executor } = await staged()
    await executor.start()
    const [before] = await storage.sessions()
    await executor.stop()
    await queue.enqueue(task, null, { id: 'a' })
    await executor.start()
    await clock.settle()
    expect(stage.running).toEqual(['a'])
    const [after] = await storage.sessions()
    expect(after?.id).not.toBe(before?.id)
  })

  test('a start while it stops takes effect when it has stopped', async () => {
    const { stage, queue, clock, executor } = await staged()
    await executor.start()
    const stopping = executor.stop()
    const starting = executor.start()
    await stopping
    await starting
    await queue.enqueue(task, null, { id: 'a' })
    await clock.settle()
    expect([executor.stats().state, stage.running]).toEqual(['running', ['a']])
  })

  test('a start that failed can be tried again', async () => {
    const away = failing('session', 1)
    const { stage, queue, clock, executor } = await staged({ storage: hooked(memory(), { before: away }) })
    await expect(executor.start()).rejects.toThrow()
    await executor.start()
    await queue.enqueue(task, null, { id: 'a' })
    await clock.settle()
    expect(stage.running).toEqual(['a'])
  })

  test('a queue whose executor could not start can be closed', async () => {
    const { queue, executor } = await staged({ storage: hooked(memory(), { before: failing('session', 1) }) })
    await executor.start().catch(() => undefined)
    await executor.stop()
    await expect(queue.close()).resolves.toBeUndefined()
  })
})

describe('the end of the queue', () => {
  test('closing the queue stops its executors first', async () => {
    const { stage, storage, queue, clock, executor } = await staged()
    await queue.enqueue(task, null, { id: 'a' })
    await executor.start()
    await clock.settle()
    const closing = watched(queue.close())
    await clock.settle()
    expect(closing.done).toBe(false)
    stage.end('a', 'done')
    await clock.settle()
    expect([closing.done, executor.stats().state]).toEqual([true, 'idle'])
    await storage.open()
    expect(await storage.get(['a'])).toMatchObject([{ state: 'completed' }])
  })

  test('after an overdue handler was given up the queue still closes', async () => {
    const { queue, clock } = await testQueue()
    const executor = queue.createExecutor({ handlers: [task.handler(() => new Gate().promise)] })
    await queue.enqueue(task, null, { timeout: '1s' })
    await executor.start()
    await clock.advance('5s')
    const closing = watched(queue.close({ grace: 0 }))
    await clock.advance('5s')
    expect(closing.done).toBe(true)
  })

  test('an executor whose queue is closed while it starts leaves no session behind', async () => {
    const { storage, queue, clock, executor } = await staged()
    void executor.start().catch(() => undefined)
    await queue.close()
    await clock.advance('1m')
    await storage.open()
    expect(await storage.sessions()).toEqual([])
  })
})
