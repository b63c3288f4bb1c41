import { describe, expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import { defineJob, type Executor, type JobQueue } from '../../src/index.ts'
import { testQueue } from '../../src/testing/index.ts'
import { codeOf, failing, Gate, hooked, outcome, problemOf, Stage, untilAborted } from './doubles.ts'

const task = defineJob({ type: 'task', maxRetries: 0 })

async function failed() {
  let boom = true
  const handler = task.handler(() => {
    if (boom) throw new Error('boom')
    return 'done'
  })
  const made = await testQueue({ handlers: [handler] })
  await made.queue.enqueue(task, null, { id: 'a' })
  await made.drain()
  boom = false
  return made
}

describe('cancel', () => {
  test('of a waiting job cancels it at once', async () => {
    const { queue, drain, clock } = await testQueue({ handlers: [task.handler(() => null)] })
    await queue.enqueue(task, null, { id: 'a', delay: '1h' })
    const job = await queue.cancel('a', 'user left')
    expect(job).toMatchObject({ status: 'cancelled', cancelReason: 'user left', finishedAt: clock.now() })
    await clock.advance('2h')
    expect(await drain()).toBe(0)
  })

  test('of a running job leaves it running until its handler ends', async () => {
    const stage = new Stage()
    const { queue, clock } = await testQueue()
    await queue.createExecutor({ handlers: [task.handler(stage.run)] }).start()
    await queue.enqueue(task, null, { id: 'a' })
    await clock.settle()
    expect((await queue.cancel('a'))?.status).toBe('running')
    stage.fail('a', stage.contexts.get('a')?.signal.reason)
    await clock.settle()
    expect((await queue.get('a'))?.status).toBe('cancelled')
  })

  test('of a job that has ended, or is not there, is null and changes nothing', async () => {
    const { queue } = await failed()
    const before = await queue.get('a')
    expect([await queue.cancel('a'), await queue.cancel('nobody')]).toEqual([null, null])
    expect(await queue.get('a')).toEqual(before)
  })

  test('frees the key of the job', async () => {
    const { queue } = await testQueue()
    const { id } = await queue.enqueue(task, null, { jobKey: 'key' })
    await queue.cancel(id)
    expect((await queue.enqueue(task, null, { jobKey: 'key' })).disposition).toBe('created')
  })

  test.each([
    ['', 'why', 'id'],
    ['a', '', 'reason'],
    ['a', 42, 'reason'],
  ])('refuses cancel(%j, %j), naming the field', async (id, reason, field) => {
    const { queue } = await testQueue()
    const problem = await problemOf(() => queue.cancel(id, reason as string))
    expect(problem).toEqual({ code: 'HOLDFAST_INVALID_OPTION', field })
  })
})

describe('retry', () => {
  test('makes a failed job due at once: counters at 0, history and fence kept', async () => {
    const { queue, drain } = await failed()
    const before = await queue.get('a')
    const [job] = await queue.retry(['a'])
    expect(job).toMatchObject({ status: 'pending', attempts: 0, failures: 0, fence: before?.fence, error: null })
    expect(job?.history).toEqual(before?.history)
    expect(await drain()).toBe(1)
    const after = await queue.get('a')
    expect(after).toMatchObject({ status: 'completed', result: 'done', attempts: 1 })
    expect(after?.history).toHaveLength(2)
    expect(after?.fence).toBeGreaterThan(before?.fence ?? Infinity)
  })

  test('of a cancelled job runs it after all', async () => {
    const { queue, drain } = await testQueue({ handlers: [task.handler(() => 'done')] })
    await queue.enqueue(task, null, { id: 'a' })
    await queue.cancel('a')
    await queue.retry(['a'])
    await drain()
    expect(await queue.get('a')).toMatchObject({ status: 'completed', cancelReason: null })
  })

  test('answers those it changed and leaves the others', async () => {
    const { queue, drain } = await testQueue({ handlers: [task.handler(() => 'done')] })
    await queue.enqueue(task, null, { id: 'completed' })
    await drain()
    await queue.enqueue(task, null, { id: 'later', delay: '1h' })
    const jobs = await queue.retry(['completed', 'nobody', 'later'])
    expect(jobs.map(({ id, status }) => [id, status])).toEqual([['later', 'pending']])
    expect((await queue.get('completed'))?.status).toBe('completed')
  })

  test.each([
    ['a', 'ids'],
    [[''], 'ids[0]'],
    [[1], 'ids[0]'],
  ])('refuses retry(%j), naming the field', async (ids, field) => {
    const { queue } = await testQueue()
    const problem = await problemOf(() => queue.retry(ids as string[]))
    expect(problem).toEqual({ code: 'HOLDFAST_INVALID_OPTION', field })
  })
})

describe('after close', () => {
  const uses: Record<string, (queue: JobQueue) => unknown> = {
    enqueue: (queue) => queue.enqueue(task, null),
    enqueueMany: (queue) => queue.enqueueMany([{ job: task }]),
    get: (queue) => queue.get('a'),
    list: (queue) => queue.list().page(),
    counts: (queue) => queue.counts(),
    result: (queue) => queue.result('a'),
    cancel: (queue) => queue.cancel('a'),
    retry: (queue) => queue.retry(['a']),
    reschedule: (queue) => queue.reschedule(['a'], { priority: 1 }),
    complete: (queue) => queue.complete(['a']),
    fail: (queue) => queue.fail(['a'], 'by hand'),
    remove: (queue) => queue.remove({ jobKey: 'key' }),
    forceRelease: (queue) => queue.forceRelease(['session']),
    cleanup: (queue) => queue.cleanup(),
    sessions: (queue) => queue.sessions(),
    pause: (queue) => queue.pause({ all: true }),
    resume: (queue) => queue.resume({ all: true }),
    pauses: (queue) => queue.pauses(),
    automate: (queue) => queue.automate({ name: 'welcome', on: 'insert:users', enqueue: { job: 'task' } }),
    automations: (queue) => queue.automations(),
    enableAutomation: (queue) => queue.enableAutomation('welcome', false),
    removeAutomation: (queue) => queue.removeAutomation('welcome'),
    emit: (queue) => queue.emit('insert:users', { id: 1 }),
    dump: (queue) => queue.dump(),
    health: (queue) => queue.health(),
    storageStatus: (queue) => queue.storageStatus(),
    requestPersistence: (queue) => queue.requestPersistence(),
    idle: (queue) => queue.idle(),
    events: (queue) => queue.events(),
    createExecutor: (queue) => queue.createExecutor({ handlers: [task.handler(() => null)] }),
  }

  test('the uses are all that there are', async () => {
    const { queue } = await testQueue()
    const methods = new Set<string>()
    for (let of: object = queue; of !== Object.prototype; of = Object.getPrototypeOf(of) as object)
      // What checks now and acts later is for AQL, and what acts at once is made of it.
      for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(of)))
        if (typeof value === 'function' && name !== 'constructor' && !/^to[A-Z]/.test(name)) methods.add(name)
    const internal = ['open', 'takesJobs', 'store', 'from', 'emitFrom', 'wakeExecutors', 'watchStorage']
    // Listening asks for nothing, and who closes again waits for the same end.
    for (const name of [...internal, 'on', 'close']) methods.delete(name)
    expect([...methods].sort()).toEqual(Object.keys(uses).sort())
  })

  test.each(Object.entries(uses))('%s is a typed error', async (_, use) => {
    const { queue } = await testQueue()
    await queue.close()
    expect((await problemOf(() => use(queue))).code).toBe('HOLDFAST_QUEUE_CLOSED')
  })

  test('a closing queue takes nothing any more', async () => {
    const storage = memory()
    const { queue } = await testQueue({ storage })
    const closing = queue.close()
    expect((await problemOf(() => queue.enqueue(task, null, { id: 'a' }))).code).toBe('HOLDFAST_QUEUE_CLOSED')
    await closing
    await storage.open()
    expect(await storage.get(['a'])).toEqual([null])
  })

  test.each([
    ['started', (executor: Executor) => executor.start()],
    ['told to process until idle', (executor: Executor) => executor.processUntilIdle()],
  ])('an executor of a closed queue cannot be %s, whether it ran before or not', async (_, use) => {
    const { queue } = await testQueue()
    const executors = [1, 2].map(() => queue.createExecutor({ handlers: [task.handler(() => null)] }))
    await executors[0]?.start()
    await queue.close()
    for (const executor of executors) {
      expect((await problemOf(() => use(executor))).code).toBe('HOLDFAST_QUEUE_CLOSED')
      expect(executor.stats()).toMatchObject({ state: 'idle', running: 0 })
    }
  })

  test('a second close waits for the first', async () => {
    const { queue } = await testQueue()
    await Promise.all([queue.close(), queue.close()])
    await expect(queue.close()).resolves.toBeUndefined()
  })

  test('a close with a shorter grace brings a first one forward', async () => {
    const { queue, clock } = await testQueue()
    await queue.createExecutor({ handlers: [task.handler(untilAborted)] }).start()
    await queue.enqueue(task, null, { id: 'a' })
    await clock.settle()
    const first = outcome(queue.close({ grace: '1m' }))
    await clock.advance('10s')
    const second = outcome(queue.close({ grace: 0 }))
    await clock.settle()
    expect([first.now, second.now]).toEqual([undefined, undefined])
  })

  test('one that failed can be called again', async () => {
    const storage = hooked(memory(), { before: failing('close', 1) })
    const { queue } = await testQueue({ storage })
    await expect(queue.close()).rejects.toThrow('The storage is away')
    expect((await problemOf(() => queue.counts())).code).toBe('HOLDFAST_QUEUE_CLOSED')
    await expect(queue.close()).resolves.toBeUndefined()
    expect((await problemOf(() => storage.counts({ now: 0 }))).code).toBe('HOLDFAST_STORAGE_CLOSED')
  })

  test('while it waits for handlers they may still use the queue, and nothing new is started', async () => {
    const stage = new Stage()
    const storage = memory()
    const { queue, clock } = await testQueue({ storage })
    await queue.createExecutor({ handlers: [task.handler(stage.run)] }).start()
    await queue.enqueue(task, null, { id: 'a' })
    await clock.settle()
    const closing = queue.close()
    await stage.contexts.get('a')?.queue.enqueue(task, null, { id: 'child' })
    const another = (): unknown => queue.createExecutor({ handlers: [task.handler(stage.run)] })
    expect((await problemOf(another)).code).toBe('HOLDFAST_QUEUE_CLOSED')
    stage.end('a')
    await closing
    await storage.open()
    expect(await storage.get(['a', 'child'])).toMatchObject([{ state: 'completed' }, { state: 'waiting', attempts: 0 }])
  })

  test.each(['enqueue', 'enqueueMany'])('%s whose schema answers afterwards is refused', async (call) => {
    const gate = new Gate<{ value: null }>()
    const slow = defineJob({
      type: 'slow',
      payload: { '~standard': { version: 1, vendor: 'test', validate: () => gate.promise } },
    })
    const { queue } = await testQueue()
    const storing = call === 'enqueue' ? queue.enqueue(slow, null) : queue.enqueueMany([{ job: slow, payload: null }])
    const refused = storing.catch(codeOf)
    await queue.close()
    gate.open({ value: null })
    expect(await refused).toBe('HOLDFAST_QUEUE_CLOSED')
  })

  test.each(['a page', 'an iteration'])('%s of a list that was made before is a typed error', async (kind) => {
    const { queue } = await testQueue()
    await queue.enqueueMany([{ job: task }, { job: task }])
    const list = queue.list()
    await queue.close()
    const read = kind === 'a page' ? list.page() : list[Symbol.asyncIterator]().next()
    expect((await problemOf(() => read)).code).toBe('HOLDFAST_QUEUE_CLOSED')
  })

  test('a bad grace is a typed error and closes nothing', async () => {
    const { queue } = await testQueue()
    const problem = await problemOf(() => queue.close({ grace: '-1s' as '1s' }))
    expect(problem.code).toBe('HOLDFAST_INVALID_OPTION')
    expect(await queue.counts()).toMatchObject({ pending: 0 })
  })

  test('an enqueue under way when the queue is closed is stored', async () => {
    const storage = memory()
    const { queue } = await testQueue({ storage })
    const storing = queue.enqueue(task, null, { id: 'a' })
    await queue.close()
    expect((await storing).id).toBe('a')
    await storage.open()
    expect(await storage.get(['a'])).toMatchObject([{ state: 'waiting' }])
  })

  test('the queue closes when it goes out of scope', async () => {
    const { queue } = await testQueue()
    await queue[Symbol.asyncDispose]()
    expect((await problemOf(() => queue.counts())).code).toBe('HOLDFAST_QUEUE_CLOSED')
  })
})
