import { expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import { defineJob, fixed, HoldfastError, openQueue } from '../../src/index.ts'
import type { ClaimRequest, SettleRequest } from '../../src/core/storage/contract.ts'
import { ManualClock, SharedLog, sharedStorage, testQueue } from '../../src/testing/index.ts'
import { failing, Gate, hooked, problemOf, Stage } from './doubles.ts'

const task = defineJob({ type: 'task', backoff: fixed('1s') })

type Hooks = Parameters<typeof hooked>[1]

/** An executor on a storage with hooks, and the errors its services tell. */
async function staged(hooks: Hooks, options: { concurrency?: number } = {}) {
  const inner = memory()
  const stage = new Stage()
  const { queue, clock } = await testQueue({ storage: hooked(inner, hooks) })
  const told: string[] = []
  queue.on('error', ({ service }) => told.push(service))
  const executor = queue.createExecutor({ handlers: [task.handler(stage.run)], ...options })
  return { inner, stage, queue, clock, told, executor }
}

test('a claim that failed is told and asked again', async () => {
  const { stage, queue, clock, told, executor } = await staged({ before: failing('claim', 3) })
  await queue.enqueue(task, null, { id: 'a' })
  await executor.start()
  await clock.advance('5s')
  expect(stage.running).toEqual(['a'])
  expect(told).toEqual(['claim', 'claim', 'claim'])
})

test('a claim whose answer was lost is repeated under its name and brings the same job', async () => {
  const names: string[] = []
  const { stage, queue, clock, executor } = await staged({
    before: (name, request) => name === 'claim' && names.push((request as ClaimRequest).requestId),
    after: failing('claim', 1),
  })
  await queue.enqueue(task, null, { id: 'a' })
  await executor.start()
  await clock.advance('2s')
  expect(stage.started).toEqual(['a'])
  expect(names[0]).toBe(names[1])
  expect(await queue.get('a')).toMatchObject({ status: 'running', attempts: 1 })
})

test('a settle that failed is told and repeated as it was', async () => {
  const requests: unknown[] = []
  let left = 2
  const { stage, queue, clock, told, executor } = await staged({
    before: (name, request) => {
      if (name !== 'settle') return
      requests.push((request as SettleRequest).batch)
      if (left-- > 0) throw new Error('away')
    },
  })
  await executor.start()
  await queue.enqueue(task, null, { id: 'a' })
  await clock.settle()
  stage.end('a', 'done')
  await clock.advance('1s')
  expect(await queue.get('a')).toMatchObject({ status: 'completed', result: 'done', attempts: 1 })
  expect(requests).toEqual([requests[0], requests[0], requests[0]])
  expect(told).toEqual(['settle', 'settle'])
})

test('a settle whose answer was lost counts once and is told as completed', async () => {
  const { stage, queue, clock, executor } = await staged({ after: failing('settle', 1) })
  const completed: string[] = []
  queue.on('completed', ({ job }) => completed.push(job.id))
  await executor.start()
  await queue.enqueue(task, null, { id: 'a' })
  await clock.settle()
  stage.fail('a', new Error('boom'))
  await clock.advance('10s')
  expect((await queue.get('a'))?.failures).toBe(1)
  stage.end('a')
  await clock.settle()
  expect(completed).toEqual(['a'])
})

test('while settles are repeated other outcomes join the next one', async () => {
  const batches: number[] = []
  const away = failing('settle', 2)
  const { stage, queue, clock, executor } = await staged({
    before: (name, request) => {
      if (name === 'settle') batches.push((request as SettleRequest).batch.length)
      return away(name, request)
    },
  })
  await executor.start()
  await queue.enqueueMany(['a', 'b', 'c', 'd'].map((id) => ({ job: task, options: { id } })))
  await clock.settle()
  for (const ids of [['a'], ['b'], ['c', 'd']]) {
    for (const id of ids) stage.end(id)
    await clock.settle()
  }
  await clock.advance('1s')
  expect(batches).toEqual([1, 1, 1, 2, 1])
})

test('progress of an outcome that outlives its session is stored all the same', async () => {
  let away = false
  const { stage, queue, clock, executor } = await staged({
    before: () => {
      if (away) throw new HoldfastError('HOLDFAST_STORAGE_TIMEOUT', 'away')
    },
  })
  await executor.start()
  await queue.enqueue(task, null, { id: 'a' })
  await clock.settle()
  stage.contexts.get('a')?.progress(50)
  away = true
  stage.end('a')
  const stopping = executor.stop()
  await clock.advance('11s')
  await stopping
  away = false
  await clock.advance('10s')
  expect(await queue.get('a')).toMatchObject({ status: 'completed', progress: 50 })
})

test('outcomes and the claims for the slots that fell free by them share their flushes', async () => {
  const log = new SharedLog()
  const calls: string[] = []
  const storage = hooked(sharedStorage(log), {
    before: (name) => (name === 'claim' || name === 'settle') && calls.push(name),
  })
  log.fault = () => (calls.push('|'), null)
  // On its clock a run of claims never takes too long: on the platform's own a pause of 25 ms would end it.
  const { queue } = await testQueue({ storage })
  await queue.enqueueMany(Array.from({ length: 100 }, () => ({ job: task })))
  await queue.createExecutor({ concurrency: 10, handlers: [task.handler(() => undefined)] }).processUntilIdle()
  const flushes = calls.join(' ').split(' | ').slice(4, -4)
  expect(new Set(flushes.map((names) => names.split(' ').sort().join(' ')))).toEqual(new Set(['claim settle']))
  await queue.close()
})

test('handlers that end in one turn are settled by one call', async () => {
  const batches: number[] = []
  const { stage, queue, clock, executor } = await staged({
    before: (name, request) => name === 'settle' && batches.push((request as SettleRequest).batch.length),
  })
  await executor.start()
  await queue.enqueueMany(['a', 'b', 'c', 'd'].map((id) => ({ job: task, options: { id } })))
  await clock.settle()
  for (const id of stage.running) stage.end(id)
  await clock.settle()
  expect(batches).toEqual([4])
})

test('a heartbeat that failed is told, and the next one keeps the job', async () => {
  const { stage, queue, clock, told, executor } = await staged({ before: failing('beat', 1) })
  await executor.start()
  await queue.enqueue(task, null, { id: 'a' })
  await clock.advance('20s')
  expect(told).toEqual(['heartbeat'])
  expect([stage.abortedFor('a'), (await queue.get('a'))?.status]).toEqual([null, 'running'])
})

test('a job whose session was unheard for longer than its lease is given up here', async () => {
  const { stage, queue, clock, executor } = await staged({ before: failing('beat', Infinity) })
  await executor.start()
  await queue.enqueue(task, null, { id: 'a' })
  await clock.advance('29s')
  expect(stage.contexts.get('a')?.signal.aborted).toBe(false)
  await clock.advance('12s')
  expect(stage.abortedFor('a')).toBe('HOLDFAST_LEASE_LOST')
  expect(executor.stats().lost).toBe(1)
})

test('an executor whose session was ended loses its jobs and goes on with a new one', async () => {
  const { inner, stage, queue, clock, executor } = await staged({}, { concurrency: 2 })
  const lost: string[] = []
  queue.on('lost', ({ job }) => lost.push(job.id))
  await executor.start()
  await queue.enqueue(task, null, { id: 'a' })
  await clock.settle()
  const [session] = await inner.sessions()
  await inner.amend({ batch: [{ kind: 'forceRelease', session: session?.id ?? '' }], now: clock.now() })
  const first = stage.contexts.get('a')
  await clock.advance('11s')
  expect([lost, first?.signal.aborted]).toEqual([['a'], true])
  expect(stage.started).toEqual(['a', 'a'])
  expect(await queue.get('a')).toMatchObject({ status: 'running', interruptions: 1 })
})

test('the outcome of a lost attempt changes nothing, and the next attempt counts', async () => {
  const { inner, stage, queue, clock, executor } = await staged({})
  await executor.start()
  await queue.enqueue(task, null, { id: 'a' })
  await clock.settle()
  const stale = stage.contexts.get('a')
  await inner.amend({ batch: [{ kind: 'forceRelease', session: (await inner.sessions())[0]?.id ?? '' }], now: 0 })
  stage.end('a', 'stale')
  await clock.settle()
  expect(await queue.get('a')).toMatchObject({ result: null })
  expect(executor.stats()).toMatchObject({ completed: 0, lost: 1 })
  expect(stale?.fence).toBeLessThan((await queue.get('a'))?.fence ?? 0)
})

test('an error that nobody listens to is reported, none is swallowed', async () => {
  const { queue, clock } = await testQueue({ storage: hooked(memory(), { before: failing('claim', 1) }) })
  await queue.createExecutor({ handlers: [task.handler(() => null)] }).start()
  await clock.settle()
  expect(clock.reported).toHaveLength(1)
})

test('a listener that throws is reported and disturbs nobody', async () => {
  const { stage, queue, clock, executor } = await staged({})
  const heard: string[] = []
  queue.on('completed', () => {
    throw new HoldfastError('HOLDFAST_STORAGE', 'from a listener')
  })
  queue.on('completed', ({ job }) => heard.push(job.id))
  await executor.start()
  await queue.enqueue(task, null, { id: 'a' })
  await clock.settle()
  stage.end('a')
  await clock.settle()
  expect([heard, clock.reported.length]).toEqual([['a'], 1])
})

test('stats tell what was done and what is under way', async () => {
  const { stage, queue, clock, executor } = await staged({}, { concurrency: 3 })
  expect(executor.stats()).toMatchObject({ state: 'idle', running: 0, free: 3, claimed: 0 })
  await executor.start()
  await queue.enqueueMany(['a', 'b', 'c'].map((id) => ({ job: task, options: { id, maxRetries: id === 'c' ? 0 : 3 } })))
  await clock.settle()
  expect(executor.stats()).toMatchObject({ state: 'running', running: 3, free: 0, claimed: 3 })
  stage.end('a')
  stage.fail('b', new Error('boom'))
  stage.fail('c', new Error('boom'))
  await clock.settle()
  expect(executor.stats()).toMatchObject({
    running: 0,
    free: 3,
    completed: 1,
    retried: 1,
    failed: 1,
    unacknowledged: 0,
  })
})

test.each([
  [{ handlers: [] }, 'handlers'],
  [{ handlers: 'task' }, 'handlers'],
  [{ handlers: [() => null] }, 'handlers[0]'],
  [{ handlers: [task.handler(() => null)], concurrency: 0 }, 'concurrency'],
  [{ handlers: [task.handler(() => null)], concurrency: 1.5 }, 'concurrency'],
  [{ handlers: [task.handler(() => null)], killGrace: -1 }, 'killGrace'],
  [{ handlers: [task.handler(() => null)], slots: 3 }, 'createExecutor.slots'],
])('createExecutor(%j) is refused, naming the field', async (options, field) => {
  const { queue } = await testQueue()
  expect(await problemOf(() => queue.createExecutor(options as never))).toEqual({
    code: 'HOLDFAST_INVALID_OPTION',
    field,
  })
})

test('two handlers of one type are refused', async () => {
  const { queue } = await testQueue()
  const handlers = [task.handler(() => 1), task.handler(() => 2)]
  const problem = { code: 'HOLDFAST_DUPLICATE_JOB', field: 'handlers' }
  expect(await problemOf(() => queue.createExecutor({ handlers }))).toEqual(problem)
})

test('an outcome that the storage refuses for good fails its job; those beside and behind it complete', async () => {
  const { stage, queue, clock, executor } = await staged({
    before: (name, request) => {
      const batch = name === 'settle' ? (request as SettleRequest).batch : []
      if (batch.some(({ id, kind }) => id === 'b' && kind === 'complete'))
        throw new HoldfastError('HOLDFAST_PAYLOAD_TOO_LARGE', 'more than a row may hold')
    },
  })
  const failed: unknown[] = []
  queue.on('failed', ({ job, error }) => failed.push([job.id, job.status, error.code]))
  await queue.enqueueMany(['a', 'b', 'c'].map((id) => ({ job: task, options: { id } })))
  await executor.start()
  await clock.settle()
  for (const id of ['a', 'b', 'c']) stage.end(id)
  await clock.settle()
  expect(failed).toEqual([['b', 'failed', 'HOLDFAST_PAYLOAD_TOO_LARGE']])
  expect(await queue.counts()).toMatchObject({ completed: 2, failed: 1 })
  expect(executor.stats()).toMatchObject({ completed: 2, failed: 1, unacknowledged: 0 })
  await executor.stop()
})

test('a heartbeat that learns late of an ended session does not end the one that followed it', async () => {
  const gate = new Gate()
  let ended = false
  const { inner, stage, queue, clock, executor } = await staged({
    before: async (name) => {
      if (name !== 'beat' || ended) return
      ended = true
      const [session] = await inner.sessions()
      await inner.session({ close: session?.id ?? '', now: 0 })
    },
    // Before the answer comes a claim has found out too, and taken a job.
    after: (name) => (name === 'beat' ? gate.promise : undefined),
  })
  await executor.start()
  await clock.advance('12s')
  await queue.enqueue(task, null, { id: 'a' })
  await clock.settle()
  expect([ended, stage.running]).toEqual([true, ['a']])
  gate.open()
  await clock.settle()
  expect(stage.abortedFor('a')).toBe(null)
  expect(await inner.sessions()).toHaveLength(1)
})

test('a start that fails half way leaves nothing behind that runs', async () => {
  const clock = new ManualClock()
  const failure = new Error('no conditions here')
  let broken = true
  const { onConditionsChange } = clock
  const environment = Object.assign(clock, {
    onConditionsChange: (listener: () => void) => {
      if (broken) throw failure
      return onConditionsChange(listener)
    },
  })
  let beats = 0
  const inner = memory()
  const storage = hooked(inner, { before: (name) => name === 'beat' && beats++ })
  const queue = await openQueue({ storage, environment })
  const executor = queue.createExecutor({ handlers: [task.handler(() => null)] })
  await expect(executor.start()).rejects.toBe(failure)
  expect(await inner.sessions()).toEqual([])
  await clock.advance('1m')
  expect(beats).toBe(0)
  broken = false
  await executor.start()
  expect(executor.stats().state).toBe('running')
  await queue.close()
})
