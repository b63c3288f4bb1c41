import { describe, expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import { defineJob } from '../../src/index.ts'
import { testQueue } from '../../src/testing/index.ts'
import { codeOf, failing, Gate, hooked, Stage, untilAborted } from './doubles.ts'

const task = defineJob({ type: 'task' })

async function staged(storage = memory()) {
  const stage = new Stage()
  const { queue, clock } = await testQueue({ storage })
  const executor = queue.createExecutor({ handlers: [task.handler(stage.run)] })
  return { stage, storage, queue, clock, executor }
}

type Call = 'start' | 'stop'

/** Calls one after the other in one turn, and what came of it: the state, and whether a job is started then. */
async function called(before: readonly Call[], ...calls: readonly Call[]) {
  const { stage, storage, queue, clock, executor } = await staged()
  for (const call of before) await executor[call]()
  await Promise.all(calls.map((call) => executor[call]()))
  await queue.enqueue(task, null, { id: 'a' })
  await clock.settle()
  return {
    state: executor.stats().state,
    runs: stage.running.length === 1,
    sessions: (await storage.sessions()).length,
  }
}

const RUNNING = { state: 'running', runs: true, sessions: 1 }
const IDLE = { state: 'idle', runs: false, sessions: 0 }

describe('of calls that overlap the last one wins', () => {
  test.each<[readonly Call[], readonly Call[], typeof RUNNING]>([
    [[], ['start', 'stop'], IDLE],
    [[], ['start', 'stop', 'start'], RUNNING],
    [[], ['start', 'stop', 'start', 'stop'], IDLE],
    [[], ['start', 'start', 'stop'], IDLE],
    [[], ['stop', 'start'], RUNNING],
    [['start'], ['stop', 'start'], RUNNING],
    [['start'], ['stop', 'start', 'stop'], IDLE],
    [['start'], ['stop', 'start', 'stop', 'start'], RUNNING],
    [['start', 'stop'], ['start', 'stop', 'start', 'start'], RUNNING],
  ])('after %j: %j', async (before, calls, expected) => {
    expect(await called(before, ...calls)).toEqual(expected)
  })

  test('a stop resolves when it has stopped, whatever is started then', async () => {
    const { stage, queue, clock, executor } = await staged()
    await queue.enqueue(task, null, { id: 'a' })
    await executor.start()
    await clock.settle()
    const order: string[] = []
    const stopping = executor.stop().then(() => order.push(`stopped, ${stage.running.length} run`))
    const starting = executor.start().then(() => order.push('started'))
    stage.end('a')
    await Promise.all([stopping, starting])
    expect(order).toEqual(['stopped, 0 run', 'started'])
  })

  test('a stop does not fail for the start that follows it', async () => {
    let sessions = 0
    const storage = hooked(memory(), {
      before: (operation) =>
        operation === 'session' && ++sessions === 3 ? Promise.reject(new Error('away')) : undefined,
    })
    const { executor } = await staged(storage)
    await executor.start()
    const stopping = executor.stop()
    await expect(executor.start()).rejects.toThrow('away')
    await expect(stopping).resolves.toBeUndefined()
    await executor.start()
    expect(executor.stats().state).toBe('running')
  })

  test('closing the queue while a start waits for a stop leaves no session', async () => {
    const { storage, queue, executor } = await staged()
    await executor.start()
    void executor.stop()
    const starting = executor.start().catch(codeOf)
    await queue.close()
    await starting
    await storage.open()
    expect([executor.stats().state, await storage.sessions()]).toEqual(['idle', []])
  })
})

describe('an executor that is wanted by several', () => {
  test('a start while it works until idle keeps it running', async () => {
    const { stage, queue, clock, executor } = await staged()
    await queue.enqueue(task, null, { id: 'a' })
    const working = executor.processUntilIdle()
    await executor.start()
    await clock.settle()
    stage.end('a')
    expect(await working).toEqual({ processed: 1, nextRunAt: null })
    await queue.enqueue(task, null, { id: 'b' })
    await clock.settle()
    expect([executor.stats().state, stage.running]).toEqual(['running', ['b']])
  })

  test('the deadline of one call does not end the work of another', async () => {
    const { queue, clock } = await testQueue()
    const gates: Gate[] = []
    const handler = task.handler(async () => {
      const gate = new Gate()
      gates.push(gate)
      await gate.promise
    })
    const executor = queue.createExecutor({ handlers: [handler], concurrency: 1 })
    await queue.enqueueMany([{ job: task }, { job: task }, { job: task }])
    const first = executor.processUntilIdle({ deadline: clock.now() + 1000 })
    const second = executor.processUntilIdle()
    await clock.advance(1000)
    expect(await first).toEqual({ processed: 1, nextRunAt: clock.now() })
    for (let at = 0; at < 3; at++) {
      gates[at]?.open()
      await clock.settle()
    }
    expect(await second).toEqual({ processed: 3, nextRunAt: null })
    expect([executor.stats().state, await queue.counts()]).toMatchObject(['idle', { completed: 3, pending: 0 }])
  })

  test('a stop ends the work of those who wait until it is idle, and says what they left', async () => {
    const { queue, clock } = await testQueue()
    const executor = queue.createExecutor({ handlers: [task.handler(untilAborted)], concurrency: 1 })
    await queue.enqueueMany([{ job: task }, { job: task }])
    const both = [executor.processUntilIdle(), executor.processUntilIdle()]
    await clock.settle()
    await executor.stop({ grace: 0 })
    expect(await Promise.all(both)).toEqual([1, 1].map((processed) => ({ processed, nextRunAt: clock.now() })))
    expect(executor.stats().state).toBe('idle')
  })

  test('a queue that is closed meanwhile ends it', async () => {
    const { queue, clock } = await testQueue()
    const executor = queue.createExecutor({ handlers: [task.handler(untilAborted)] })
    await queue.enqueue(task, null)
    const working = executor.processUntilIdle()
    await clock.settle()
    await queue.close({ grace: 0 })
    expect(await working).toMatchObject({ processed: 1 })
    expect(await executor.processUntilIdle().catch(codeOf)).toBe('HOLDFAST_QUEUE_CLOSED')
  })

  test('one that could not be started leaves nobody who wants it', async () => {
    const { executor, storage } = await staged(hooked(memory(), { before: failing('session', 1) }))
    const both = await Promise.allSettled([executor.start(), executor.processUntilIdle()])
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(await executor.processUntilIdle()).toEqual({ processed: 0, nextRunAt: null })
    expect([executor.stats().state, await storage.sessions()]).toEqual(['idle', []])
  })
})
