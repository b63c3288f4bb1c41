// Keys, serial queues and limits as users meet them: through definitions, enqueues and executors. What a storage has to
// do for them is in the kit.
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
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

  test('lists that are collected grow up to the limit of payloads, and no item of them is lost', async () => {
    const { queue } = await testQueue({ payloadLimit: 20, binaryLimit: 3 })
    const options = { jobKey: 'k', delay: '1m' } as const
    const numbers = Array.from({ length: 20 }, (_, number) => number)
    for (const number of numbers) await queue.enqueue(task, [number], options)
    const lists: number[][] = []
    for await (const { payload, jobKey } of queue.list({ where: { type: { eq: 'task' } } })) {
      expect(JSON.stringify(payload).length).toBeLessThanOrEqual(20)
      lists.push(payload as number[])
      expect(jobKey).toBe((payload as number[]).includes(19) ? 'k' : null)
    }
    expect(lists.flat().sort((a, b) => a - b)).toEqual(numbers)
    expect(lists.length).toBeGreaterThan(1)
    const bytes = defineJob({ type: 'bytes', payloadFormat: 'structured-clone' })
    const add = (size: number) => queue.enqueue(bytes, [new Uint8Array(size)], { jobKey: 'bytes' })
    expect([(await add(2)).disposition, (await add(1)).disposition, (await add(1)).disposition]).toEqual([
      'created',
      'replaced',
      'created',
    ])
  })

  test('what a handler enqueues at its end keeps to the limit too', async () => {
    const { queue, clock } = await testQueue({ payloadLimit: 10 })
    const parent = defineJob({ type: 'parent' })
    const handler = parent.handler((_, { onComplete }) => {
      for (const number of [1111, 2222, 3333]) onComplete.enqueue(task, [number], { jobKey: 'k' })
    })
    await queue.createExecutor({ handlers: [handler] }).start()
    await queue.enqueue(parent, null)
    await clock.settle()
    const payloads: unknown[] = []
    for await (const { payload } of queue.list({ where: { type: { eq: 'task' } } })) payloads.push(payload)
    expect(payloads).toEqual([[3333], [2222], [1111]])
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

  const keyed = (key: (payload: never) => unknown) =>
    defineJob({ type: 'task', limit: { concurrency: 1, key: key as () => string } })

  test.each([
    ['a number', () => 7],
    ['nothing', () => undefined],
    ['a text of more than 500 characters', () => 'x'.repeat(501)],
    ['a promise', async () => 'north'],
    ['a promise that nobody waits for and that rejects', () => Promise.reject(new Error('no tenant'))],
  ])('a key that is %s is refused and nothing is stored', async (_, key) => {
    const { queue } = await testQueue()
    const many = [{ job: task }, { job: keyed(key) }]
    const code = 'HOLDFAST_INVALID_OPTION'
    expect(await problemOf(() => queue.enqueue(keyed(key), null))).toEqual({ code, field: 'limit.key' })
    expect(await problemOf(() => queue.enqueueMany(many))).toEqual({ code, field: 'items[1].limit.key' })
    expect(await queue.counts()).toMatchObject({ pending: 0, scheduled: 0 })
  })

  test('a function for keys that throws is refused with what it threw, and nothing is stored', async () => {
    const { queue } = await testQueue()
    const thrown = new Error('no tenant')
    const throwing = keyed(() => {
      throw thrown
    })
    const code = 'HOLDFAST_INVALID_OPTION'
    const refused = (field: string) => ({ code, cause: thrown, details: { field } })
    await expect(queue.enqueue(throwing, null)).rejects.toMatchObject(refused('limit.key'))
    const many = queue.enqueueMany([{ job: task }, { job: throwing }])
    await expect(many).rejects.toMatchObject(refused('items[1].limit.key'))
    expect(await queue.counts()).toMatchObject({ pending: 0, scheduled: 0 })
  })

  test('the key is made at the enqueue from the payload as it is stored, and kept', async () => {
    const storage = memory()
    const { queue } = await testQueue({ storage })
    const schema = z.object({ tenant: z.string().trim(), region: z.string().default('north') })
    const seen: unknown[] = []
    const key = (payload: { tenant: string; region: string }) => {
      seen.push(payload)
      return `${payload.region}/${payload.tenant}`
    }
    const limited = defineJob({ type: 'task', payload: schema, limit: { concurrency: 1, key } })
    await queue.enqueue(limited, { tenant: ' a ' }, { id: 'a' })
    const options = { id: 'b' }
    await queue.enqueueMany([{ job: limited, payload: { tenant: 'b', region: 'south' }, options }])
    expect(seen).toEqual([
      { tenant: 'a', region: 'north' },
      { tenant: 'b', region: 'south' },
    ])
    const stored = async (id: string) => (await storage.get([id]))[0]
    expect(await stored('a')).toMatchObject({ limitKey: 'north/a', payload: { tenant: 'a', region: 'north' } })
    expect(await stored('b')).toMatchObject({ limitKey: 'south/b' })
  })

  test('a limit without keys counts the jobs of its type together, and no limit counts none', async () => {
    const storage = memory()
    const { queue } = await testQueue({ storage })
    await queue.enqueue(defineJob({ type: 'together', limit: { concurrency: 1 } }), { tenant: 'a' }, { id: 'together' })
    await queue.enqueue(
      keyed(() => ''),
      { tenant: 'a' },
      { id: 'empty' },
    )
    await queue.enqueue(task, { tenant: 'a' }, { id: 'none' })
    const stored = await storage.get(['together', 'empty', 'none'])
    expect(stored.map((job) => job?.limitKey)).toEqual(['', '', null])
  })

  test('a job that replaces another by its key has the limit key of its own payload', async () => {
    const storage = memory()
    const { queue } = await testQueue({ storage })
    const limited = keyed(({ tenant }: { tenant: string }) => tenant)
    for (const tenant of ['a', 'b']) await queue.enqueue(limited, { tenant }, { id: tenant, jobKey: 'k' })
    expect((await storage.get(['a']))[0]).toMatchObject({ limitKey: 'b', payload: { tenant: 'b' } })
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
