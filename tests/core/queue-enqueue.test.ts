import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { memory } from '../../src/adapters/memory/index.ts'
import { defineJob, exponential, openQueue } from '../../src/index.ts'
import { testQueue } from '../../src/testing/index.ts'
import { hooked, problemOf } from './doubles.ts'

const task = defineJob({ type: 'task' })
const mail = defineJob({ type: 'mail', payload: z.object({ to: z.email(), subject: z.string().default('Hello') }) })

describe('enqueue', () => {
  test('answers the job as it was accepted', async () => {
    const { queue, clock } = await testQueue()
    const job = await queue.enqueue(mail, { to: 'user@example.com' })
    expect(job).toMatchObject({
      type: 'mail',
      payload: { to: 'user@example.com', subject: 'Hello' },
      status: 'pending',
      disposition: 'created',
      priority: 1,
      maxRetries: 3,
      maxInterruptions: 3,
      timeout: 300_000,
      leaseDuration: 30_000,
      createdAt: clock.now(),
      runAt: clock.now(),
      attempts: 0,
      fence: 0,
    })
    expect(await queue.get(job.id)).toEqual({ ...job, disposition: undefined })
  })

  test('takes defaults from the definition, and options over them', async () => {
    const { queue } = await testQueue()
    const urgent = defineJob({ type: 'urgent', priority: 'high', maxRetries: 7, timeout: '1m', requires: ['online'] })
    expect(await queue.enqueue(urgent, null)).toMatchObject({ priority: 2, maxRetries: 7, timeout: 60_000 })
    const job = await queue.enqueue(urgent, null, { priority: 'low', maxAttempts: 1, timeout: '2m', requires: [] })
    expect(job).toMatchObject({ priority: 0, maxRetries: 0, timeout: 120_000, requires: [] })
  })

  test('by name uses the definition of that name', async () => {
    const { queue } = await testQueue({ jobs: [task, mail] })
    const job = await queue.enqueue('mail', { to: 'user@example.com' })
    expect(job.payload).toEqual({ to: 'user@example.com', subject: 'Hello' })
  })

  test('by a name nobody defined stores the payload as it is where the queue has no list of jobs', async () => {
    const { queue } = await testQueue()
    expect(await queue.enqueue('anything', { n: 1 })).toMatchObject({ type: 'anything', payload: { n: 1 } })
  })

  test.each([
    ['a moment as Date', { runAt: new Date('2031-01-01T00:00:00Z') }],
    ['a moment as text', { runAt: '2031-01-01T01:00:00+01:00' }],
    ['a moment as number', { runAt: Date.UTC(2031, 0, 1) }],
  ])('%s says when the job is due', async (_, options) => {
    const { queue } = await testQueue()
    const job = await queue.enqueue(task, null, options)
    expect([job.status, job.runAt]).toEqual(['scheduled', Date.UTC(2031, 0, 1)])
  })

  test('a moment in the past is due at once', async () => {
    const { queue } = await testQueue()
    expect((await queue.enqueue(task, null, { runAt: 0 })).status).toBe('pending')
  })

  test('a payload that is changed afterwards is stored as it was', async () => {
    const { queue } = await testQueue()
    const payload = { list: [1] }
    const { id } = await queue.enqueue(task, payload)
    payload.list.push(2)
    expect((await queue.get(id))?.payload).toEqual({ list: [1] })
  })

  test('with the same id and payload stores nothing again', async () => {
    const { queue } = await testQueue()
    await queue.enqueue(task, { n: 1 }, { id: 'a' })
    expect(await queue.enqueue(task, { n: 1 }, { id: 'a' })).toMatchObject({ id: 'a' })
    expect((await queue.counts()).pending).toBe(1)
  })

  test('with a stored id and another payload is refused and changes nothing', async () => {
    const { queue } = await testQueue()
    await queue.enqueue(task, { n: 1 }, { id: 'a' })
    const before = await queue.get('a')
    const problem = await problemOf(() => queue.enqueue(task, { n: 2 }, { id: 'a' }))
    expect(problem).toEqual({ code: 'HOLDFAST_ID_CONFLICT', field: 'id' })
    expect(await queue.get('a')).toEqual(before)
  })

  test('with a held key replaces the waiting job', async () => {
    const { queue } = await testQueue()
    const first = await queue.enqueue(task, 'old', { jobKey: 'welcome-42' })
    const second = await queue.enqueue(task, 'new', { jobKey: 'welcome-42' })
    expect(second).toMatchObject({ id: first.id, disposition: 'replaced', payload: 'new' })
    const third = await queue.enqueue(task, 'third', { jobKey: 'welcome-42', jobKeyMode: 'unsafeDedupe' })
    expect(third).toMatchObject({ id: first.id, disposition: 'kept', payload: 'new' })
  })

  test('awaits a schema that takes its time', async () => {
    const { queue } = await testQueue()
    const slow = defineJob({ type: 'slow', payload: z.string().refine(async (text) => text !== 'taken') })
    expect((await queue.enqueue(slow, 'free')).payload).toBe('free')
    expect((await problemOf(() => queue.enqueue(slow, 'taken'))).code).toBe('HOLDFAST_SCHEMA_MISMATCH')
  })
})

describe('a payload that cannot be stored as it is', () => {
  let deep: unknown = 1
  for (let level = 0; level < 65; level++) deep = [deep]
  const cycle: Record<string, unknown> = {}
  cycle['self'] = cycle
  test.each<[string, unknown, string, string]>([
    ['undefined in a list', { list: [1, undefined] }, 'HOLDFAST_INVALID_PAYLOAD', 'payload.list[1]'],
    ['NaN', { n: Number.NaN }, 'HOLDFAST_INVALID_PAYLOAD', 'payload.n'],
    ['a BigInt', 1n, 'HOLDFAST_INVALID_PAYLOAD', 'payload'],
    ['a Map', { map: new Map() }, 'HOLDFAST_INVALID_PAYLOAD', 'payload.map'],
    ['a Date', { at: new Date(0) }, 'HOLDFAST_INVALID_PAYLOAD', 'payload.at'],
    ['a function', { run: () => 1 }, 'HOLDFAST_INVALID_PAYLOAD', 'payload.run'],
    ['a symbol', { s: Symbol('s') }, 'HOLDFAST_INVALID_PAYLOAD', 'payload.s'],
    // eslint-disable-next-line no-sparse-arrays -- that is the point
    ['a sparse list', { list: [1, , 3] }, 'HOLDFAST_INVALID_PAYLOAD', 'payload.list[1]'],
    ['a cycle', cycle, 'HOLDFAST_INVALID_PAYLOAD', 'payload.self'],
    ['a foreign prototype', { o: new URL('http://localhost') }, 'HOLDFAST_INVALID_PAYLOAD', 'payload.o'],
    ['too many levels', deep, 'HOLDFAST_INVALID_PAYLOAD', `payload${'[0]'.repeat(64)}`],
    ['too much', 'x'.repeat(2_000_000), 'HOLDFAST_PAYLOAD_TOO_LARGE', 'payload'],
  ])('%s is told with its place, and nothing is stored', async (_, payload, code, field) => {
    const { queue } = await testQueue()
    expect(await problemOf(() => queue.enqueue(task, payload))).toEqual({ code, field })
    expect(await problemOf(() => queue.enqueueMany([{ job: task }, { job: task, payload }]))).toMatchObject({ code })
    expect((await queue.counts()).pending).toBe(0)
  })
})

describe('enqueueMany', () => {
  test('stores many jobs in order, by definition and by name', async () => {
    const { queue } = await testQueue()
    const jobs = await queue.enqueueMany([{ job: task, payload: 1 }, { job: 'other', payload: 2 }, { job: task }])
    expect(jobs.map(({ type, payload }) => [type, payload])).toEqual([
      ['task', 1],
      ['other', 2],
      ['task', null],
    ])
  })

  test('stores all or nothing', async () => {
    const { queue } = await testQueue()
    await queue.enqueue(task, 'stored', { id: 'a' })
    const items = [{ job: task }, { job: task, payload: 'other', options: { id: 'a' } }]
    expect((await problemOf(() => queue.enqueueMany(items))).code).toBe('HOLDFAST_ID_CONFLICT')
    const bad = [
      { job: mail, payload: { to: 'user@example.com' } },
      { job: mail, payload: { to: 'nobody' } },
    ]
    expect((await problemOf(() => queue.enqueueMany(bad))).code).toBe('HOLDFAST_SCHEMA_MISMATCH')
    expect((await queue.counts()).pending).toBe(1)
  })

  test('of nothing answers nothing', async () => {
    const { queue } = await testQueue()
    expect(await queue.enqueueMany([])).toEqual([])
  })
})

describe('what is wrong is told, with the field, and changes nothing', () => {
  test.each([
    [{ unknown: 1 }, 'options.unknown'],
    [{ jobkey: 'typo' }, 'options.jobkey'],
    [{ priority: 'urgent' }, 'priority'],
    [{ priority: 1.5 }, 'priority'],
    [{ priority: Number.NaN }, 'priority'],
    [{ priority: '2' }, 'priority'],
    [{ priority: 'constructor' }, 'priority'],
    [{ delay: -1 }, 'delay'],
    [{ delay: Infinity }, 'delay'],
    [{ delay: Number.NaN }, 'delay'],
    [{ delay: '5 parsecs' }, 'delay'],
    [{ delay: '-5s' }, 'delay'],
    [{ delay: null }, 'delay'],
    [{ runAt: '2031-01-01T00:00:00' }, 'runAt'],
    [{ runAt: '2031-01-01' }, 'runAt'],
    [{ runAt: 'tomorrow' }, 'runAt'],
    [{ runAt: '2031-02-30T00:00:00Z' }, 'runAt'],
    [{ runAt: new Date(Number.NaN) }, 'runAt'],
    [{ runAt: Infinity }, 'runAt'],
    [{ runAt: 0, delay: 0 }, 'delay'],
    [{ maxRetries: -1 }, 'maxRetries'],
    [{ maxRetries: 1.5 }, 'maxRetries'],
    [{ maxAttempts: 0 }, 'maxAttempts'],
    [{ maxRetries: 1, maxAttempts: 2 }, 'maxAttempts'],
    [{ maxInterruptions: -1 }, 'maxInterruptions'],
    [{ timeout: 0 }, 'timeout'],
    [{ timeout: '-1s' }, 'timeout'],
    [{ leaseDuration: 999 }, 'leaseDuration'],
    [{ backoff: { kind: 'linear' } }, 'backoff'],
    [{ backoff: () => 1000 }, 'backoff'],
    [{ id: '' }, 'id'],
    [{ id: 42 }, 'id'],
    [{ id: 'a\nb' }, 'id'],
    [{ id: 'x'.repeat(201) }, 'id'],
    [{ jobKey: '' }, 'jobKey'],
    [{ jobKey: 'k', jobKeyMode: 'overwrite' }, 'jobKeyMode'],
    [{ jobKeyMode: 'replace' }, 'jobKeyMode'],
    [{ queueName: '' }, 'queueName'],
    [{ requires: {} }, 'requires'],
    [{ expireAfter: -1 }, 'expireAfter'],
    [{ requires: [''] }, 'requires[0]'],
  ])('enqueue(…, %j)', async (options, field) => {
    const { queue } = await testQueue()
    const problem = await problemOf(() => queue.enqueue(task, null, options as never))
    expect(problem).toEqual({ code: 'HOLDFAST_INVALID_OPTION', field })
    expect((await queue.counts()).pending).toBe(0)
  })

  test.each([[null], [[]], ['fast'], [5]])('options that are no object: %j', async (options) => {
    const { queue } = await testQueue()
    const problem = await problemOf(() => queue.enqueue(task, null, options as never))
    expect(problem).toEqual({ code: 'HOLDFAST_INVALID_OPTION', field: 'options' })
  })

  test.each([[undefined], [null], [{}], [{ type: 'task' }], [() => task], [42]])(
    'a job that is none: %j',
    async (job) => {
      const { queue } = await testQueue()
      expect((await problemOf(() => queue.enqueue(job as string, null))).code).toBe('HOLDFAST_INVALID_OPTION')
    },
  )

  test('a name that is empty is refused, also where any name may be enqueued', async () => {
    const { queue } = await testQueue()
    expect((await problemOf(() => queue.enqueue('', null))).code).toBe('HOLDFAST_INVALID_OPTION')
  })

  test('a name that is not among the jobs of the queue', async () => {
    const { queue } = await testQueue({ jobs: [task] })
    const problem = await problemOf(() => queue.enqueue('taks' as 'task', null))
    expect(problem).toEqual({ code: 'HOLDFAST_UNKNOWN_JOB', field: 'job' })
  })

  test('a payload that does not fit its schema, with the issues', async () => {
    const { queue } = await testQueue()
    const error: unknown = await queue.enqueue(mail, { to: 'nobody' }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'HOLDFAST_SCHEMA_MISMATCH', details: { field: 'payload.to' } })
    expect(error).toMatchObject({ details: { value: { to: 'nobody' }, issues: [{ path: ['to'] }] } })
    expect((await queue.counts()).pending).toBe(0)
  })

  const thrown = new Error('no such country')
  test.each<[string, (value: unknown) => never, unknown]>([
    [
      'throws',
      () => {
        throw thrown
      },
      thrown,
    ],
    ['rejects', (() => Promise.reject(thrown)) as never, thrown],
    ['gives nothing', (() => undefined) as never, undefined],
    ['gives what is no result', (() => true) as never, undefined],
    ['gives no result in the end', (async () => null) as never, undefined],
    ['gives issues that are no list', (() => ({ issues: 7 })) as never, undefined],
    ['gives an issue that is none', (async () => ({ issues: [null] })) as never, undefined],
  ])('a schema that %s, with the cause, and nothing is stored', async (_, validate, cause) => {
    const { queue } = await testQueue()
    const schema = { '~standard': { version: 1, vendor: 'a test', validate } } as const
    const checked = defineJob({ type: 'task', payload: schema })
    const calls = {
      payload: () => queue.enqueue(checked, 5),
      'items[1].payload': () => queue.enqueueMany([{ job: task }, { job: checked, payload: 5 }]),
    }
    for (const [field, call] of Object.entries(calls)) {
      const error: unknown = await call().catch((refused: unknown) => refused)
      const details = { field, value: 5, issues: [] }
      expect(error).toMatchObject({ code: 'HOLDFAST_SCHEMA_MISMATCH', details })
      expect((error as Error).cause).toBe(cause)
    }
    expect((await queue.counts()).pending).toBe(0)
  })

  test('a payload that JSON would alter, with its path', async () => {
    const { queue } = await testQueue()
    const problem = await problemOf(() => queue.enqueue(task, { list: [1, { when: new Date() }] }))
    expect(problem).toEqual({ code: 'HOLDFAST_INVALID_PAYLOAD', field: 'payload.list[1].when' })
  })

  test('a payload over the limit', async () => {
    const { queue } = await testQueue({ payloadLimit: 100 })
    expect((await queue.enqueue(task, 'x'.repeat(98))).payload).toHaveLength(98)
    const problem = await problemOf(() => queue.enqueue(task, 'x'.repeat(99)))
    expect(problem).toEqual({ code: 'HOLDFAST_PAYLOAD_TOO_LARGE', field: 'payload' })
  })

  test.each([
    [42, 'items'],
    [[null], 'items[0]'],
    [[{ job: task, extra: 1 }], 'items[0].extra'],
  ])('enqueueMany(%j)', async (items, field) => {
    const { queue } = await testQueue()
    const problem = await problemOf(() => queue.enqueueMany(items as never))
    expect(problem).toEqual({ code: 'HOLDFAST_INVALID_OPTION', field })
  })

  test('`workersEnabled: false` refuses what would enqueue or run jobs, and reads go on', async () => {
    const { queue } = await testQueue({ workersEnabled: false })
    const code = 'HOLDFAST_WORKERS_DISABLED'
    expect((await problemOf(() => queue.enqueue(task, null))).code).toBe(code)
    expect((await problemOf(() => queue.enqueueMany([]))).code).toBe(code)
    expect((await problemOf(() => queue.createExecutor({ handlers: [task.handler(() => 1)] }))).code).toBe(code)
    expect(await queue.counts()).toMatchObject({ pending: 0 })
  })
})

describe('openQueue', () => {
  test.each([
    [{}, 'storage'],
    [{ storage: 'memory' }, 'storage'],
    [{ storage: memory(), worker: true }, 'openQueue.worker'],
    [{ storage: memory(), jobs: task }, 'jobs'],
    [{ storage: memory(), jobs: ['task'] }, 'jobs[0]'],
    [{ storage: memory(), workersEnabled: 'yes' }, 'workersEnabled'],
    [{ storage: memory(), payloadLimit: 0 }, 'payloadLimit'],
    [{ storage: memory(), payloadLimit: 1_000_000 }, 'payloadLimit'],
    [{ storage: memory(), maxInterruptions: -1 }, 'maxInterruptions'],
    [{ storage: memory(), retention: { done: {} } }, 'retention.done'],
    [{ storage: memory(), retention: { completed: { maxAge: '-1d' } } }, 'retention.completed.maxAge'],
    [{ storage: memory(), retention: { failed: { maxCount: 0.5 } } }, 'retention.failed.maxCount'],
  ])('refuses %j, naming the field', async (options, field) => {
    const problem = await problemOf(() => openQueue(options as never))
    expect(problem).toEqual({ code: 'HOLDFAST_INVALID_OPTION', field })
  })

  test('refuses two definitions of one type', async () => {
    const jobs = [task, defineJob({ type: 'task', backoff: exponential() })]
    const problem = { code: 'HOLDFAST_DUPLICATE_JOB', field: 'jobs' }
    expect(await problemOf(() => openQueue({ storage: memory(), jobs }))).toEqual(problem)
  })

  test('refuses a storage made for another contract', async () => {
    const storage = new Proxy(memory(), {
      get: (inner, key): unknown => (key === 'contract' ? 2 : Reflect.get(inner, key)),
    })
    expect((await problemOf(() => openQueue({ storage }))).code).toBe('HOLDFAST_CONTRACT_VERSION')
  })

  test('hands on the error of a storage that cannot be opened', async () => {
    const storage = hooked(memory(), {
      before: () => {
        throw new Error('The disk is gone')
      },
    })
    await expect(openQueue({ storage })).rejects.toThrow('The disk is gone')
  })
})
