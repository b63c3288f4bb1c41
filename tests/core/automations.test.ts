import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineJob, type Job, type JobQueue, openQueue } from '../../src/index.ts'
import { memory } from '../../src/adapters/memory/index.ts'
import { SharedLog, sharedStorage, testQueue } from '../../src/testing/index.ts'
import { problemOf } from './doubles.ts'

const mail = defineJob({ type: 'mail', payload: z.object({ to: z.string(), n: z.number().optional() }), maxRetries: 0 })
const task = defineJob({ type: 'task', maxRetries: 0 })

async function queueOf(): Promise<JobQueue> {
  return await openQueue({ storage: memory(), jobs: [mail, task] })
}

async function payloadOf(payload: unknown, document: unknown, previous?: unknown): Promise<unknown> {
  const queue = await queueOf()
  await queue.automate({ name: 'a', on: '*:users', enqueue: { job: 'task', payload } })
  const [job] = await queue.emit('update:users', document, previous === undefined ? {} : { previous })
  return job?.payload
}

describe('templates', () => {
  const user = { id: 7, name: 'Ann', address: { city: 'Oslo' }, items: [{ sku: 'x' }], tags: ['a'], none: null }

  test.each([
    ['${id}', 7],
    ['${address}', { city: 'Oslo' }],
    ['${items[0].sku}', 'x'],
    ['${tags[0]} and ${id}', 'a and 7'],
    ['list: ${tags}', 'list: ["a"]'],
    ['no places', 'no places'],
    ['}${name}{', '}Ann{'],
    [{ nested: [{ city: '${address.city}' }] }, { nested: [{ city: 'Oslo' }] }],
  ])('%j', async (template, expected) => {
    expect(await payloadOf(template, user)).toEqual(expected)
  })

  test('old names the document before', async () => {
    expect(await payloadOf('${old.status} → ${status}', { status: 'new' }, { status: 'old' })).toBe('old → new')
  })

  test('facts of the event can be named', async () => {
    const payload = (await payloadOf({ id: '${$id}', event: '${$event}', now: '${$now}' }, user)) as Record<
      string,
      unknown
    >
    expect([typeof payload['id'], payload['event'], typeof payload['now']]).toEqual([
      'string',
      'update:users',
      'number',
    ])
  })

  test('what every object has is no name of a document', async () => {
    expect(await payloadOf('${toString}', user)).toBe(null)
    expect(await payloadOf('${valueOf.name}', user)).toBe(null)
  })

  test('a value is never looked at for places', async () => {
    expect(await payloadOf('${name}', { name: '${id}', id: 1 })).toBe('${id}')
    expect(await payloadOf('x${name}', { name: '${id}', id: 1 })).toBe('x${id}')
  })

  test.each([
    '${__proto__}',
    '${a.constructor}',
    '${a.prototype.b}',
    '${',
    '${}',
    '${a..b}',
    '${$nobody}',
    '${a b}',
    `\${${'a.'.repeat(40)}a}`,
    'x'.repeat(10_001),
  ])('refuses %s, naming the place', async (text) => {
    const queue = await queueOf()
    const problem = await problemOf(() =>
      queue.automate({ name: 'a', on: 'insert:x', enqueue: { job: 'task', payload: { deep: [text] } } }),
    )
    expect(problem).toEqual({ code: 'HOLDFAST_INVALID_OPTION', field: 'automate.enqueue.payload.deep.0' })
  })

  test('what an object inherits is not in it', async () => {
    const queue = await queueOf()
    await queue.automate({ name: 'a', on: 'insert:x', enqueue: { job: 'task', payload: '${toString}' } })
    const [job] = await queue.emit('insert:x', {})
    expect([job?.status, job?.error?.code]).toEqual(['failed', 'HOLDFAST_AUTOMATION'])
  })
})

describe('an automation', () => {
  const welcome = {
    name: 'welcome',
    on: 'insert:users',
    enqueue: { job: 'mail', payload: { to: '${mail}' }, priority: 'high' },
  } as const

  test('enqueues its job when its event happens, and only then', async () => {
    const queue = await queueOf()
    await queue.automate({ ...welcome, where: { age: { gte: 18 }, or: [{ mail: { endsWith: '.com' } }] } })
    expect(
      (await queue.emit('insert:users', { mail: 'a@b.com', age: 20 })).map(({ payload, priority, status }) => [
        payload,
        priority,
        status,
      ]),
    ).toEqual([[{ to: 'a@b.com' }, 2, 'pending']])
    expect(await queue.emit('insert:users', { mail: 'a@b.com', age: 2 })).toEqual([])
    expect(await queue.emit('insert:users', { mail: 'a@b.org', age: 20 })).toEqual([])
    expect(await queue.emit('update:users', { mail: 'a@b.com', age: 20 })).toEqual([])
    expect(await queue.emit('insert:others', { mail: 'a@b.com', age: 20 })).toEqual([])
  })

  test('outlives its queue, is replaced by its name, disabled, and removed', async () => {
    const storage = memory()
    const first = await openQueue({ storage, jobs: [mail, task] })
    await first.automate(welcome)
    await first.automate({ ...welcome, on: '*:users' })
    await first.close()
    const queue = await openQueue({ storage, jobs: [mail, task] })
    expect((await queue.automations()).map(({ name, on, enabled }) => [name, on, enabled])).toEqual([
      ['welcome', '*:users', true],
    ])
    expect((await queue.emit('delete:users', { mail: 'a' })).length).toBe(1)
    expect(await queue.enableAutomation('welcome', false)).toBe(true)
    expect(await queue.emit('delete:users', { mail: 'a' })).toEqual([])
    expect([
      await queue.removeAutomation('welcome'),
      await queue.removeAutomation('welcome'),
      await queue.enableAutomation('welcome', true),
    ]).toEqual([true, false, false])
    expect(await queue.automations()).toEqual([])
  })

  test.each([
    ['a path that leads nowhere', {}],
    ['a payload that does not fit the schema', { mail: 5 }],
  ])('stores a failed job for %s, which can be seen and removed', async (_name, document) => {
    const queue = await queueOf()
    await queue.automate(welcome)
    const [job] = await queue.emit('insert:users', document)
    expect(job).toMatchObject({ type: 'mail', status: 'failed', error: { code: 'HOLDFAST_AUTOMATION' } })
    const found: Job[] = []
    for await (const one of queue.list({ where: { status: { eq: 'failed' } } })) found.push(one)
    expect(found.map(({ id }) => id)).toEqual([job?.id])
    expect((await queue.remove([job?.id ?? ''])).length).toBe(1)
  })

  test('that is atomic refuses the event, and nothing is stored', async () => {
    const queue = await queueOf()
    await queue.automate({ name: 'log', on: 'insert:users', enqueue: { job: 'task' } })
    await queue.automate({ ...welcome, atomic: true })
    expect((await problemOf(() => queue.emit('insert:users', {}))).code).toBe('HOLDFAST_AUTOMATION')
    expect((await queue.counts()).pending).toBe(0)
  })

  test.each([
    [{ name: '' }, 'HOLDFAST_INVALID_OPTION', 'automate.name'],
    [{ on: 'insert' }, 'HOLDFAST_INVALID_OPTION', 'automate.on'],
    [{ on: 'insert:*' }, 'HOLDFAST_INVALID_OPTION', 'automate.on'],
    [{ on: 'job:started' }, 'HOLDFAST_INVALID_OPTION', 'automate.on'],
    [{ on: undefined }, 'HOLDFAST_INVALID_OPTION', 'automate.on'],
    [{ where: { a: 5 } }, 'HOLDFAST_INVALID_OPTION', 'automate.where.a'],
    [{ atomic: true, on: 'job:failed' }, 'HOLDFAST_INVALID_OPTION', 'automate.atomic'],
    [{ enqueue: undefined }, 'HOLDFAST_INVALID_OPTION', 'automate.enqueue'],
    [{ enqueue: { job: 'nobody' } }, 'HOLDFAST_UNKNOWN_JOB', 'job'],
    [{ enqueue: { job: 'task', id: 'x' } }, 'HOLDFAST_INVALID_OPTION', 'automate.enqueue.id'],
    [{ enqueue: { job: 'task', prio: 1 } }, 'HOLDFAST_INVALID_OPTION', 'options.prio'],
    [{ enqueue: { job: 'mail', payload: { to: 5 } } }, 'HOLDFAST_SCHEMA_MISMATCH', 'automate.enqueue.payload'],
    [{ enqueue: { job: 'mail', payload: { n: '${n}' } } }, 'HOLDFAST_SCHEMA_MISMATCH', 'automate.enqueue.payload'],
  ])('is refused with %j', async (wrong, code, field) => {
    const queue = await queueOf()
    expect(await problemOf(() => queue.automate({ ...welcome, ...wrong } as never))).toEqual({ code, field })
    expect(await queue.automations()).toEqual([])
  })

  test('may leave to the document what only it can say', async () => {
    const queue = await queueOf()
    await queue.automate({ ...welcome, enqueue: { job: 'mail', payload: { to: '${mail}', n: '${n}' } } })
    expect((await queue.emit('insert:users', { mail: 'a', n: 1 })).map(({ payload }) => payload)).toEqual([
      { to: 'a', n: 1 },
    ])
  })

  test('cannot be defined where workers are disabled', async () => {
    const queue = await openQueue({ storage: memory(), workersEnabled: false })
    expect((await problemOf(() => queue.automate({ ...welcome, enqueue: { job: 'x' } }))).code).toBe(
      'HOLDFAST_WORKERS_DISABLED',
    )
  })

  test.each([['insert:'], ['job:completed'], ['*:users'], [5]])(
    'an event of another kind is refused: %s',
    async (event) => {
      const queue = await queueOf()
      expect((await problemOf(() => queue.emit(event as string, {}))).code).toBe('HOLDFAST_INVALID_OPTION')
    },
  )
})

describe('automations that follow jobs', () => {
  test('make their jobs with the outcome, once', async () => {
    const done: unknown[] = []
    const handlers = [
      task.handler((payload) => {
        if (payload === 'bad') throw new Error('boom')
        return { n: 5 }
      }),
      mail.handler((payload) => void done.push(payload)),
    ]
    const { queue, advance } = await testQueue({ handlers })
    await queue.automate({
      name: 'a',
      on: 'job:completed',
      where: { type: { eq: 'task' } },
      enqueue: { job: mail, payload: { to: 'done ${id}', n: '${result.n}' } },
    })
    await queue.automate({
      name: 'b',
      on: 'job:failed',
      enqueue: { job: mail, payload: { to: '${id}: ${error.message}' } },
    })
    await queue.enqueue(task, 'good', { id: 'good' })
    await advance('1s')
    await queue.enqueue(task, 'bad', { id: 'bad' })
    await advance('1s')
    expect(done).toEqual([{ to: 'done good', n: 5 }, { to: 'bad: boom' }])
  })

  test('and trigger themselves come to an end', async () => {
    let runs = 0
    const { queue, advance } = await testQueue({ handlers: [task.handler(() => void (runs += 1))] })
    await queue.automate({ name: 'loop', on: 'job:completed', enqueue: { job: task } })
    await queue.enqueue(task, null)
    for (let step = 0; step < 30; step++) await advance('1s')
    expect(runs).toBe(17)
    expect(await queue.counts()).toMatchObject({ completed: 17, failed: 1 })
  })

  test('make a job that is unknown where the event happens, as its definition says', async () => {
    const log = new SharedLog()
    const other = await openQueue({ storage: sharedStorage(log), jobs: [mail, task] })
    await other.automate({ name: 'tell', on: 'job:completed', enqueue: { job: mail, payload: { to: '${id}' } } })
    const here = await openQueue({ storage: sharedStorage(log), jobs: [task] })
    await here.enqueue(task, null, { id: 'done' })
    await here.createExecutor({ handlers: [task.handler(() => 'well')] }).processUntilIdle()
    expect(await here.get('done')).toMatchObject({ status: 'completed', result: 'well' })
    const { jobs } = await other.list({ where: { type: { eq: 'mail' } } }).page()
    expect(jobs).toMatchObject([{ status: 'pending', payload: { to: 'done' }, maxRetries: 0 }])
  })

  test('but a job whose id a user gave begins anew, whatever the id looks like', async () => {
    const { queue, advance } = await testQueue({ handlers: [task.handler(() => null)] })
    await queue.automate({ name: 'next', on: 'job:completed', enqueue: { job: task } })
    await queue.enqueue(task, null, { id: 'mine~16' })
    for (let step = 0; step < 30; step++) await advance('1s')
    expect(await queue.counts()).toMatchObject({ completed: 17, failed: 1 })
  })

  test('a job whose handler emits what triggers it comes to an end', async () => {
    let runs = 0
    const handler = task.handler(async (_payload, { queue: inside }) => {
      runs += 1
      await inside.emit('insert:loops', { runs })
    })
    const { queue, advance } = await testQueue({ handlers: [handler] })
    await queue.automate({ name: 'loop', on: 'insert:loops', enqueue: { job: task, payload: '${runs}' } })
    await queue.emit('insert:loops', { runs })
    for (let step = 0; step < 30; step++) await advance('1s')
    expect(runs).toBe(16)
    expect(await queue.counts()).toMatchObject({ completed: 16, failed: 1 })
  })
})
