// Keys, serial queues and limits as users meet them: through definitions, enqueues and executors. What a storage has to
// do for them is in the kit.
import { describe, expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import { defineJob } from '../../src/index.ts'
import { ManualClock, testQueue } from '../../src/testing/index.ts'
import { problemOf, Stage } from './doubles.ts'

const task = defineJob({ type: 'task' })

describe('job keys', () => {
  test('enqueueMany does with keys what the calls one after another would', async () => {
    const calls = [
      { payload: [1], options: { id: 'a', jobKey: 'k', delay: '1m', priority: 'high' } },
      { payload: [2], options: { id: 'b', jobKey: 'k', jobKeyMode: 'preserveRunAt' } },
      { payload: [3], options: { id: 'c', jobKey: 'k', jobKeyMode: 'unsafeDedupe' } },
      { payload: { d: 1 }, options: { id: 'd', jobKey: 'l' } },
      { payload: { e: 1 }, options: { id: 'e', jobKey: 'l', delay: '1h' } },
    ] as const
    const one = await testQueue()
    const many = await testQueue()
    const singly = []
    for (const { payload, options } of calls) singly.push(await one.queue.enqueue(task, payload, options))
    const together = await many.queue.enqueueMany(calls.map((call) => ({ job: task, ...call })))
    const dispositions = ['created', 'replaced', 'kept', 'created', 'replaced']
    for (const answer of [singly, together]) expect(answer.map(({ disposition }) => disposition)).toEqual(dispositions)
    expect(await many.jobs('task')).toEqual(await one.jobs('task'))
    expect(await one.queue.get('a')).toMatchObject({ payload: [1, 2], revision: 2, priority: 1, status: 'scheduled' })
  })

  test('many concurrent calls with one key leave one waiting holder', async () => {
    const { queue, jobs } = await testQueue()
    const numbers = Array.from({ length: 100 }, (_, number) => number)
    await Promise.all(numbers.map((number) => queue.enqueue(task, [number], { jobKey: 'k' })))
    const [job, ...others] = await jobs('task')
    expect([others, job?.payload]).toEqual([[], numbers])
  })
})

describe('limits', () => {
  test('a raw enqueue without the definition falls under the limit of the type', async () => {
    const limited = defineJob({ type: 'task', limit: { concurrency: 2 } })
    const storage = memory()
    const clock = new ManualClock()
    const raw = await testQueue({ storage, clock })
    const { queue } = await testQueue({ storage, clock, jobs: [limited] })
    const stage = new Stage()
    for (const id of ['a', 'b', 'c']) await raw.queue.enqueue('task', null, { id })
    await queue.createExecutor({ handlers: [limited.handler(stage.run)], concurrency: 5 }).start()
    await clock.settle()
    expect(stage.started).toEqual(['a', 'b'])
  })

  test('a deploy with a new number takes effect at the next claim, for jobs that wait already', async () => {
    const storage = memory()
    const clock = new ManualClock()
    const stage = new Stage()
    const limitedTo = async (concurrency: number) => {
      const definition = defineJob({ type: 'task', limit: { concurrency } })
      const { queue } = await testQueue({ storage, clock, jobs: [definition] })
      await queue.createExecutor({ handlers: [definition.handler(stage.run)], concurrency: 9 }).start()
      return queue
    }
    const before = await limitedTo(1)
    await before.enqueueMany(['a', 'b', 'c', 'd'].map((id) => ({ job: 'task' as const, options: { id } })))
    await clock.settle()
    expect(stage.started).toEqual(['a'])
    await limitedTo(3)
    await clock.settle()
    expect(stage.started).toEqual(['a', 'b', 'c'])
  })

  test('a key that is no text, or a function that throws, is refused and nothing is stored', async () => {
    const { queue } = await testQueue()
    const keyed = (key: () => unknown) =>
      defineJob({ type: 'task', limit: { concurrency: 1, key: key as () => string } })
    const problem = await problemOf(() =>
      queue.enqueue(
        keyed(() => 7),
        null,
      ),
    )
    expect(problem).toEqual({ code: 'HOLDFAST_INVALID_OPTION', field: 'limit.key(payload)' })
    const throwing = () => {
      throw new Error('no tenant')
    }
    await expect(queue.enqueue(keyed(throwing), null)).rejects.toThrow('no tenant')
    expect((await queue.counts()).pending).toBe(0)
  })
})

describe('serial: strict', () => {
  test.each([
    ['the definition', defineJob({ type: 'task', serial: 'strict', maxRetries: 1 }), {}],
    ['the enqueue', defineJob({ type: 'task', maxRetries: 1 }), { serial: 'strict' as const }],
  ])('given by %s, a job that waits for its retry blocks the next', async (_, definition, options) => {
    const stage = new Stage()
    const { queue, clock } = await testQueue()
    await queue.createExecutor({ handlers: [definition.handler(stage.run)] }).start()
    for (const id of ['a', 'b']) await queue.enqueue(definition, null, { id, queueName: 'q', ...options })
    await clock.settle()
    stage.fail('a', new Error('boom'))
    await clock.advance('4s')
    expect([stage.started, (await queue.get('a'))?.status]).toEqual([['a'], 'scheduled'])
    await clock.advance('2s')
    expect(stage.started).toEqual(['a', 'a'])
    stage.end('a')
    await clock.settle()
    expect(stage.started).toEqual(['a', 'a', 'b'])
  })

  test('an enqueue may take back what its definition says', async () => {
    const strict = defineJob({ type: 'task', serial: 'strict', maxRetries: 1 })
    const stage = new Stage()
    const { queue, clock } = await testQueue()
    await queue.createExecutor({ handlers: [strict.handler(stage.run)] }).start()
    for (const id of ['a', 'b']) await queue.enqueue(strict, null, { id, queueName: 'q', serial: 'relaxed' })
    await clock.settle()
    stage.fail('a', new Error('boom'))
    await clock.settle()
    expect(stage.started).toEqual(['a', 'b'])
  })
})

describe('cancel', () => {
  test('reaches a handler here at once, and one elsewhere with its next beat', async () => {
    const storage = memory()
    const clock = new ManualClock()
    const here = await testQueue({ storage, clock })
    const there = await testQueue({ storage, clock })
    const stage = new Stage()
    await here.queue.createExecutor({ handlers: [task.handler(stage.run)], concurrency: 1 }).start()
    await there.queue.createExecutor({ handlers: [task.handler(stage.run)], concurrency: 1 }).start()
    await here.queue.enqueueMany([
      { job: task, options: { id: 'a' } },
      { job: task, options: { id: 'b' } },
    ])
    await clock.settle()
    await here.queue.cancel('a')
    await here.queue.cancel('b')
    const atOnce = ['a', 'b'].filter((id) => stage.abortedFor(id) === 'HOLDFAST_CANCELLED')
    expect(atOnce).toHaveLength(1)
    expect((await here.queue.counts()).running).toBe(2)
    await clock.advance('15s')
    expect(['a', 'b'].map((id) => stage.abortedFor(id))).toEqual(['HOLDFAST_CANCELLED', 'HOLDFAST_CANCELLED'])
  })
})
