import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import { nodeFs } from '../../src/adapters/node-fs/index.ts'
import { type AqlResult, aql } from '../../src/aql/index.ts'
import { z } from 'zod'
import { defineJob, fixed, HoldfastError, openQueue } from '../../src/index.ts'
import { testQueue } from '../../src/testing/index.ts'
import { hooked, Stage } from '../core/doubles.ts'
import { keepsItsPromises } from './promises.ts'

const task = defineJob({ type: 'task' })

async function run(text: string, variables: Record<string, unknown> = {}): Promise<AqlResult> {
  await using queue = await openQueue({ storage: memory() })
  await queue.enqueue(task, { n: 1, list: [{ x: 1 }] }, { id: 'one', priority: 'critical', jobKey: 'key' })
  return await aql(queue).execute(text, { variables })
}

describe('every text that the documentation shows does what it says', () => {
  test('on memory', () => keepsItsPromises(memory()))

  test('on node-fs', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-aql-'))
    await keepsItsPromises(nodeFs({ directory }))
    await rm(directory, { recursive: true, force: true })
  })
})

test('jobs are counted without their payloads, which may be large files', async () => {
  const asked: unknown[] = []
  const storage = hooked(memory(), {
    before: (name, request) => name === 'list' && asked.push((request as { payloads?: boolean }).payloads),
  })
  await using queue = await openQueue({ storage, jobs: [task] })
  await queue.enqueue(task, null)
  expect(await aql(queue).execute('{ _jobsCount }')).toEqual({ data: { _jobsCount: 1 }, errors: [] })
  expect(asked).toEqual([false])
})

describe('an answer', () => {
  test.each([
    ['{ _jobs { id payload { n } } }', { _jobs: [{ id: 'one', payload: { n: 1 } }] }],
    [
      '{ _jobs { payload { list { x } } p: payload } }',
      { _jobs: [{ payload: { list: [{ x: 1 }] }, p: { n: 1, list: [{ x: 1 }] } }] },
    ],
    [
      '{ _jobs(where: { job_key: { eq: "key" } priority: { gte: HIGH } }) { job_key priority } }',
      { _jobs: [{ job_key: 'key', priority: 'CRITICAL' }] },
    ],
    ['{ _jobs(where: { not: { status: { in: [PENDING, RUNNING] } } }) { id } }', { _jobs: [] }],
    ['{ _jobs(skip: 1) { id } }', { _jobs: [] }],
    [
      String.raw`{
        a: _jobsCount(where: { status: { contains: "END" } })
        b: _jobsCount(where: { status: { containsAny: ["x", "PEN"], startsWith: "PE", matches: "^P\\w*G$" } })
        c: _jobsCount(where: { status: { matches: "\\W" } })
        d: _jobsCount(where: { status: { matches: "\\S" } })
        e: _jobsCount(where: { priority: { gt: HIGH, lte: "CRITICAL" } })
      }`,
      { a: 1, b: 1, c: 0, d: 1, e: 1 },
    ],
    ['{ a: _jobsCount b: _jobsCount }', { a: 1, b: 1 }],
    [
      'query ($p: JobPriority) { _jobs(where: { or: [{ priority: { eq: $p } }] }) { id } }',
      { _jobs: [{ id: 'one' }] },
      { p: 'CRITICAL' },
    ],
    [
      'query ($n: Int = 1) { _jobs(limit: $n, orderBy: [{ payload: { n: DESC } }, { created_at: ASC }]) { type error completed_at last_retry } }',
      { _jobs: [{ type: 'task', error: null, completed_at: null, last_retry: null }] },
    ],
    [
      'query ($id: ID!) { a: _jobsCount(where: { id: { eq: $id } }) } query ($key: String!) { b: _jobsCount(where: { jobKey: { eq: $key } }) }',
      { a: 1, b: 1 },
      { id: 'one', key: 'key' },
    ],
    [
      'mutation { cancelJob(id: "nobody") { id } removeJob(jobKey: "nobody") { id } }',
      { cancelJob: null, removeJob: null },
    ],
  ] as [string, object, Record<string, unknown>?][])('to %s', async (text, data, variables = {}) => {
    expect(await run(text, variables)).toEqual({ data, errors: [] })
  })
})

test('every field of a job can be asked for, in both spellings', async () => {
  await using queue = await openQueue({ storage: memory(), jobs: [task] })
  const job = await queue.enqueue(task, null)
  const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  const names = Object.keys((await queue.get(job.id)) ?? {}).flatMap((name) => [...new Set([name, snake(name)])])
  const { data, errors } = await aql(queue).execute(`{ _jobs { ${names.join(' ')} } }`)
  expect(errors).toEqual([])
  expect((data?.['_jobs'] as readonly object[]).map(Object.keys)).toEqual([names])
})

test('the latest retry is the start of the latest attempt after the first', async () => {
  const stage = new Stage()
  const slow = defineJob({ type: 'slow', backoff: fixed('1m') })
  const { queue, clock, advance } = await testQueue({ handlers: [slow.handler(stage.run)] })
  const expectNow = async (status: string, retried: boolean): Promise<void> => {
    await clock.settle()
    const { data } = await aql(queue).execute('{ _jobs { status started_at last_retry completed_at finished_at } }')
    const [job] = data?.['_jobs'] as readonly Record<string, unknown>[]
    const [startedAt, finishedAt] = [job?.['started_at'], job?.['finished_at']]
    expect(job).toMatchObject({ status, last_retry: retried ? startedAt : null })
    expect(job?.['completed_at']).toBe(status === 'COMPLETED' ? finishedAt : null)
  }
  await queue.enqueue(slow, null, { id: 'one', maxRetries: 2 })
  await advance(0)
  await expectNow('RUNNING', false)
  stage.fail('one', new Error('no'))
  await expectNow('SCHEDULED', false)
  await advance('1m')
  await expectNow('RUNNING', true)
  await advance('1s')
  stage.fail('one', new Error('no'))
  await expectNow('SCHEDULED', true)
  await advance('1m')
  stage.end('one')
  await expectNow('COMPLETED', true)
})

test('a handler has conditions on jobs in the words of AQL, on documents in those of the document', async () => {
  const { queue, advance, jobs } = await testQueue({ handlers: [task.handler(() => ({ n: 5 }))] })
  const { execute } = aql(queue)
  const define = async (name: string, on: string, where: string): Promise<void> => {
    const action = `action: { enqueueJob(type: "follow", payload: "${name}", jobKey: "${name} \${id}") }`
    expect((await execute(`define handler "${name}" { on: "${on}", where: ${where}, ${action} }`)).errors).toEqual([])
  }
  await define('a', 'job:completed', '{ status: { eq: COMPLETED }, job_type: { eq: "task" } }')
  await define('b', 'job:completed', '{ or: [{ not: { priority: { lt: "HIGH" } } }] }')
  await define('c', 'job:completed', '{ result: { n: { eq: 5 } }, created_at: { gt: "1970-01-01T00:00:00Z" } }')
  await define('d', 'job:completed', '{ status: { ne: "COMPLETED" } }')
  await define('e', 'insert:users', '{ status: { eq: "NEW" }, retry_count: { eq: "x" } }')
  await queue.enqueue(task, null, { id: 'one', priority: 'high' })
  await queue.emit('insert:users', { id: 1, status: 'NEW', retry_count: 'x' })
  await advance('1s')
  expect((await jobs('follow')).map(({ jobKey }) => jobKey).sort()).toEqual(['a one', 'b one', 'c one', 'e 1'])
})

describe('an error names its place', () => {
  test.each([
    ['', 1, 1, 'Unexpected <EOF>'],
    ['{ _jobs(', 1, 9, 'Expected Name'],
    ['{\n  _jobs { idd }\n}', 2, 11, 'did you mean `id`'],
    ['{ _job { id } }', 1, 3, 'did you mean `_jobs`'],
    ['{ _jobs(wher: {}) { id } }', 1, 9, 'did you mean `where`'],
    ['{ _jobs(where: { statu: { eq: 1 } }) { id } }', 1, 18, 'did you mean `status`'],
    ['{ _jobs(where: { type: { equals: 1 } }) { id } }', 1, 26, 'expected one of'],
    ['{ _jobs(where: { type: { endWith: "x" } }) { id } }', 1, 26, 'did you mean `endsWith`'],
    ['{ _jobs(where: { payload: { a: { matches: "(a" } } }) { id } }', 1, 34, 'matches'],
    ['{ _jobs(where: { status: { eq: "FAILD" } }) { id } }', 1, 28, 'did you mean `FAILED`'],
    ['{ _jobs(where: { status: { in: [FAILED, DONE] } }) { id } }', 1, 28, 'PENDING, SCHEDULED'],
    ['{ _jobs(where: { or: [{ and: [] }, { job_type: { in: [A, 5] } }] }) { id } }', 1, 58, 'type'],
    ['{ _jobs(where: { type: { eq: "a" }, job_type: { eq: "b" } }) { id } }', 1, 9, 'once'],
    ['{ _jobs(where: { priority: { eq: "SOON" } }) { id } }', 1, 30, 'HIGH'],
    ['{ _jobs(where: { attempts: { eq: "0" } }) { id } }', 1, 30, 'number'],
    ['{ _jobs(where: { runAt: { contains: "0" } }) { id } }', 1, 27, 'moment'],
    ['{ _jobs(where: 5) { id } }', 1, 9, 'conditions'],
    ['{ _jobs(orderBy: [{ createdAt: DESC }, { created: ASC }]) { id } }', 1, 42, 'did you mean `created'],
    ['{ _jobs(orderBy: { createdAt: DOWN }) { id } }', 1, 20, 'asc'],
    ['{ _jobs(limit: 1, first: 2) { id } }', 1, 19, 'already'],
    ['{ _jobs(limit: 1, limit: 2) { id } }', 1, 19, 'already'],
    ['{ _jobs(limit: 0) { id } }', 1, 9, 'from 1 to 1000, got `0`'],
    ['{ _jobs(first: "5") { id } }', 1, 9, 'got `5` (string)'],
    ['{ _jobs(limit: 1, skip: -1) { id } }', 1, 19, 'from 0 to 1e9, got `-1`'],
    ['{ _jobs(after: 5) { id } }', 1, 9, 'cursor'],
    ['{ _jobs(after: "[1]") { id } }', 1, 9, 'same order'],
    ['{ _jobs(where: { and: 5 }) { id } }', 1, 18, 'got `5`'],
    ['{ _jobs }', 1, 3, 'in braces'],
    ['{ _jobs { id id } }', 1, 14, 'another name'],
    ['{ _jobs { id { x } } }', 1, 11, 'no fields'],
    ['{ _jobs(where: { type: { eq: $x } }) { id } }', 1, 30, '$x'],
    ['query ($x: Int!) { _jobsCount }', 1, 8, 'required'],
    ['query ($x: [Int] = [1, "a"]) { _jobsCount }', 1, 8, '`$x[]` to be of type Int, got `a` (string)'],
    ['query ($x: [Int] = 1) { _jobsCount }', 1, 8, 'a list, got `1`'],
    ['query ($x: Int) { a: _jobsCount } { b: _jobs(limit: $x) { id } }', 1, 53, '$x'],
    ['query ($x: Inte) { _jobsCount }', 1, 12, 'did you mean `Int`'],
    ['{ _jobs { ...x } }', 1, 11, 'fragments'],
    ['{ _jobs @skip(if: true) { id } }', 1, 3, 'directive'],
    ['subscription { _jobs { id } }', 1, 1, 'Expected query'],
    ['mutation { enqueueJob(type: "a", jobType: "b") { id } }', 1, 34, 'already'],
    ['mutation { enqueueJob(type: "a", payload: { x: 1, x: 2 }) { id } }', 1, 51, 'twice'],
    ['mutation { enqueueJob(payload: 1) { id } }', 1, 12, '`type`'],
    ['mutation { enqueueJob(payload: 1, jobType: 5) { id } }', 1, 35, 'a text, got `5`'],
    ['mutation { enqueueJobs(type: "a", payloads: 5) { id } }', 1, 35, 'a list, got `5`'],
    [
      'mutation { enqueueJobs(type: "a", payloads: { toString: 1 }) { id } }',
      1,
      35,
      'a list, got `an object` (object)',
    ],
    ['mutation { pause }', 1, 12, 'one of'],
    ['mutation { pause(all: true, type: "x") }', 1, 12, 'one of'],
    ['mutation { resume(type: "") }', 1, 19, 'type'],
    ['mutation { enqueueJob(type: "a", priority: URGENT) { id } }', 1, 34, 'LOW, NORMAL'],
    ['mutation { enqueueJob(jobType: "", payload: 1) { id } }', 1, 23, 'job'],
    ['mutation { enqueueJob(type: "a", scheduledAt: "soon") { id } }', 1, 34, 'runAt'],
    ['mutation { enqueueJobs(type: "a", payloads: [1], retries: -1) { id } }', 1, 50, 'maxRetries'],
    ['mutation { cancelJob(jobId: 5) { id } }', 1, 22, '`id`'],
    ['mutation { cancelJob(id: "a", reason: "") { id } }', 1, 31, 'reason'],
    ['mutation { retryJobs(ids: ["a", ""]) { id } }', 1, 33, 'ids'],
    ['mutation { retryJobs { id } }', 1, 12, 'ids'],
    ['mutation { retryJobs(jobIds: [5]) { id } }', 1, 31, 'ids'],
    ['mutation { removeJob(jobKey: 5) { id } }', 1, 22, 'jobKey'],
    ['define handler welcome { on: "insert:x" }', 1, 16, 'Unexpected Name'],
    ['define handler "a" { on: "insert:x" }', 1, 1, '`action:`'],
    ['define handler "a" { on: "insert:x", when: 1, action: { enqueueJob(type: "a") } }', 1, 38, 'entry of a handler'],
    ['define handler "a" { on: "insert:x", action: { cancelJob(id: 1) } }', 1, 48, 'enqueueJob'],
    ['define handler "a" { on: "nobody", action: { enqueueJob(type: "a") } }', 1, 22, 'job:failed'],
    ['define handler "a" { on: "insert:x", action: { enqueueJob(type: "a", priority: SOON) } }', 1, 70, 'LOW, NORMAL'],
    ['define handler "a" { on: "insert:x", atomic: 1, action: { enqueueJob(type: "a") } }', 1, 38, 'true or false'],
    ['define handler "a" { on: "job:failed", atomic: true, action: { enqueueJob(type: "a") } }', 1, 40, 'atomic'],
    [
      'define handler "a" {\n on: "insert:x"\n where: { a: { in: 1 } }\n action: { enqueueJob(type: "a") } }',
      3,
      16,
      'array',
    ],
    [
      'define handler "a" {\n on: "job:failed"\n where: { retry_count: { gt: "1" } }\n action: { enqueueJob(type: "a") } }',
      3,
      26,
      'number',
    ],
    [
      'define handler "a" { on: "insert:x",\n action: { enqueueJob(type: "a",\n  payload: { a: [1, { b: "${" }] }) } }',
      3,
      23,
      'places',
    ],
    ['define handler "a" { on: "insert:x", action: { enqueueJob(type: "a",\n retries: 1.5) } }', 2, 2, 'maxRetries'],
    ['define handler "a" { on: "insert:x", action: { enqueueJob(type: "a",\n jobKey: "${a b}") } }', 2, 2, 'jobKey'],
    ['define handler "a" { on: "insert:x", action: { enqueueJob(type: "a", prio: 1) } }', 1, 70, 'prio'],
    ['define handler "" { on: "insert:x", action: { enqueueJob(type: "a") } }', 1, 1, 'name'],
    [`{ _jobs(where: { payload: { eq: ${'['.repeat(100)}${']'.repeat(100)} } }) { id } }`, 1, 94, 'levels'],
    ['{ _jobs(where: { payload: { n: { eq: 12345678901234567890 } } }) { id } }', 1, 38, 'number'],
  ] as [string, number, number, string][])('%s', async (text, line, column, said) => {
    const { data, errors } = await run(text)
    expect([data, errors.length]).toEqual([null, 1])
    expect(errors[0]).toMatchObject({ line, column })
    expect(errors[0]?.message).toContain(said)
  })

  test('a variable that no operation declares is an error, with the nearest that one does', async () => {
    const { data, errors } = await run('query ($limit: Int) { _jobs(limit: $limit) { id } } query { _jobsCount }', {
      limi: 1,
    })
    expect([data, errors.length, errors[0]?.message]).toEqual([
      null,
      1,
      expect.stringContaining('did you mean `$limit`'),
    ])
  })

  test('also when a field fails while it is done, and the others are done', async () => {
    // Those of WebKit say where in the program they were made.
    const full = Object.assign(new HoldfastError('HOLDFAST_STORAGE_FULL', 'no space'), { line: 7, column: 700 })
    await using queue = await openQueue({ storage: Object.assign(memory(), { enqueue: () => Promise.reject(full) }) })
    const { data, errors } = await aql(queue).execute(
      'mutation {\n  bad: enqueueJob(type: "x") { id }\n  pause(all: true)\n}',
    )
    expect(data).toEqual({ bad: null, pause: true })
    expect(errors).toMatchObject([{ code: 'HOLDFAST_STORAGE_FULL', line: 2, column: 3 }])
  })

  test.each([
    'cancelJob(idd: 1) { id }',
    'a: enqueueJob(type: "x") { payload { a a } }',
    'a: enqueueJob(type: "x") { payload { ...parts } }',
    'a: enqueueJob(type: "x") { id(x: 1) }',
    'a: enqueueJob(type: "x", priority: URGENT) { id }',
    'a: enqueueJobs(type: "x", payloads: [1], delay: "soon") { id }',
    'a: enqueueJob(type: "checked", payload: { n: "5" }) { id }',
    'a: enqueueJob(type: "nobody") { id }',
    'cancelJob(id: 5) { id }',
    'cancelJob(id: "a", reason: 5) { id }',
    'retryJobs(ids: "a") { id }',
    'removeJob(id: null) { id }',
    'removeJob(jobKey: "") { id }',
    'pause(all: 1)',
    'resume(type: "\\u0000")',
    '} query { _jobs(after: "x") { id } ',
    '} query { _jobs(after: "[1]", skip: 5) { id } ',
    '} define handler "a" { on: "nobody", action: { enqueueJob(type: "x") } ',
    '} define handler "a" { on: "insert:t", action: { enqueueJob(type: "nobody") } ',
    '} define handler "a" { on: "insert:t", action: { enqueueJob(type: "x", payload: "${") } ',
    '} define handler "a" { on: "insert:t", where: { a: { matches: "(" } }, action: { enqueueJob(type: "x") } ',
  ])('a text that is wrong anywhere does nothing: %s', async (wrong) => {
    const checked = defineJob({ type: 'checked', payload: z.object({ n: z.number().refine(async (n) => n > 0) }) })
    await using queue = await openQueue({ storage: memory(), jobs: [checked, defineJob({ type: 'x' })] })
    const { execute } = aql(queue)
    const right =
      'define handler "h" { on: "insert:t", action: { enqueueJob(type: "x") } } mutation { pause(all: true) enqueueJob(type: "x") { id } '
    const { data, errors } = await execute(`${right} ${wrong} }`)
    expect([data, errors.length]).toEqual([null, 1])
    expect([await queue.counts(), await queue.pauses(), await queue.automations()]).toEqual([
      expect.objectContaining({ pending: 0 }),
      [],
      [],
    ])
    expect((await execute(`${right} }`)).errors).toEqual([])
    expect((await queue.counts()).pending).toBe(1)
  })

  test('where jobs are not taken nothing is defined or enqueued, and the error says why', async () => {
    await using queue = await openQueue({ storage: memory(), workersEnabled: false })
    for (const text of [
      'define handler "a" { on: "insert:t", action: { enqueueJob(type: "x") } }',
      'mutation { pause(all: true) enqueueJob(type: "x") { id } }',
    ])
      expect((await aql(queue).execute(text)).errors).toMatchObject([{ code: 'HOLDFAST_WORKERS_DISABLED', line: 1 }])
    expect([await queue.automations(), await queue.pauses()]).toEqual([[], []])
  })

  test('variables may be absent in the ways that clients leave them out', async () => {
    await using queue = await openQueue({ storage: memory() })
    for (const options of [undefined, null, { variables: null }])
      expect((await aql(queue).execute('{ _jobsCount }', options as never)).errors).toEqual([])
  })
})

describe('variables', () => {
  const typed = (type: string, value?: unknown): Promise<AqlResult> =>
    run(`query ($x: ${type}) { _jobsCount }`, value === undefined ? {} : { x: value })

  test.each([
    ['String', 'a', ['', 'b']],
    ['ID', 'a', ['b']],
    ['Int', 1, [-5, 0]],
    ['Float', 1.5, [2]],
    ['Boolean', true, [false]],
    ['JSON', { a: [1] }, ['a', 5, true]],
    ['DateTime', '2027-01-01T00:00:00Z', [1_800_000_000_000]],
    ['JobPriority', 'HIGH', [2]],
    ['JobStatus', 'FAILED', ['PENDING']],
  ])('of type %s are taken, null and absent too; lists of them and required ones', async (type, value, others) => {
    for (const good of [value, ...others, null, undefined]) expect((await typed(type, good)).errors).toEqual([])
    for (const good of [[value], [value, null], [], null, undefined])
      expect((await typed(`[${type}]`, good)).errors).toEqual([])
    expect((await typed(`${type}!`, value)).errors).toEqual([])
    expect((await typed(`[${type}!]!`, [value])).errors).toEqual([])
  })

  test.each([
    ['String', 5],
    ['ID', 5],
    ['Int', '1'],
    ['Int', 1.5],
    ['Int', 2 ** 53],
    ['Float', '1.5'],
    ['Float', Number.NaN],
    ['Boolean', 'true'],
    ['DateTime', true],
    ['JobPriority', 1.5],
    ['JobStatus', 1],
    ['[Int]', 1],
    ['[Int]', ['1']],
    ['[[Int]]', [[true]]],
    ['[Int!]', [null]],
    ['Int!', null],
    ['Int!', undefined],
    ['[Int]!', null],
    ['Int = "1"', undefined],
    ['[Int!] = [null]', undefined],
  ])('of type %s refuse %o, and nothing is done', async (type, value) => {
    const { data, errors } = await typed(type, value)
    expect([data, errors]).toMatchObject([null, [{ code: 'HOLDFAST_AQL', line: 1, column: 8 }]])
    expect(errors[0]?.message).toContain('$x')
  })

  test.each([
    ['Int = 7', undefined, 7],
    ['Int! = 7', undefined, 7],
    ['Int = 7', 5, 5],
    ['Int = 7', null, null],
    ['[Int] = [1, 2]', undefined, [1, 2]],
    ['JSON = { a: { b: [true] } }', undefined, { a: { b: [true] } }],
    ['JSON', undefined, undefined],
  ])('declared %s and given %o are %o', async (type, given, expected) => {
    await using queue = await openQueue({ storage: memory() })
    const text = `mutation ($x: ${type}) { enqueueJob(type: "a", payload: { x: $x }) { payload } }`
    const { data, errors } = await aql(queue).execute(text, { variables: given === undefined ? {} : { x: given } })
    expect(errors).toEqual([])
    // Without a value and a default the name is left out, as GraphQL does.
    expect(data).toEqual({ enqueueJob: { payload: expected === undefined ? {} : { x: expected } } })
  })

  test('that are null where one is required are refused even where there is a default', async () => {
    expect((await typed('Int! = 7', null)).errors).toMatchObject([{ code: 'HOLDFAST_AQL' }])
  })

  test('are declared once', async () => {
    const { errors } = await run('query ($x: Int, $x: Int) { _jobsCount }')
    expect(errors).toMatchObject([{ code: 'HOLDFAST_AQL', line: 1, column: 17 }])
  })

  const declared =
    'mutation ($type: String!, $payload: JSON, $priority: JobPriority, $at: DateTime, $retries: Int, $timeout: JSON, $key: String, $mode: String, $queue: String)'
  const enqueue =
    'enqueueJob(type: $type, payload: $payload, priority: $priority, runAt: $at, retries: $retries, timeout: $timeout, jobKey: $key, jobKeyMode: $mode, queueName: $queue)'
  const given = {
    ...{ type: 'mail', payload: { to: ['a'] }, priority: 'HIGH', at: '2127-01-01T00:00:00Z', retries: 7 },
    ...{ timeout: '5s', key: 'k', mode: 'unsafeDedupe', queue: 'q' },
  }

  test('stand for every argument', async () => {
    const fields = '{ type payload priority runAt maxRetries timeout jobKey queueName }'
    expect(await run(`${declared} { ${enqueue} ${fields} }`, given)).toEqual({
      data: {
        enqueueJob: {
          ...{ type: 'mail', payload: { to: ['a'] }, priority: 'HIGH', runAt: '2127-01-01T00:00:00.000Z' },
          ...{ maxRetries: 7, timeout: 5000, jobKey: 'k', queueName: 'q' },
        },
      },
      errors: [],
    })
  })

  test.each([
    ['payload', () => undefined],
    ['priority', 'HIGHEST'],
    ['at', 'tomorrow'],
    ['retries', -1],
    ['timeout', 'soon'],
    ['key', ''],
    ['mode', 'replaceAll'],
    ['queue', ''],
  ])('whose value an argument cannot have are refused with the place of the field: %s', async (name, value) => {
    await using queue = await openQueue({ storage: memory() })
    const text = `${declared} {\n  ${enqueue} { id } }`
    const { data, errors } = await aql(queue).execute(text, { variables: { ...given, [name]: value } })
    expect([data?.['enqueueJob'] ?? null, errors]).toMatchObject([null, [{ line: 2 }]])
    expect((await queue.counts()).scheduled).toBe(0)
  })
})

test('a payload that is more than JSON is answered as JSON that says what it is', async () => {
  const parcel = defineJob({ type: 'parcel', payloadFormat: 'structured-clone' })
  await using queue = await openQueue({ storage: memory(), jobs: [parcel] })
  const map = new Map<unknown, unknown>([
    ['a', new Date(0)],
    [7, new Map([[null, 1]])],
  ])
  const bytes = new Uint8Array([1, 2, 3])
  await queue.enqueue(parcel, { map, bytes, buffer: bytes.buffer, blob: new Blob(['text']), list: [new Map()] })
  const { data, errors } = await aql(queue).execute('{ _jobs { payload p: payload { map bytes { kind } none } } }')
  const entries = [
    ['a', '1970-01-01T00:00:00.000Z'],
    [7, [[null, 1]]],
  ]
  const payload = {
    map: entries,
    bytes: { kind: 'Uint8Array', bytes: 3 },
    buffer: { kind: 'ArrayBuffer', bytes: 3 },
    blob: { kind: 'Blob', bytes: 4 },
    list: [[]],
  }
  expect(errors).toEqual([])
  expect(data).toEqual({ _jobs: [{ payload, p: { map: entries, bytes: { kind: 'Uint8Array' }, none: null } }] })
  expect(JSON.parse(JSON.stringify(data))).toEqual(data)
})

describe('texts of any kind', () => {
  const texts = [
    'mutation { enqueueJob(type: "a", payload: { __proto__: { polluted: true }, constructor: { prototype: 1 } }, priority: HIGH) { jobId status } }',
    'query ($x: [Int!] = [1, 2]) { _jobs(where: { payload: { constructor: { in: $x } }, or: [] }, orderBy: [{ runAt: ASC }], first: 3) { edges { node { id error { __proto__ } } } pageInfo { endCursor } } }',
    'define handler "__proto__" { on: "*:t", where: { a: { gt: 1.5e3 } }, action: { enqueueJob(type: "b", payload: ["${a}", """block"""]) } }',
    'define handler "on jobs" { on: "job:failed", where: { or: [{ status: { matches: "^\\\\S+$" } }, { error: { __proto__: { eq: 1 } }, retry_count: { in: [1, null] } }] }, action: { enqueueJob(type: "b", jobKey: "${id} ${error.code}", retries: 1) } }',
    'mutation { a: cancelJob(id: "constructor", reason: "x") { id } removeJob(jobKey: "__proto__") { id } retryJobs(ids: ["a"]) { id } pause(type: "__proto__") resume(queueName: "x") }',
    '{ __proto__: _stats { constructor: total } _jobsCount(where: { not: { type: { startsWith: "x" } } }) }',
  ]
  const piece = fc.constantFrom(
    // eslint-disable-next-line @typescript-eslint/no-misused-spread -- all of it is ASCII
    ...' {}()[]:,!$@"\\\n#=|&.',
    '"""',
    '...',
    'on',
    'null',
    '__proto__',
    '-1e9',
    '\u0000',
    '💧',
    'define handler',
    '${',
  )
  const mutated = fc
    .tuple(
      fc.constantFrom(...texts),
      fc.array(fc.tuple(fc.nat(300), fc.nat(12), fc.oneof(piece, fc.string({ maxLength: 5 }))), { maxLength: 4 }),
    )
    .map(([text, cuts]) =>
      cuts.reduce((changed, [at, length, put]) => changed.slice(0, at) + put + changed.slice(at + length), text),
    )
  const random = fc
    .array(fc.oneof(piece, fc.constantFrom('_jobs', 'where', 'eq', 'mutation', 'enqueueJob', 'type')), {
      maxLength: 60,
    })
    .map((all) => all.join(' '))

  test('valid ones do what they say, and nothing gets into prototypes', async () => {
    for (const text of texts) {
      const { errors } = await run(text)
      expect(errors, text).toEqual([])
    }
    expect(({} as Record<string, unknown>)['polluted']).toBe(undefined)
  })

  test('neither crash nor hang nor pollute, and errors have a place', async () => {
    await using queue = await openQueue({ storage: memory() })
    const { execute } = aql(queue)
    const before = Object.getOwnPropertyNames(Object.prototype)
    await fc.assert(
      fc.asyncProperty(fc.oneof(mutated, random, fc.string({ unit: 'binary', maxLength: 80 })), async (text) => {
        const { data, errors } = await execute(text)
        for (const { line, column, message, code } of errors) {
          expect([line >= 1, column >= 1, message.length > 0, code.startsWith('HOLDFAST_')]).toEqual([
            true,
            true,
            true,
            true,
          ])
          expect(line).toBeLessThanOrEqual(text.split(/\r\n|[\n\r]/).length)
        }
        if (errors.length === 0) expect(data).not.toBe(null)
        expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before)
      }),
      { numRuns: Number(process.env['HOLDFAST_AQL_RUNS'] ?? 600) },
    )
  })

  test('what is no text is an error too', async () => {
    for (const text of [undefined, null, 5, {}, 'x'.repeat(1_000_001)])
      expect((await run(text as string)).errors.length).toBe(1)
  })
})
