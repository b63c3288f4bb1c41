import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  type Condition,
  defineJob,
  type EnqueueOptions,
  fixed,
  type HandlerContext,
  type Job,
  type JobFilter,
  type JobQueue,
  type JobSettings,
  openQueue,
} from '../../src/index.ts'
import { memory } from '../../src/adapters/memory/index.ts'
import type { JobRecord } from '../../src/core/storage/contract.ts'
import { SharedLog, sharedStorage, testQueue } from '../../src/testing/index.ts'
import { problemOf, Stage } from './doubles.ts'

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
  const user = {
    id: 7,
    name: 'Ann',
    address: { city: 'Oslo' },
    items: [{ sku: 'x' }],
    tags: ['a'],
    none: null,
    'größe-1': 5,
    grid: [[1, 2]],
  }

  test.each([
    ['${id}', 7],
    ['${address}', { city: 'Oslo' }],
    ['${items[0].sku}', 'x'],
    ['${items.0.sku}', 'x'],
    ['${größe-1}', 5],
    ['${grid[0][1]}', 2],
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
    const { queue, clock } = await testQueue()
    const payload = { id: '${$id}', event: '${$event}', now: '${$now}' }
    await queue.automate({ name: 'a', on: '*:users', enqueue: { job: 'task', payload } })
    const [job] = await queue.emit('update:users', user)
    expect(job?.payload).toEqual({ id: job?.id, event: 'update:users', now: clock.now() })
  })

  test('what every object has is no name of a document', async () => {
    expect(await payloadOf('${toString}', user)).toBe(null)
    expect(await payloadOf('${valueOf.name}', user)).toBe(null)
  })

  test('fill no more in than a payload may have, however often they name it', async () => {
    const queue = await openQueue({ storage: memory(), payloadLimit: 10_000 })
    const document = { text: 'x'.repeat(1000), list: ['x'.repeat(1000)] }
    const filled = async (payload: unknown): Promise<unknown> => {
      await queue.automate({ name: 'a', on: 'insert:x', enqueue: { job: 'task', payload } })
      return (await queue.emit('insert:x', document))[0]?.error?.cause
    }
    for (const place of ['${text}', '${list}']) {
      expect(await filled(place.repeat(9))).toBe(undefined)
      expect(await filled(Array.from({ length: 9 }, () => place))).toBe(undefined)
      const tooLarge = { code: 'HOLDFAST_PAYLOAD_TOO_LARGE' }
      expect(await filled(Array.from({ length: 30 }, () => place.repeat(40)))).toMatchObject(tooLarge)
      expect(await filled(Array.from({ length: 900 }, () => place))).toMatchObject(tooLarge)
    }
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
    '${a()}',
    '${a(b)}',
    '${a]b}',
    '${a[b}',
    '${a[b]}',
    '${a[]}',
    '${a[0}',
    '${a[0]b}',
    '${[0]}',
    '${a.}',
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

describe('a document', () => {
  class Row {
    readonly id = 7
    readonly born = new Date(0)
    readonly big = 5n
    readonly map: unknown = new Map([['a', 1]])
    readonly call: unknown = () => 1
    readonly list: unknown[] = [new Date(1), undefined]
    // eslint-disable-next-line no-sparse-arrays -- what is tried
    readonly holed: unknown[] = [1, , 2]
    readonly deep: Record<string, unknown> = { none: undefined, never: new Date(Number.NaN), nan: Number.NaN }
    readonly same: Row = this
    readonly text: string = 'x'.repeat(300_000)

    constructor() {
      const get = (): never => {
        throw new Error('The relation was not loaded')
      }
      Object.defineProperty(this, 'lazy', { enumerable: true, get })
    }
  }

  test('may hold whatever a row of a database does: what is not filled in is no matter', async () => {
    const queue = await queueOf()
    for (const document of [new Row(), { id: 1n }, new Map(), new Date(), () => 1, 7n, Symbol.iterator])
      expect(await queue.emit('insert:users', document, { previous: document })).toEqual([])
    expect(await payloadOf('${id} of ${old.id}', new Row(), new Row())).toBe('7 of 7')
    expect(await payloadOf('${born}', new Row())).toBe('1970-01-01T00:00:00.000Z')
    expect(await payloadOf('since ${born}', new Row())).toBe('since 1970-01-01T00:00:00.000Z')
    expect(await payloadOf('${list[0]}', new Row())).toBe('1970-01-01T00:00:00.001Z')
    expect(await payloadOf('${row}', { row: { at: new Date(0), none: undefined } })).toEqual({
      at: '1970-01-01T00:00:00.000Z',
    })
  })

  test.each([
    'big',
    'map',
    'call',
    'list',
    'list[1]',
    'holed',
    'deep',
    'deep.never',
    'deep.nan',
    'same',
    'same.id',
    'text',
    'lazy',
  ])('gives nothing that JSON would alter: %s makes a job that failed', async (name) => {
    for (const payload of [`\${${name}}`, `of \${${name}}`, { in: [`\${${name}}`] }]) {
      const queue = await queueOf()
      await queue.automate({ name: 'a', on: 'insert:users', enqueue: { job: 'task', payload } })
      const [job] = await queue.emit('insert:users', new Row())
      expect([job?.status, job?.error?.code]).toEqual(['failed', 'HOLDFAST_AUTOMATION'])
    }
  })

  test('is looked at by conditions as it is filled in', async () => {
    const queue = await queueOf()
    const where = { born: { lt: '1971' }, big: { isNotNull: true }, not: { map: { isNull: true } } }
    await queue.automate({ name: 'a', on: 'insert:users', where, enqueue: { job: 'task' } })
    expect((await queue.emit('insert:users', new Row())).length).toBe(1)
  })

  test('of entities that all name each other is no work without end', async () => {
    const users = Array.from({ length: 30 }, (_, id) => ({ id, friends: [] as unknown[] }))
    for (const { friends } of users) friends.push(...users)
    expect(await payloadOf('${id}', users[3])).toBe(3)
  })

  test('is taken as it is when it is told', async () => {
    const queue = await queueOf()
    await queue.automate({ name: 'a', on: 'insert:users', enqueue: { job: 'task', payload: '${list}' } })
    const document = { list: [1] }
    const emitted = queue.emit('insert:users', document)
    document.list.push(2)
    expect((await emitted)[0]?.payload).toEqual([1])
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

  test('takes the options that an enqueue takes, and keeps them', async () => {
    const options = { expireAfter: Infinity, requires: 'online', jobKey: 'key', delay: '1m' } as const
    const log = new SharedLog()
    const other = await openQueue({ storage: sharedStorage(log), jobs: [mail, task] })
    const enqueue = { job: task, ...options }
    const answer = await other.automate({ name: 'a', on: 'insert:x', enqueue })
    const queue = await openQueue({ storage: sharedStorage(log) })
    expect(await queue.automations()).toEqual([answer])
    expect(answer.enqueue.options).toEqual(options)
    expect((await queue.emit('insert:x', {}))[0]).toMatchObject({ expireAt: null, requires: ['online'], jobKey: 'key' })
  })

  test('is enabled and disabled as it is then: a newer definition stays, and one that is removed is not back', async () => {
    const log = new SharedLog()
    const [left, right] = await Promise.all([0, 1].map(() => openQueue({ storage: sharedStorage(log) })))
    const define = (on: string) => left?.automate({ name: 'a', on, enqueue: { job: 'x' } })
    await define('insert:a')
    await Promise.all([right?.enableAutomation('a', false), define('insert:b')])
    expect((await left?.automations())?.map(({ on }) => on)).toEqual(['insert:b'])
    const answers = await Promise.all([left?.removeAutomation('a'), right?.enableAutomation('a', true)])
    expect([answers[0], await left?.automations()]).toEqual([true, []])
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

  test.each([true, false])(
    'makes a payload that does not fit and no handler sees, whether the job is known here: %s',
    async (known) => {
      const mail = defineJob({ type: 'mail', maxRetries: 0, payload: z.object({ to: z.string() }) })
      const seen: unknown[] = []
      const handlers = [mail.handler((payload) => void seen.push(payload))]
      const { queue, drain } = await testQueue({ handlers, ...(known && { jobs: [mail] }) })
      await queue.automate({
        name: 'welcome',
        on: 'insert:users',
        enqueue: { job: 'mail', payload: { to: '${mail}' }, maxRetries: 0 },
      })
      const [job] = await queue.emit('insert:users', { mail: 5 })
      expect(job?.status).toBe(known ? 'failed' : 'pending')
      await drain()
      await queue.retry([job?.id ?? ''])
      await drain()
      expect(seen).toEqual([])
      expect(await queue.get(job?.id ?? '')).toMatchObject({
        status: 'failed',
        error: { code: 'HOLDFAST_SCHEMA_MISMATCH' },
      })
    },
  )

  test('whose template lacked a path leaves a payload that a retry runs once it fits the schema', async () => {
    const mail = defineJob({ type: 'mail', payload: z.object({ to: z.string().nullable().default('nobody') }) })
    const seen: unknown[] = []
    const { queue, drain } = await testQueue({ handlers: [mail.handler((payload) => void seen.push(payload))] })
    await queue.automate({ name: 'welcome', on: 'insert:users', enqueue: { job: 'mail', payload: { to: '${mail}' } } })
    const [job] = await queue.emit('insert:users', {})
    expect(job?.status).toBe('failed')
    await queue.retry([job?.id ?? ''])
    await drain()
    expect([seen, (await queue.get(job?.id ?? ''))?.status]).toEqual([[{ to: null }], 'completed'])
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
    [{ where: null }, 'HOLDFAST_INVALID_OPTION', 'automate.where'],
    [{ on: 'job:failed', where: { status: { eq: 'FAILED' } } }, 'HOLDFAST_INVALID_OPTION', 'automate.where.status.eq'],
    [{ on: 'job:failed', where: { failures: { gt: '1' } } }, 'HOLDFAST_INVALID_OPTION', 'automate.where.failures.gt'],
    [{ atomic: true, on: 'job:failed' }, 'HOLDFAST_INVALID_OPTION', 'automate.atomic'],
    [{ enqueue: undefined }, 'HOLDFAST_INVALID_OPTION', 'automate.enqueue'],
    [{ enqueue: { job: 'nobody' } }, 'HOLDFAST_UNKNOWN_JOB', 'automate.enqueue.job'],
    [{ enqueue: { job: 5 } }, 'HOLDFAST_INVALID_OPTION', 'automate.enqueue.job'],
    [{ enqueue: {} }, 'HOLDFAST_INVALID_OPTION', 'automate.enqueue.job'],
    [{ enqueue: { job: 'task', id: 'x' } }, 'HOLDFAST_INVALID_OPTION', 'automate.enqueue.id'],
    [{ enqueue: { job: 'task', prio: 1 } }, 'HOLDFAST_INVALID_OPTION', 'automate.enqueue.prio'],
    [
      { enqueue: { job: 'task', maxRetries: 1, maxAttempts: 1 } },
      'HOLDFAST_INVALID_OPTION',
      'automate.enqueue.maxAttempts',
    ],
    [{ enqueue: { job: 'task', priority: 'urgent' } }, 'HOLDFAST_INVALID_OPTION', 'automate.enqueue.priority'],
    [{ enqueue: { job: 'task', jobKey: 'a ${' } }, 'HOLDFAST_INVALID_OPTION', 'automate.enqueue.jobKey'],
    [
      { enqueue: { job: 'task', queueName: '${a.__proto__}' } },
      'HOLDFAST_INVALID_OPTION',
      'automate.enqueue.queueName',
    ],
    [{ enqueue: { job: 'mail', payload: { to: 5 } } }, 'HOLDFAST_SCHEMA_MISMATCH', 'automate.enqueue.payload.to'],
    [{ enqueue: { job: 'mail', payload: { n: '${n}' } } }, 'HOLDFAST_SCHEMA_MISMATCH', 'automate.enqueue.payload.to'],
  ])('is refused with %j', async (wrong, code, field) => {
    const queue = await queueOf()
    expect(await problemOf(() => queue.automate({ ...welcome, ...wrong } as never))).toEqual({ code, field })
    expect(await queue.automations()).toEqual([])
  })

  const thrown = new Error('no such country')
  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw thrown
      },
    ],
    ['rejects', () => Promise.reject(thrown)],
    ['gives no result', () => true],
    ['gives issues that are no list', () => ({ issues: 7 })],
    ['gives an issue that is none', async () => ({ issues: [null] })],
    ['gives an issue whose path is no list', () => ({ issues: [{ message: 'no', path: 7 }] })],
  ])('is refused, with the place, where the schema of its job %s', async (_, validate) => {
    const schema = { '~standard': { version: 1, vendor: 'a test', validate: validate as never } } as const
    const queue = await openQueue({ storage: memory() })
    const enqueue = { job: defineJob({ type: 'odd', payload: schema }), payload: { a: 1 } }
    const problem = await problemOf(() => queue.automate({ ...welcome, enqueue }))
    expect(problem).toEqual({ code: 'HOLDFAST_SCHEMA_MISMATCH', field: 'automate.enqueue.payload' })
    expect(await queue.automations()).toEqual([])
  })

  test('makes a key and the name of a serial queue of what happened, always texts', async () => {
    const queue = await queueOf()
    const enqueue = { job: 'task', jobKey: '${id}', queueName: 'of ${team.name}', delay: '1m' } as const
    await queue.automate({ name: 'a', on: 'insert:users', enqueue })
    for (const id of [1, 2]) await queue.emit('insert:users', { id, team: { name: 'x' } })
    const { jobs } = await queue.list({ orderBy: 'jobKey' }).page()
    expect(jobs.map(({ jobKey, queueName }) => [jobKey, queueName])).toEqual([
      ['1', 'of x'],
      ['2', 'of x'],
    ])
  })

  test.each([[{}], [{ id: null }], [{ id: '' }], [{ id: 'x'.repeat(501) }]])(
    'makes no key of a document that has none for it: %j',
    async (document) => {
      const queue = await queueOf()
      await queue.automate({ name: 'a', on: 'insert:users', enqueue: { job: 'task', jobKey: '${id}' } })
      const [job] = await queue.emit('insert:users', document)
      expect(job).toMatchObject({ status: 'failed', jobKey: null, error: { code: 'HOLDFAST_AUTOMATION' } })
    },
  )

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

  test('have conditions on the job as lists have them, and on all else that it has', async () => {
    const { queue, advance, jobs } = await testQueue({ handlers: [task.handler(() => ({ n: 5 }))] })
    const conditions: Record<string, JobFilter & Condition> = {
      yes: { priority: { gte: 'high' }, finishedAt: { gt: new Date(0), lt: '2300-01-01T00:00:00Z' } },
      also: { result: { n: { eq: 5 } }, payload: { a: { eq: 1 } } },
      'not set': { jobKey: { lt: 'x' } },
      'of another type': { type: { eq: 'other' } },
    } as never
    for (const [name, where] of Object.entries(conditions))
      await queue.automate({ name, on: 'job:completed', where, enqueue: { job: 'follow', payload: name } })
    await queue.enqueue(task, { a: 1 }, { priority: 'high' })
    await advance('1s')
    expect((await jobs('follow')).map(({ payload }) => payload).sort()).toEqual(['also', 'yes'])
  })

  test('hand bytes on as they are, whatever they would weigh as JSON', async () => {
    const photo = defineJob({ type: 'photo', payloadFormat: 'structured-clone' })
    const shot = defineJob({ type: 'shot', payloadFormat: 'structured-clone' })
    const bytes = new Uint8Array(100_000).fill(200)
    const got: unknown[] = []
    const handlers = [photo.handler(() => null), shot.handler((payload) => void got.push(payload))]
    const { queue, advance } = await testQueue({ jobs: [photo, shot], handlers })
    const where = { type: { eq: 'photo' } }
    await queue.automate({ name: 'a', on: 'job:completed', where, enqueue: { job: shot, payload: ['${payload}'] } })
    await queue.enqueue(photo, bytes)
    await advance('1s')
    expect(got).toHaveLength(1)
    expect((got as [[Uint8Array]])[0][0].length).toBe(100_000)
  })

  test('in a shape that is unknown here do nothing, and those beside them their work', async () => {
    const storage = memory()
    const { queue, advance } = await testQueue({ storage, handlers: [task.handler(() => null)] })
    await queue.automate({ name: 'b', on: 'job:completed', enqueue: { job: 'after' } })
    const batch = ['a', 'c'].map((name, at) => ({ name, value: at === 0 ? { on: 'job:completed' } : 'newer' }))
    await storage.define({ kind: 'automation', batch })
    await queue.enqueue(task, null)
    await advance('2s')
    expect(await queue.counts()).toMatchObject({ completed: 1, pending: 1 })
    expect((await queue.automations()).map(({ name }) => name)).toEqual(['b'])
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

  const every: Required<Omit<JobSettings, 'maxAttempts'>> = {
    priority: 'high',
    maxRetries: 7,
    maxInterruptions: 0,
    timeout: '1m',
    leaseDuration: '2m',
    backoff: fixed('1s'),
    serial: 'strict',
    requires: 'online',
    expireAfter: Infinity,
  }

  test.each<[string, EnqueueOptions]>([
    ['without options', {}],
    ['with a serial queue', { queueName: 'q' }],
    ['with options that say otherwise', { queueName: 'q', maxAttempts: 2, serial: 'relaxed', timeout: '2m' }],
  ])('make the same job whether it is known or not, %s', async (_, options) => {
    const log = new SharedLog()
    const storage = sharedStorage(log)
    const job = defineJob({ type: 'full', ...every })
    const knowing = await openQueue({ storage, jobs: [job] })
    await knowing.automate({ name: 'tell', on: 'update:users', enqueue: { job, ...options } })
    const other = await openQueue({ storage: sharedStorage(log), jobs: [task] })
    const made = [...(await knowing.emit('update:users', {})), ...(await other.emit('update:users', {}))]
    const [known, unknown] = (await storage.get(made.map(({ id }) => id))).map((record) =>
      Object.fromEntries(['state', ...Object.keys(every)].map((key) => [key, record?.[key as keyof JobRecord]])),
    )
    expect(unknown).toEqual(known)
  })

  test.each([
    ['as it is', {}, {}],
    ['with an option that only its newer version knows', { newer: true }, {}],
    ['with a setting that only its newer version knows', {}, { newer: true }],
  ])(
    'leave a job that is unknown here, failed, to a retry as its definition has it: %s',
    async (_, option, setting) => {
      const storage = memory()
      const job = defineJob({ type: 'full', ...every, version: 2, migrate: () => 'of version 1' })
      const knowing = await openQueue({ storage, jobs: [job] })
      const { name, ...value } = await knowing.automate({
        ...{ name: 'tell', on: 'insert:users', enqueue: { job, payload: '${name}', queueName: 'q' } },
      })
      const options = { ...value.enqueue.options, ...option }
      const settings = { ...value.enqueue.settings, ...setting }
      const enqueue = { ...value.enqueue, options, settings }
      await storage.define({ kind: 'automation', batch: [{ name, value: { ...value, enqueue } }] })
      const here = await openQueue({ storage, jobs: [task] })
      const [known, unknown] = [...(await knowing.emit('insert:users', {})), ...(await here.emit('insert:users', {}))]
      expect([known?.status, unknown?.status]).toEqual(['failed', 'failed'])
      const [one, other] = (await storage.get([known?.id ?? '', unknown?.id ?? ''])).map((record) =>
        Object.fromEntries(
          ['payloadVersion', ...Object.keys(every)].map((key) => [key, record?.[key as keyof JobRecord]]),
        ),
      )
      expect(other).toEqual(one)
    },
  )

  test('leave a payload of the version that they were defined with to a retry, where the job is unknown', async () => {
    const got: unknown[] = []
    const job = defineJob({ type: 'grown', version: 2, migrate: () => 'brought up' })
    const log = new SharedLog()
    const knowing = await openQueue({ storage: sharedStorage(log), jobs: [job] })
    await knowing.automate({ name: 'tell', on: 'insert:users', enqueue: { job, payload: { name: '${name}', of: 2 } } })
    const here = await openQueue({ storage: sharedStorage(log), jobs: [task] })
    const [failed] = await here.emit('insert:users', {})
    expect(failed?.status).toBe('failed')
    await knowing.retry([failed?.id ?? ''])
    await knowing.createExecutor({ handlers: [job.handler((payload) => void got.push(payload))] }).processUntilIdle()
    expect(got).toEqual([{ name: null, of: 2 }])
  })

  type Ways = Record<string, (inside: HandlerContext, id: string) => unknown>
  const ways: Ways = {
    'onComplete.enqueue': ({ onComplete }, id) => onComplete.enqueue(task, null, { id }),
    'queue.enqueue': ({ queue }, id) => queue.enqueue(task, null, { id }),
    'queue.enqueueMany': ({ queue }, id) => queue.enqueueMany([{ job: task, options: { id } }]),
    'a key': ({ queue }, id) => queue.enqueue(task, null, { jobKey: `key of ${id}` }),
  }

  test.each(Object.entries(ways))('come to an end through handlers that enqueue by %s', async (_way, enqueue) => {
    let runs = 0
    const handlers = [
      task.handler(() => void (runs += 1)),
      mail.handler(async (_payload, context) => {
        await enqueue(context, `own ${runs}`)
      }),
    ]
    const { queue, advance } = await testQueue({ handlers })
    const where = { type: { eq: 'task' } }
    await queue.automate({ name: 'loop', on: 'job:completed', where, enqueue: { job: mail, payload: { to: '${id}' } } })
    await queue.enqueue(task, null)
    for (let step = 0; step < 40; step++) await advance('1s')
    expect(runs).toBe(17)
    expect(await queue.counts()).toMatchObject({ completed: 33, failed: 1, pending: 0 })
  })

  test('hear of a job that failed since its key was taken while it ran', async () => {
    const stage = new Stage()
    const { queue, clock, jobs } = await testQueue()
    const retried = defineJob({ type: 'retried', maxRetries: 3 })
    await queue.automate({ name: 'tell', on: 'job:failed', enqueue: { job: 'told', payload: '${error.code}' } })
    await queue.createExecutor({ handlers: [retried.handler(stage.run)] }).start()
    await queue.enqueue(retried, null, { id: 'old', jobKey: 'key' })
    await queue.enqueue(retried, null, { id: 'other', jobKey: 'other key' })
    await clock.settle()
    await queue.enqueue(retried, null, { jobKey: 'key', delay: '1h' })
    stage.fail('old', new Error('boom'))
    stage.fail('other', new Error('boom'))
    await clock.settle()
    expect((await jobs('told')).map(({ payload }) => payload)).toEqual(['HOLDFAST_SUPERSEDED'])
    expect((await queue.get('other'))?.status).toBe('scheduled')
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
    const [cut] = (await queue.list({ where: { status: { eq: 'failed' } } }).page()).jobs
    expect(cut).toMatchObject({ attempts: 0, error: { name: 'HoldfastError', code: 'HOLDFAST_AUTOMATION' } })
  })
})
