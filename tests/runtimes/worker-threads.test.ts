import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import { defineJob, type HoldfastError, openQueue, type QueueOptions } from '../../src/index.ts'
import { workerThreads, type WorkerThreadsOptions } from '../../src/runtimes/node/index.ts'
import { MARK } from '../../src/runtimes/threads/protocol.ts'
import { workerScope } from '../../src/runtimes/worker/scope.ts'
import { codeOf, problemOf } from '../core/doubles.ts'
import { dyingSuite } from './threads/dying-suite.ts'
import { checked, echo, follows, grown, grownBefore, poison } from './threads/jobs.ts'
import { bench, firstOf, jobs, runnerSuite } from './threads/suite.ts'
import { workerFile } from './worker-files.ts'

const spawn = await workerFile('jobs.worker')

describe('the same handlers', () => {
  runnerSuite(() => ({ runner: workerThreads({ spawn, size: 2, jobsPerWorker: 4 }), jobs, killGrace: 50 }))
})

describe('threads that end', () => {
  const small = { maxOldGenerationSizeMb: 32 }
  dyingSuite({
    options: () => ({
      runner: workerThreads({ spawn: () => spawn({ resourceLimits: small, stderr: true }), size: 1, jobsPerWorker: 4 }),
      killGrace: 0,
    }),
    deadly: ['exit', 'crash', 'rejection', 'memory'],
  })
})

/** What `start` rejects with, what it names and the error behind it; afterwards nothing is counted. */
async function refusal(options: WorkerThreadsOptions, queueOptions: Partial<QueueOptions> = {}) {
  await using queue = await openQueue({ storage: memory(), jobs, ...queueOptions })
  const { id } = await queue.enqueue(echo, null)
  const executor = queue.createExecutor({ runner: workerThreads({ size: 2, ...options }) })
  const error = await executor.start().then(
    () => null,
    (thrown: unknown) => thrown,
  )
  expect(await queue.get(id)).toMatchObject({ status: 'pending', attempts: 0, fence: 0 })
  expect(executor.stats()).toMatchObject({ state: 'idle', claimed: 0 })
  const { cause, details } = error as HoldfastError
  return { code: codeOf(error), details, cause, message: String(error) }
}

describe('a worker that cannot run the jobs', () => {
  test('since its file throws', async () => {
    const throwing = await workerFile('throws.worker')
    expect(await refusal({ spawn: throwing })).toMatchObject({
      code: 'HOLDFAST_WORKER_NOT_READY',
      details: { field: 'spawn()' },
      cause: { name: 'TypeError', message: 'The worker file throws' },
    })
  })

  test('since `spawn` gives none: that it threw is not said', async () => {
    const { code, details, cause, message } = await refusal({ spawn: () => undefined as never })
    expect([code, details]).toEqual(['HOLDFAST_WORKER_NOT_READY', { field: 'spawn()', value: undefined }])
    expect(cause).toMatchObject({ code: 'HOLDFAST_INVALID_OPTION' })
    expect(message).not.toContain('threw')
  })

  test('since `spawn` throws', async () => {
    const failure = new TypeError('No such file')
    const spawnNothing = (): never => {
      throw failure
    }
    expect(await refusal({ spawn: spawnNothing })).toMatchObject({
      code: 'HOLDFAST_WORKER_NOT_READY',
      details: { field: 'spawn()' },
      cause: failure,
    })
  })

  test('since its file exposes nothing', async () => {
    const empty = await workerFile('exposes-nothing.worker')
    expect(await refusal({ spawn: empty })).toMatchObject({
      code: 'HOLDFAST_WORKER_NOT_READY',
      details: { field: 'spawn()' },
    })
  })

  test('since it exposes nothing in time', async () => {
    // However late the look, it has not.
    const silent = (): Worker => new Worker('setInterval(() => undefined, 60_000)', { eval: true })
    expect(await refusal({ spawn: silent, readyWithin: 1 })).toMatchObject({
      code: 'HOLDFAST_WORKER_NOT_READY',
      details: { field: 'readyWithin', value: 1 },
    })
  })

  test('since it exposes its handlers twice', async () => {
    expect(await refusal({ spawn: await workerFile('exposes-twice.worker') })).toMatchObject({
      code: 'HOLDFAST_WORKER_NOT_READY',
      details: { field: 'exposeHandlers()' },
      cause: { code: 'HOLDFAST_WORKER_NOT_READY' },
    })
  })

  test('since its file cannot be loaded', async () => {
    const nowhere = new URL('nowhere.mjs', import.meta.url)
    expect(await refusal({ spawn: () => new Worker(nowhere) })).toMatchObject({
      code: 'HOLDFAST_WORKER_NOT_READY',
      details: { field: 'spawn()' },
    })
  })

  test('since it has no handler for one of them', async () => {
    const other = defineJob({ type: 'other' })
    const { code, details, message } = await refusal({ spawn }, { jobs: [echo, other] })
    expect([code, message.includes('other')]).toEqual(['HOLDFAST_WORKER_NOT_READY', true])
    expect(details).toEqual({
      field: 'handlers',
      value: [...jobs, poison].map(({ type, version }) => ({ type, version })),
    })
  })

  test('since its handler is of an older version, and would see newer payloads as they are', async () => {
    const newer = defineJob({ type: 'grown', version: 3, migrate: (payload) => payload })
    const { code, details, message } = await refusal({ spawn }, { jobs: [echo, newer] })
    expect([code, details.field]).toEqual(['HOLDFAST_WORKER_NOT_READY', 'handlers'])
    expect(details.value).toContainEqual({ type: 'grown', version: 2 })
    expect(message).toMatch(/no handler for "grown" of version 3;.*"grown" of version 2/)
  })

  test('since its setup throws', async () => {
    const bad = await workerFile('bad-setup.worker')
    expect(await refusal({ spawn: bad })).toMatchObject({
      code: 'HOLDFAST_WORKER_NOT_READY',
      details: { field: 'setup()' },
      cause: { name: 'TypeError', message: 'No cache to be had' },
    })
  })

  test('since what it exposes are no handlers', async () => {
    const bad = await workerFile('bad-handlers.worker')
    expect(await refusal({ spawn: bad })).toMatchObject({
      code: 'HOLDFAST_WORKER_NOT_READY',
      details: { field: 'handlers', value: [] },
      cause: { code: 'HOLDFAST_INVALID_OPTION' },
    })
  })

  test('since spawn gives the same one again, which would answer for two', async () => {
    let only: Worker | undefined
    expect(await refusal({ spawn: () => (only ??= spawn()) })).toMatchObject({
      code: 'HOLDFAST_WORKER_NOT_READY',
      details: { field: 'spawn()' },
      cause: { code: 'HOLDFAST_INVALID_OPTION' },
    })
  })

  test('since spawn makes none', async () => {
    expect(await refusal({ spawn: (() => 7) as never })).toMatchObject({
      code: 'HOLDFAST_WORKER_NOT_READY',
      details: { field: 'spawn()', value: 7 },
      cause: { code: 'HOLDFAST_INVALID_OPTION' },
    })
  })
})

test('a worker of a newer version than its executor brings up what that claims, and newer jobs wait', async () => {
  const storage = memory()
  await using newer = await openQueue({ storage, jobs: [grown] })
  const { id: first } = await newer.enqueue(grown, { text: 'new', from: 2 })
  await using older = await openQueue({ storage, jobs: [grownBefore] })
  const { id: second } = await older.enqueue(grownBefore, 'old')
  await older.createExecutor({ runner: workerThreads({ spawn, size: 1 }) }).start()
  expect(await older.result(second)).toMatchObject({ result: { payload: { text: 'old', from: 1 } } })
  expect(await older.get(first)).toMatchObject({ status: 'pending', attempts: 0, fence: 0 })
})

test.each([
  ['in no worker', {}],
  ['in a page', { document: {}, postMessage: () => undefined, addEventListener: () => undefined }],
])('handlers are not exposed %s', async (_, global) => {
  expect(await problemOf(() => workerScope(global))).toEqual({
    code: 'HOLDFAST_WORKER_NOT_READY',
    field: 'exposeHandlers()',
  })
})

test('a stop while threads are being started gives them up', async () => {
  await using queue = await openQueue({ storage: memory(), jobs })
  const executor = queue.createExecutor({ runner: workerThreads({ spawn }) })
  const starting = executor.start().catch(codeOf)
  await executor.stop()
  expect(await starting).toBe('HOLDFAST_STOPPING')
  expect(executor.stats().state).toBe('idle')
  await executor.start()
  const done = firstOf(queue, ['completed'])
  const { id } = await queue.enqueue(echo, null)
  await done(id)
})

test('the state of a thread is made before its first job and disposed of when the executor stops', async () => {
  const stateful = await workerFile('state.worker')
  const said: unknown[] = []
  const heard = (): Worker =>
    stateful().on('message', (message) => {
      if (typeof message === 'string') said.push(message)
    })
  {
    await using at = await bench({ runner: workerThreads({ spawn: heard, size: 1 }), jobs })
    expect((await at.ran(checked, 'text')).status).toBe('completed')
    expect(said).toEqual(['made'])
  }
  expect(said).toEqual(['made', 'disposed of'])
})

test('of a thread only the functions of the runner can be called, and only by its own messages', async () => {
  const thread = spawn()
  const heard: unknown[] = []
  const exposed = once(thread, 'message')
  thread.on('message', (message) => heard.push(message))
  await exposed
  const attacks = [
    {
      type: 'CONSTRUCT',
      path: ['constructor', 'constructor'],
      argumentList: [{ type: 'RAW', value: 'return process' }],
    },
    { type: 'GET', path: ['open'] },
    { type: 'APPLY', path: ['open', 'constructor'], argumentList: [{ type: 'RAW', value: 'return process' }] },
    { type: 'ENDPOINT', path: [] },
    { type: 'RELEASE', path: [] },
  ]
  const close = { type: 'APPLY', path: ['close'], argumentList: [] }
  // Of another protocol on the same port even the call of a function that is there.
  for (const attack of [...attacks, close]) thread.postMessage({ id: 'attack', ...attack })
  for (const attack of attacks)
    thread.postMessage({ [MARK]: { kind: 'request', message: { id: 'attack', ...attack } } })
  const nonsense = [
    { kind: 'run' },
    { kind: 'run', runs: [null, 7] },
    { kind: 'abort' },
    { kind: 'deadlines' },
    { kind: 'tick' },
  ]
  for (const message of [null, 7, ...nonsense, { kind: 'unheard of' }]) thread.postMessage({ [MARK]: message })
  const answered = once(thread, 'message')
  thread.postMessage({ [MARK]: { kind: 'request', message: { id: 'call', ...close } } })
  await answered
  expect(heard).toMatchObject([
    { [MARK]: { kind: 'exposed' } },
    { [MARK]: { kind: 'answer', message: { id: 'call' } } },
  ])
  await thread.terminate()
})

test('options that cannot leave a worker are told with the item that they are of', async () => {
  await using at = await bench({ runner: workerThreads({ spawn }), jobs })
  const { result } = await at.ran(follows, 'many with odd options')
  expect(result).toEqual(['HOLDFAST_INVALID_OPTION', 'items[1].options'])
})

test('of an executor that has stopped no thread is left', async () => {
  const threads: Worker[] = []
  const counted = (): Worker => {
    const thread = spawn()
    threads.push(thread)
    return thread
  }
  {
    await using at = await bench({ runner: workerThreads({ spawn: counted, size: 2 }), jobs, concurrency: 2 })
    await at.ran(echo, null)
    expect(threads.map(({ threadId }) => threadId > 0)).toEqual([true, true])
  }
  // What a thread that has ended is named.
  expect(threads.map(({ threadId }) => threadId)).toEqual([-1, -1])
})

test.each([
  [{}, 'workerThreads.spawn'],
  [{ spawn, size: 0 }, 'workerThreads.size'],
  [{ spawn, jobsPerWorker: 1.5 }, 'workerThreads.jobsPerWorker'],
  [{ spawn, readyWithin: 'soon' }, 'workerThreads.readyWithin'],
  [{ spawn, threads: 2 }, 'workerThreads.threads'],
])('a wrong option is refused by its name: %o', async (options, field) => {
  expect(await problemOf(() => workerThreads(options as never))).toEqual({ code: 'HOLDFAST_INVALID_OPTION', field })
})

test.each([
  ['handlers', { handlers: [echo.handler(() => null)] }],
  ['state', { state: {} }],
  ['jobs', { jobs: [] }],
  ['runner', { runner: {} }],
])('an executor with a runner refuses: %s', async (field, options) => {
  await using queue = await openQueue({ storage: memory(), jobs })
  const runner = workerThreads({ spawn })
  expect(await problemOf(() => queue.createExecutor({ runner, ...options } as never))).toEqual({
    code: 'HOLDFAST_INVALID_OPTION',
    field,
  })
})
