import { describe, expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import {
  defineJob,
  type EnqueueItem,
  type Executor,
  exponential,
  FailPermanently,
  fixed,
  type HandlerContext,
  HoldfastError,
  type JobQueue,
  openQueue,
  RetryLater,
  type StandardSchema,
} from '../../src/index.ts'
import { ManualClock, testQueue } from '../../src/testing/index.ts'
import { hooked, problemOf } from './doubles.ts'

/** A caller without types: every call with every input that has to be refused, and the field that is named for it. */
type Loose = (...values: unknown[]) => unknown
type Row = readonly [values: readonly unknown[], field: string]

const task = defineJob({ type: 'task' })
const handlers = [task.handler(() => null)]
const storage = memory()
// The latter have no options of their own, and would pass for none given.
const notAnObject = [null, 5, 'text', true, [], new Date(0), new Map([['delay', 5]]), new AbortController().signal]
const notASpan = [null, -1, Number.NaN, Infinity, '5 minutes', '5', true, {}]
const notFrom = (least: number): unknown[] => [null, least - 1, 1.5, '3', Number.NaN, Infinity, {}]
const notAMoment = [null, Number.NaN, 'tomorrow', '2027-01-01T00:00:00', new Date(Number.NaN), {}]
const notAName = [null, '', 5, 'a\nb', {}, 'x'.repeat(501)]
const notABoolean = [null, 0, 'true', {}]
const notASignal = [null, 5, 'now', {}, { aborted: false }]
const notAFunction = [null, 5, 'text', {}]

/** Bad values of options, by option; `at` is what stands before it in the name of the field. */
function options(bad: Readonly<Record<string, readonly unknown[]>>, at = '', more: object = {}): Row[] {
  return Object.entries(bad).flatMap(([key, values]) =>
    values.map((value): Row => [[{ ...more, [key]: value }], at + key]),
  )
}

/** The same rows with other values before them. */
const after = (before: readonly unknown[], rows: readonly Row[]): Row[] =>
  rows.map(([values, field]) => [[...before, ...values], field])

const what = (name: string, known: readonly Row[], unknown = `${name}.bogus`): Row[] => [
  ...notAnObject.map((value): Row => [[value], name]),
  [[{ bogus: 1 }], unknown],
  ...known,
]

const settings = {
  priority: [null, 'urgent', 1.5, Number.NaN, {}],
  maxRetries: notFrom(0),
  maxAttempts: notFrom(1),
  maxInterruptions: notFrom(0),
  timeout: [...notASpan, 0],
  leaseDuration: [...notASpan, 999],
  backoff: [null, 5, 'fixed', { kind: 'fixed' }, { kind: 'fixed', delay: 1, jitter: 0, more: 1 }],
  requires: [null, 5, {}],
  expireAfter: [...notASpan.filter((value) => value !== Infinity), 0],
}
const retention = { maxAge: [null, -1, '5', Number.NaN], maxCount: [null, -1, 1.5, '3'] }

/** Refused as bad options, by calls that need no queue. */
const alone: Record<string, readonly [call: Loose, rows: readonly Row[]]> = {
  defineJob: [
    defineJob as Loose,
    [
      ...what('defineJob', options(settings, '', { type: 'a' })),
      ...options({ type: [undefined, ...notAName], payload: [null, 5, {}] }),
      ...options({ limit: [null, 5, {}] }, '', { type: 'a' }),
      [[{ type: 'a', limit: { rate: 1 } }], 'limit.per'],
      [[{ type: 'a', limit: { concurrency: 1, per: 1 } }], 'limit.per'],
      ...options(
        { concurrency: notFrom(1), rate: notFrom(1), per: [...notASpan, 0], key: notAFunction, bogus: [1] },
        'limit.',
        { rate: 1, per: 1 },
      ).map(([[limit], field]): Row => [[{ type: 'a', limit }], field]),
      [[{ type: 'a', requires: ['online', 5] }], 'requires[1]'],
      [[{ type: 'a', requires: '' }], 'requires'],
    ],
  ],
  'definition.handler': [task.handler as Loose, notAFunction.map((run): Row => [[run], 'handler'])],
  exponential: [
    exponential as Loose,
    what(
      'exponential',
      options({ base: notASpan, factor: [null, 0.5, '5'], max: notASpan, jitter: [null, -1, 2] }, 'exponential.'),
    ),
  ],
  fixed: [
    fixed as Loose,
    [
      ...notASpan.map((delay): Row => [[delay], 'fixed.delay']),
      ...after([1], what('fixed', options({ jitter: [null, -1, 2, '1'] }, 'fixed.'))),
    ],
  ],
  RetryLater: [
    (given) => new RetryLater(given as { after: 1 }),
    what('RetryLater', [
      ...options({ after: [undefined, ...notASpan] }, 'RetryLater.'),
      ...options({ message: [null, 5] }, 'RetryLater.', { after: 1 }),
    ]),
  ],
  FailPermanently: [
    (message, given) => new FailPermanently(message as string, given as object),
    [
      ...[undefined, null, 5].map((message): Row => [[message], 'FailPermanently.message']),
      ...after(['no'], what('FailPermanently', [])),
    ],
  ],
  openQueue: [
    openQueue as Loose,
    [
      ...what('openQueue', options({ storage: [undefined, null, 5, 'memory', {}] })),
      ...options(
        {
          jobs: [null, 5, 'task', {}],
          workersEnabled: notABoolean,
          retention: [null, 5, []],
          maxInterruptions: notFrom(0),
          payloadLimit: [null, 0, 524_289, '1kb'],
          environment: [null, 5, []],
        },
        '',
        { storage },
      ),
      ...[null, 5, {}].map((logger): Row => [[{ storage, logger }], 'logger.debug']),
      ...[null, 5, 'task', {}, { type: 'task', defaults: null }].map(
        (job): Row => [[{ storage, jobs: [task, job] }], 'jobs[1]'],
      ),
      // eslint-disable-next-line no-sparse-arrays -- a hole is what is tried
      [[{ storage, jobs: [,] }], 'jobs[0]'],
      ...notAFunction.map((now): Row => [[{ storage, environment: { now } }], 'environment.now']),
      [[{ storage, environment: { today: 1 } }], 'environment.today'],
      ...[null, 5, []].map((failed): Row => [[{ storage, retention: { failed } }], 'retention.failed']),
      ...options(retention, 'retention.failed.').map(
        ([[failed], field]): Row => [[{ storage, retention: { failed } }], field],
      ),
    ],
  ],
  testQueue: [
    testQueue as Loose,
    what(
      'testQueue',
      options({
        concurrency: [...notFrom(1), 0],
        clock: [null, 5, {}],
        handlers: [null, 5, []],
        storage: [null, 5],
        jobs: [null],
        workersEnabled: [null],
      }),
    ).concat([[[{ environment: {} }], 'testQueue.environment']]),
  ],
}

const enqueueOptions: Row[] = [
  ...what(
    'options',
    options({
      ...settings,
      id: notAName,
      runAt: notAMoment,
      delay: notASpan,
      jobKey: notAName,
      jobKeyMode: [null, 'append', 5],
      queueName: notAName,
    }),
  ),
  [[{ runAt: 1, delay: 1 }], 'delay'],
  [[{ maxRetries: 1, maxAttempts: 1 }], 'maxAttempts'],
  [[{ jobKeyMode: 'replace' }], 'jobKeyMode'],
]

const executorOptions = what('createExecutor', [
  ...options({ concurrency: notFrom(1), killGrace: notASpan }, '', { handlers }),
  ...options({ handlers: [undefined, null, 5, [], {}] }),
  ...[null, 5, {}, () => null, task].map((handler): Row => [[{ handlers: [...handlers, handler] }], 'handlers[1]']),
])

/** Refused as bad options, by calls of a queue. */
const ofQueue: Record<
  string,
  readonly [call: (queue: JobQueue, values: readonly unknown[]) => unknown, rows: readonly Row[]]
> = {
  enqueue: [
    (queue, values) => (queue.enqueue as Loose).apply(queue, [...values]),
    [
      ...[null, undefined, 5, {}, [], { type: 'task', defaults: null }, { ...task, defaults: {} }].map(
        (job): Row => [[job], 'job'],
      ),
      ...['', 'a\nb'].map((job): Row => [[job], 'job']),
      ...after([task, null], enqueueOptions),
      ...after(['task', null], enqueueOptions),
    ],
  ],
  enqueueMany: [
    (queue, [items]) => queue.enqueueMany(items as []),
    [
      ...[null, undefined, 5, {}, 'task'].map((items): Row => [[items], 'items']),
      ...[null, 5, []].map((item): Row => [[[{ job: task }, item]], 'items[1]']),
      // eslint-disable-next-line no-sparse-arrays -- a hole is what is tried
      [[[{ job: task }, , { job: task }]], 'items[1]'],
      [[[{ job: task, delay: 1 }]], 'items[0].delay'],
      [[[{ job: task }, { job: null }]], 'items[1].job'],
      ...enqueueOptions.map(
        ([[given], field]): Row => [[[{ job: task }, { job: task, options: given }]], `items[1].${field}`],
      ),
    ],
  ],
  get: [(queue, [id]) => queue.get(id as string), [undefined, ...notAName].map((id): Row => [[id], 'id'])],
  list: [
    (queue, [given]) => queue.list(given as object),
    [
      ...what('list', options({ limit: notFrom(1), payloads: notABoolean }, 'list.')),
      ...[null, 5, 'failed', [], new Date(0), new Map()].map((where): Row => [[{ where }], 'where']),
      ...[null, 5, 'created', '', '-', 'type.x', [], {}, [[]], { runAt: 'asc', priority: 'asc' }].map(
        (orderBy): Row => [[{ orderBy }], 'orderBy'],
      ),
      [[{ orderBy: { runAt: null } }], 'orderBy.runAt'],
      [[{ where: { nobody: { eq: 1 } } }], 'where.nobody'],
      ...[null, 'failed', 5].map((status): Row => [[{ where: { status } }], 'where.status']),
      [[{ where: { status: { is: 'failed' } } }], 'where.status.is'],
      ...[undefined, {}, [], Number.NaN, () => 1, Symbol('x')].map(
        (eq): Row => [[{ where: { type: { eq } } }], 'where.type.eq'],
      ),
      ...[null, 'task', undefined].map((list): Row => [[{ where: { type: { in: list } } }], 'where.type.in']),
      [[{ where: { type: { nin: [{}] } } }], 'where.type.nin[0]'],
      [[{ where: { type: { startsWith: 5 } } }], 'where.type.startsWith'],
      [[{ where: { type: { isNull: null } } }], 'where.type.isNull'],
      ...['(a)', 'a|b', 'a{2}', '\\1', '(?=a)', '[z-a]', 'a**', '*', 'x'.repeat(101)].map(
        (matches): Row => [[{ where: { payload: { to: { matches } } } }], 'where.payload.to.matches'],
      ),
      [[{ where: { status: { eq: 'FAILED' } } }], 'where.status.eq'],
      ...['id', 'type', 'jobKey', 'queueName', 'session'].map(
        (name): Row => [[{ where: { [name]: { gt: 5 } } }], `where.${name}.gt`],
      ),
      ...['attempts', 'failures', 'interruptions', 'maxRetries'].map(
        (name): Row => [[{ where: { [name]: { in: ['0'] } } }], `where.${name}.in[0]`],
      ),
      ...['SOON', '2', true, 1.5].map((lt): Row => [[{ where: { priority: { lt } } }], 'where.priority.lt']),
      ...['contains', 'startsWith', 'endsWith', 'matches'].flatMap((operator) =>
        ['priority', 'attempts', 'runAt'].map(
          (name): Row => [[{ where: { [name]: { [operator]: 'x' } } }], `where.${name}.${operator}`],
        ),
      ),
      [[{ where: { status: { containsAny: [5] } } }], 'where.status.containsAny[0]'],
      [[{ where: { and: {} } }], 'where.and'],
      [[{ where: { or: [{ not: { type: 5 } }] } }], 'where.or[0].not.type'],
      [[{ where: { payload: { a: { b: 1 } } } }], 'where.payload.a.b'],
      ...['5', Number.NaN].map((gt): Row => [[{ where: { runAt: { gt } } }], 'where.runAt.gt']),
    ],
  ],
  'list().page': [
    (queue, [given]) => queue.list().page(given as object),
    what('page', options({ size: [...notFrom(1), 1001], after: [null, 5, '', 'x', '[]', ['1']] }, 'page.')),
  ],
  result: [
    (queue, [id, given]) => queue.result(id as string, given as object),
    [
      ...[undefined, ...notAName].map((id): Row => [[id], 'id']),
      ...after(['a'], what('result', options({ signal: notASignal }, 'result.'))),
    ],
  ],
  cancel: [
    (queue, [id, reason]) => queue.cancel(id as string, reason as string),
    [
      ...[undefined, ...notAName].map((id): Row => [[id], 'id']),
      ...[null, 5, '', {}].map((reason): Row => [['waiting', reason], 'reason']),
    ],
  ],
  retry: [
    (queue, [ids]) => queue.retry(ids as []),
    [
      ...[undefined, null, 'waiting', 5, {}].map((ids): Row => [[ids], 'ids']),
      ...notAName.map((id): Row => [[['waiting', id]], 'ids[1]']),
      // eslint-disable-next-line no-sparse-arrays -- a hole is what is tried
      [[['waiting', ,]], 'ids[1]'],
    ],
  ],
  idle: [
    (queue, [given]) => queue.idle(given as object),
    what('idle', options({ signal: notASignal, includeScheduled: notABoolean }, 'idle.')),
  ],
  events: [
    (queue, [given]) => queue.events(given as object),
    what('events', options({ signal: notASignal }, 'events.')),
  ],
  on: [
    (queue, [event, listener]) => queue.on(event as 'failed', listener as () => void),
    [
      ...[null, undefined, 5, 'finished'].map((event): Row => [[event, () => null], 'event']),
      ...[undefined, ...notAFunction].map((listener): Row => [['failed', listener], 'listener']),
    ],
  ],
  close: [(queue, [given]) => queue.close(given as object), what('close', options({ grace: notASpan }, 'close.'))],
  createExecutor: [(queue, [given]) => queue.createExecutor(given as { handlers: [] }), executorOptions],
}

const ofExecutor: Record<
  string,
  readonly [call: (executor: Executor, given: object) => unknown, rows: readonly Row[]]
> = {
  stop: [(executor, given) => executor.stop(given), what('stop', options({ grace: notASpan }, 'stop.'))],
  processUntilIdle: [
    (executor, given) => executor.processUntilIdle(given),
    what('processUntilIdle', options({ deadline: notAMoment }, 'processUntilIdle.')),
  ],
}

const rejects = new Set(['enqueue', 'enqueueMany', 'get', 'list().page', 'result', 'cancel', 'retry', 'idle', 'close'])

describe.each(Object.entries(alone))('%s', (_, [call, rows]) => {
  test.each(rows.map(([values, field]) => [field, values] as const))('refuses a bad %s: %o', async (field, values) => {
    await expectRefusal(() => call(...values), field)
  })
})

describe.each(Object.entries(ofQueue))('queue.%s', (name, [call, rows]) => {
  test.each(rows.map(([values, field]) => [field, values] as const))('refuses a bad %s: %o', async (field, values) => {
    const inner = memory()
    const { queue } = await testQueue({ storage: inner })
    await queue.enqueue(task, { n: 1 }, { id: 'waiting', delay: '1h' })
    const before = await inner.get(['waiting'])
    // What answers by promise never throws at once: callers who only catch rejections would miss it.
    const asked = (): unknown => call(queue, values)
    await expectRefusal(rejects.has(name) ? () => unthrown(asked) : asked, field)
    expect([await inner.get(['waiting']), await queue.counts(), queue.closed]).toEqual([
      before,
      { pending: 0, scheduled: 1, running: 0, completed: 0, failed: 0, cancelled: 0 },
      false,
    ])
  })
})

describe.each(Object.entries(ofExecutor))('executor.%s', (_, [call, rows]) => {
  test.each(rows.map(([values, field]) => [field, values] as const))('refuses a bad %s: %o', async (field, [given]) => {
    const { queue } = await testQueue()
    const executor = queue.createExecutor({ handlers })
    await executor.start()
    await expectRefusal(() => unthrown(() => call(executor, given as object)), field)
    expect(executor.stats().state).toBe('running')
    await queue.close()
  })
})

describe('a handler', () => {
  const uses: Record<string, readonly [use: (context: HandlerContext) => unknown, code: string]> = {
    'progress(a function)': [({ progress }) => progress(() => 1), 'HOLDFAST_INVALID_PAYLOAD'],
    'onComplete.enqueue(null)': [({ onComplete: { enqueue } }) => enqueue(null as never, 1), 'HOLDFAST_INVALID_OPTION'],
    'onComplete.enqueue with a bad option': [
      ({ onComplete: { enqueue } }) => enqueue(task, 1, { priority: null as never }),
      'HOLDFAST_INVALID_OPTION',
    ],
    'onComplete.enqueue of a job that is not on the list': [
      ({ onComplete: { enqueue } }) => enqueue(defineJob({ type: 'other' }), 1),
      'HOLDFAST_UNKNOWN_JOB',
    ],
    'RetryLater with an unknown option': [
      () => new RetryLater({ after: 1, before: 2 } as never),
      'HOLDFAST_INVALID_OPTION',
    ],
  }

  test.each(Object.entries(uses))('is told of a bad %s, and its job fails by it', async (_, [use, code]) => {
    const { queue, drain } = await testQueue({
      jobs: [task],
      handlers: [task.handler((_payload, context) => use(context))],
    })
    await queue.enqueue(task, null, { id: 'a', maxRetries: 0 })
    await drain()
    expect(await queue.get('a')).toMatchObject({ status: 'failed', error: { code } })
    expect(await queue.counts()).toMatchObject({ pending: 0 })
  })
})

describe('a definition that is not on the list of jobs', () => {
  const listed = defineJob({ type: 'listed' })
  const twin = defineJob({ type: 'listed', priority: 'high' })
  const other = defineJob({ type: 'other' })
  const uses: Record<string, readonly [field: string, use: (queue: JobQueue<[typeof listed]>) => unknown]> = {
    'enqueue of another type': ['job', (queue) => queue.enqueue(other, 1)],
    'enqueue of another definition of a listed type': ['job', (queue) => queue.enqueue(twin, 1)],
    enqueueMany: ['items[1].job', (queue) => queue.enqueueMany([{ job: listed }, { job: other }])],
    'createExecutor of another type': [
      'handlers[0]',
      (queue) => queue.createExecutor({ handlers: [other.handler(() => 1)] }),
    ],
    'createExecutor of a twin': [
      'handlers[1]',
      (queue) => queue.createExecutor({ handlers: [listed.handler(() => 1), twin.handler(() => 1)] }),
    ],
  }

  test.each(Object.entries(uses))('is unknown to %s', async (_, [field, use]) => {
    const { queue } = await testQueue({ jobs: [listed] })
    expect(await problemOf(() => use(queue))).toEqual({ code: 'HOLDFAST_UNKNOWN_JOB', field })
    expect(await queue.counts()).toMatchObject({ pending: 0 })
  })
})

describe('many jobs at once: the field begins with the item that is wrong', () => {
  const schema = (
    issues: readonly { message: string; path?: readonly unknown[] }[],
    late: boolean,
  ): StandardSchema => ({
    '~standard': { version: 1, vendor: 'own', validate: () => (late ? Promise.resolve({ issues }) : { issues }) },
  })
  const issues = [{ message: 'no', path: ['to', { key: 2 }] }]
  const limited = defineJob({ type: 'limited', limit: { concurrency: 1, key: () => 5 as never } })
  const wrong: Record<string, readonly [item: EnqueueItem, code: string, field: string]> = {
    'a payload': [{ job: task, payload: { a: [Number.NaN] } }, 'HOLDFAST_INVALID_PAYLOAD', 'items[1].payload.a[0]'],
    'a payload that is too large': [
      { job: task, payload: 'x'.repeat(300_000) },
      'HOLDFAST_PAYLOAD_TOO_LARGE',
      'items[1].payload',
    ],
    'a payload its schema refuses': [
      { job: defineJob({ type: 'b', payload: schema(issues, false) }) },
      'HOLDFAST_SCHEMA_MISMATCH',
      'items[1].payload.to[2]',
    ],
    'a payload its schema refuses later': [
      { job: defineJob({ type: 'b', payload: schema(issues, true) }) },
      'HOLDFAST_SCHEMA_MISMATCH',
      'items[1].payload.to[2]',
    ],
    'a schema that says no path': [
      { job: defineJob({ type: 'b', payload: schema([{ message: 'no' }], false) }) },
      'HOLDFAST_SCHEMA_MISMATCH',
      'items[1].payload',
    ],
    'a schema that says what is no path': [
      { job: defineJob({ type: 'b', payload: schema([{ message: 'no', path: 7 as never }], false) }) },
      'HOLDFAST_SCHEMA_MISMATCH',
      'items[1].payload',
    ],
    'a key of a limit': [{ job: limited }, 'HOLDFAST_INVALID_OPTION', 'items[1].limit.key'],
  }

  test.each(Object.entries(wrong))('%s', async (_, [item, code, field]) => {
    const { queue } = await testQueue()
    const enqueue = (): unknown => queue.enqueueMany([{ job: task }, item, { job: task }])
    expect(await problemOf(enqueue)).toEqual({ code, field })
    await expect(enqueue()).rejects.toThrow(field)
    expect(await queue.counts()).toMatchObject({ pending: 0 })
  })
})

describe('an option whose getter throws', () => {
  const boom = new RangeError('no such row')
  const throwing = (key: string): object => ({
    get [key](): never {
      throw boom
    },
  })
  const uses: Record<string, readonly [field: string, use: (queue: JobQueue) => unknown]> = {
    'of enqueue': ['delay', (queue) => queue.enqueue(task, null, throwing('delay'))],
    'of an item of enqueueMany': [
      'items[1].delay',
      (queue) => queue.enqueueMany([{ job: task }, { job: task, options: throwing('delay') }]),
    ],
    'that holds an item of enqueueMany': [
      'items[1].payload',
      (queue) => queue.enqueueMany([{ job: task }, Object.assign(throwing('payload'), { job: task })]),
    ],
    'of list': ['list.where', (queue) => queue.list({ where: throwing('status') })],
    'of what an automation enqueues': [
      'automate.enqueue.delay',
      (queue) =>
        queue.automate({ name: 'a', on: 'insert:x', enqueue: Object.assign(throwing('delay'), { job: task }) }),
    ],
    'of result': ['result.signal', (queue) => queue.result('a', throwing('signal'))],
  }

  test.each(Object.entries(uses))('%s is named, and what it threw is the cause', async (_, [field, use]) => {
    const { queue } = await testQueue()
    const asked = async (): Promise<unknown> => use(queue)
    await expect(asked()).rejects.toMatchObject({
      ...{ code: 'HOLDFAST_INVALID_OPTION', cause: boom, details: { field } },
      message: expect.stringContaining(`\`${field}\``) as string,
    })
    expect(await queue.counts()).toMatchObject({ pending: 0 })
  })

  const once = (key: string, value: unknown, others: object): object => {
    let reads = 0
    const get = (): unknown => {
      if (++reads > 1) throw boom
      return value
    }
    return Object.defineProperty({ ...others }, key, { get, enumerable: true })
  }
  const refused: Record<string, readonly [field: string, use: (queue: JobQueue) => unknown]> = {
    'a delay': ['delay', (queue) => queue.enqueue(task, null, once('delay', 1, { runAt: 1 }))],
    'retries of a definition': [
      'maxAttempts',
      () => defineJob(once('maxRetries', 1, { type: 'a', maxAttempts: 1 }) as never),
    ],
    'the id of all jobs of an automation': [
      'automate.enqueue.id',
      (queue) => queue.automate({ name: 'a', on: 'insert:x', enqueue: once('id', 'x', { job: task }) as never }),
    ],
  }

  test.each(Object.entries(refused))('%s is read once, also where it is refused', async (_, [field, use]) => {
    const { queue } = await testQueue()
    expect(await problemOf(() => use(queue))).toEqual({ code: 'HOLDFAST_INVALID_OPTION', field })
  })

  test('a proxy that throws when it is looked at is refused as a whole', async () => {
    const { queue } = await testQueue()
    const options = new Proxy(
      {},
      {
        ownKeys: () => {
          throw boom
        },
      },
    )
    expect(await problemOf(() => queue.enqueue(task, null, options))).toEqual({
      ...{ code: 'HOLDFAST_INVALID_OPTION', field: 'options' },
    })
  })
})

const unseen: Record<string, readonly [field: string, use: (queue: JobQueue, proxy: string) => unknown]> = {
  'the job of enqueue': ['job', (queue, proxy) => queue.enqueue(proxy, null)],
  'the job of an item of enqueueMany': [
    'items[1].job',
    (queue, proxy) => queue.enqueueMany([{ job: task }, { job: proxy }]),
  ],
  'an item of enqueueMany': ['items[1]', (queue, proxy) => queue.enqueueMany([{ job: task }, proxy as never])],
  'the list of enqueueMany': ['items', (queue, proxy) => queue.enqueueMany(proxy as never)],
  'the id of get': ['id', (queue, proxy) => queue.get(proxy)],
  'the id of result': ['id', (queue, proxy) => queue.result(proxy)],
  'the signal of result': ['result.signal', (queue, proxy) => queue.result('a', { signal: proxy as never })],
  'the id of cancel': ['id', (queue, proxy) => queue.cancel(proxy)],
  'the reason of cancel': ['reason', (queue, proxy) => queue.cancel('a', proxy)],
  'the ids of retry': ['ids', (queue, proxy) => queue.retry(proxy as never)],
  'an id of retry': ['ids[1]', (queue, proxy) => queue.retry(['a', proxy])],
  'what is to be removed': ['remove', (queue, proxy) => queue.remove(proxy as never)],
  'the scope of pause': ['pause', (queue, proxy) => queue.pause(proxy as never)],
  'an option of enqueue': ['runAt', (queue, proxy) => queue.enqueue(task, null, { runAt: proxy })],
  'an operand of list': ['where.type.in[0]', (queue, proxy) => queue.list({ where: { type: { in: [proxy] } } })],
  'a condition of a list': ['where.and[1]', (queue, proxy) => queue.list({ where: { and: [{}, proxy as never] } })],
  'a list of conditions': ['where.and', (queue, proxy) => queue.list({ where: { and: proxy as never } })],
  'the event of on': ['event', (queue, proxy) => queue.on(proxy as never, () => null)],
  'the listener of on': ['listener', (queue, proxy) => queue.on('failed', proxy as never)],
  'the event of emit': ['event', (queue, proxy) => queue.emit(proxy, null)],
  'what an automation enqueues': [
    'automate.enqueue',
    (queue, proxy) => queue.automate({ name: 'a', on: 'insert:x', enqueue: proxy as never }),
  ],
  'the condition of an automation': [
    'automate.where',
    (queue, proxy) => queue.automate({ name: 'a', on: 'insert:x', where: proxy as never, enqueue: { job: task } }),
  ],
  'the job of an automation': [
    'automate.enqueue.job',
    (queue, proxy) => queue.automate({ name: 'a', on: 'insert:x', enqueue: { job: proxy } }),
  ],
  'the handlers of createExecutor': ['handlers', (queue, proxy) => queue.createExecutor({ handlers: proxy as never })],
  'a handler of createExecutor': [
    'handlers[0]',
    (queue, proxy) => queue.createExecutor({ handlers: [proxy as never] }),
  ],
  'the definition of a handler': [
    'handlers[0]',
    (queue, proxy) => queue.createExecutor({ handlers: [{ ...handlers[0], definition: proxy } as never] }),
  ],
  'a definition of openQueue': ['jobs[0]', (_, proxy) => openQueue({ storage: memory(), jobs: [proxy as never] })],
  'the definitions of openQueue': ['jobs', (_, proxy) => openQueue({ storage: memory(), jobs: proxy as never })],
}

test.each(Object.entries(unseen))('a proxy that was revoked, as %s, is named', async (_, [field, use]) => {
  const { queue } = await testQueue()
  const { proxy, revoke } = Proxy.revocable<object>([], {})
  revoke()
  expect(await problemOf(() => use(queue, proxy as never))).toEqual({ code: 'HOLDFAST_INVALID_OPTION', field })
  expect(await queue.counts()).toMatchObject({ pending: 0 })
})

test('a promise is no payload, with a schema or without: it is not waited for behind the back', async () => {
  const { queue } = await testQueue()
  const problem = await problemOf(() => queue.enqueue(task, Promise.resolve(5)))
  expect(problem).toEqual({ code: 'HOLDFAST_INVALID_PAYLOAD', field: 'payload' })
})

test('an option that is `undefined` is absent', async () => {
  const { queue } = await testQueue()
  const absent = Object.fromEntries(Object.keys(settings).map((key) => [key, undefined]))
  const job = defineJob({ type: 'a', ...absent })
  expect(job.defaults).toEqual(defineJob({ type: 'a' }).defaults)
  expect(await queue.enqueue(job, null, absent)).toMatchObject({ priority: 1, maxRetries: 3 })
})

test('an environment may have its functions from a class, which they need', async () => {
  class Clock {
    readonly #offset = 5
    now(): number {
      return Date.UTC(2030, 0, 1) + this.#offset
    }
  }
  const queue = await openQueue({ storage: memory(), environment: new Clock() })
  expect(await queue.enqueue(task, null)).toMatchObject({ createdAt: Date.UTC(2030, 0, 1) + 5 })
  await queue.close()
})

test('a test queue whose executor is refused leaves no storage open', async () => {
  let open = 0
  const counted = hooked(memory(), {
    after: (name) => void (open += name === 'open' ? 1 : name === 'close' ? -1 : 0),
  })
  await problemOf(() => testQueue({ storage: counted, handlers: [], clock: new ManualClock() }))
  expect(open).toBe(0)
})

/** The promise of a call that has to answer by one. */
function unthrown(call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    throw new Error('It threw instead of rejecting', { cause: error })
  }
}

async function expectRefusal(call: () => unknown, field: string): Promise<void> {
  let error: unknown
  try {
    await call()
  } catch (thrown) {
    error = thrown
  }
  if (!HoldfastError.is(error)) throw new Error('It was not refused, or not by a typed error', { cause: error })
  expect([error.code, error.details.field]).toEqual(['HOLDFAST_INVALID_OPTION', field])
  // The field and the rule are in the text too; the value is in the details, as it was given.
  expect(error.message).toContain(`\`${field}\``)
  expect(error.details).toHaveProperty('value')
}

test('what is no object of options is told with the options there are', async () => {
  await expect((openQueue as Loose)()).rejects.toThrow(/`openQueue` .*storage, jobs,/)
  expect(() => (defineJob as Loose)('mail')).toThrow(/`defineJob` .*type, .*"mail"/)
})

test('a message names no way that is none', async () => {
  const { queue } = await testQueue()
  // Ids are given as an array, and only there is a name as good as a definition where a job is enqueued.
  await expect((queue.remove as Loose).call(queue, 'one')).rejects.toThrow(/array of ids.*jobKey.*"one"/)
  await expect((openQueue as Loose)({ storage, jobs: ['task'] })).rejects.toThrow(/`jobs\[0\]`(?!.*name of).*"task"/)
  await expect((queue.enqueue as Loose).call(queue, { type: 'task' })).rejects.toThrow(/`job`.*name of/)
})
