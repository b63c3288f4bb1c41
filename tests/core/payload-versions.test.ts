import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { memory } from '../../src/adapters/memory/index.ts'
import { defineJob, type HandlerContext } from '../../src/index.ts'
import { ManualClock, testQueue } from '../../src/testing/index.ts'
import { problemOf } from './doubles.ts'

const first = defineJob({ type: 'mail', maxRetries: 0, payload: z.object({ to: z.string() }) })
const second = defineJob({
  type: 'mail',
  maxRetries: 0,
  version: 2,
  payload: z.object({ to: z.array(z.string()).min(1) }),
  migrate: (payload) => ({ to: [(payload as { to: string }).to] }),
})

/** Two programs of different age on one storage. */
async function twoPrograms(newer = second) {
  const storage = memory()
  const clock = new ManualClock()
  const old = await testQueue({ storage, clock, handlers: [first.handler(({ to }) => to)] })
  const seen: { payload: unknown; context: HandlerContext }[] = []
  const run = newer.handler((payload, context) => void seen.push({ payload, context }))
  const fresh = await testQueue({ storage, clock, handlers: [run] })
  return { old, fresh, seen, clock, storage }
}

describe('payload versions', () => {
  test('of lists under one key, a schema sees none a second time that an enqueue has shown it', async () => {
    const { queue } = await testQueue()
    const lengths = defineJob({ type: 'lengths', payload: z.array(z.string().transform(({ length }) => length)) })
    await queue.enqueue('lengths', ['ab'], { id: 'a', jobKey: 'key' })
    await queue.enqueue(lengths, ['abc'], { id: 'b', jobKey: 'key' })
    const seen: unknown[] = []
    await queue.createExecutor({ handlers: [lengths.handler((payload) => void seen.push(payload))] }).processUntilIdle()
    expect(seen).toEqual([[2], [3]])
  })

  test('a job of an older version is brought up before the handler sees it; what is stored stays', async () => {
    const { old, fresh, seen } = await twoPrograms()
    await old.queue.enqueue(first, { to: 'a' }, { id: 'a' })
    await fresh.drain()
    expect(seen.map(({ payload }) => payload)).toEqual([{ to: ['a'] }])
    expect(seen[0]?.context.job.payload).toEqual({ to: ['a'] })
    expect(await fresh.queue.get('a')).toMatchObject({ status: 'completed', payload: { to: 'a' }, payloadVersion: 1 })
  })

  test('a job of a newer version waits for who understands it, and burns nothing', async () => {
    const { old, fresh, seen } = await twoPrograms()
    await fresh.queue.enqueue(second, { to: ['a'] }, { id: 'a' })
    expect(await old.drain()).toBe(0)
    expect(await old.queue.get('a')).toMatchObject({ status: 'pending', attempts: 0, fence: 0, payloadVersion: 2 })
    await fresh.drain()
    expect(seen.map(({ payload }) => payload)).toEqual([{ to: ['a'] }])
  })

  test('migrate learns from which version, may wait, and runs for each attempt', async () => {
    const from: number[] = []
    const patient = defineJob({
      type: 'mail',
      version: 3,
      migrate: async (payload, version) => {
        from.push(version)
        return Promise.resolve([payload])
      },
    })
    const { old, clock, storage } = await twoPrograms()
    await old.queue.enqueue(first, { to: 'a' }, { id: 'a', maxRetries: 1 })
    const seen: unknown[] = []
    const { queue } = await testQueue({ storage, clock })
    const run = patient.handler((payload) => {
      seen.push(payload)
      if (seen.length === 1) throw new Error('boom')
    })
    await queue.createExecutor({ handlers: [run] }).start()
    await clock.advance('1m')
    expect([from, seen]).toEqual([
      [1, 1],
      [[{ to: 'a' }], [{ to: 'a' }]],
    ])
  })

  type Migrate = () => { to: string[] } | Promise<{ to: string[] }>
  const broken: [string, string, Migrate][] = [
    ['rejects', 'boom', () => Promise.reject(new Error('boom'))],
    [
      'throws',
      'boom',
      () => {
        throw new Error('boom')
      },
    ],
    ['makes what the schema refuses', 'HOLDFAST_SCHEMA_MISMATCH', () => ({ to: [] })],
  ]

  test.each(broken)('a migrate that %s fails the attempt, and the handler is not run', async (_, problem, migrate) => {
    const definition = defineJob({
      type: 'mail',
      maxRetries: 0,
      version: 2,
      payload: z.object({ to: z.array(z.string()).min(1) }),
      migrate,
    })
    const { old, fresh, seen } = await twoPrograms(definition)
    await old.queue.enqueue(first, { to: 'a' }, { id: 'a' })
    await fresh.drain()
    const job = await fresh.queue.get('a')
    expect([job?.status, job?.error?.code ?? job?.error?.message, seen]).toEqual(['failed', problem, []])
  })

  test('whoever knows no definition says the version, else it is 1', async () => {
    const { queue, jobs } = await testQueue()
    await queue.enqueue('mail', { to: 'a' })
    await queue.enqueue('mail', { to: ['a'] }, { version: 2 })
    expect((await jobs('mail')).map(({ payloadVersion }) => payloadVersion)).toEqual([1, 2])
  })
})

describe('bad input is a typed error that names the field', () => {
  const migrate = (): null => null
  const definitions: [string, object][] = [
    ['version', { version: 0, migrate }],
    ['version', { version: 1.5, migrate }],
    ['migrate', { version: 2 }],
    ['migrate', { migrate }],
    ['migrate', { version: 2, migrate: 'up' }],
    ['serial', { serial: 'lax' }],
  ]

  test.each(definitions)('%s of %j', async (field, options) => {
    const problem = await problemOf(() => defineJob({ type: 'mail', ...options }))
    expect(problem).toEqual({ code: 'HOLDFAST_INVALID_OPTION', field })
  })

  test.each([
    ['version', { version: 2 }],
    ['version', { version: 0 }],
    ['serial', { serial: 'strict' }],
    ['serial', { serial: true, queueName: 'q' }],
  ])('%s of an enqueue with %j, and nothing is stored', async (field, options) => {
    const { queue } = await testQueue()
    const problem = await problemOf(() => queue.enqueue(first, { to: 'a' }, options as never))
    expect(problem).toEqual({ code: 'HOLDFAST_INVALID_OPTION', field })
    expect((await queue.counts()).pending).toBe(0)
  })
})
