import { describe, expect, test, vi } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import type { StorageAdapter } from '../../src/core/storage/contract.ts'
import { LoggedStorage } from '../../src/core/storage/logged-storage.ts'
import { defineJob, type HandlerFunction, openQueue } from '../../src/index.ts'
import {
  type AskedBy,
  drain,
  onMessage,
  onSync,
  type PagePlatform,
  registerBackgroundSync,
  SYNC_TAG,
  type WorkerRegistration,
} from '../../src/runtimes/browser/service-worker/index.ts'
import { ManualClock, SharedLog, sharedStorage, testQueue } from '../../src/testing/index.ts'
import { codeOf, outcome, problemOf, Stage, untilAborted } from '../core/doubles.ts'

const upload = defineJob({ type: 'upload', requires: 'online', timeout: '1h' })
const local = defineJob({ type: 'local', timeout: '1h' })

/** A queue, and what a service worker would hand over to drain it. */
async function worker(run: HandlerFunction<unknown>) {
  const { queue, clock } = await testQueue()
  return { queue, clock, options: { queue, handlers: [upload.handler(run), local.handler(run)] } }
}

describe('drain', () => {
  test('runs what is due and answers how much it was', async () => {
    const { queue, clock, options } = await worker(() => 'done')
    await queue.enqueueMany([{ job: upload }, { job: local }, { job: local, options: { delay: '1h' } }])
    expect(await drain(options)).toEqual({ done: 2, left: 0, nextRunAt: clock.now() + 3_600_000 })
    expect(await queue.counts()).toMatchObject({ completed: 2, scheduled: 1 })
  })

  test('an empty queue is done at once', async () => {
    const { options } = await worker(() => 'done')
    expect(await drain(options)).toEqual({ done: 0, left: 0, nextRunAt: null })
  })

  test('counts jobs that failed for good or were cancelled as done, and those that go on as neither', async () => {
    const { queue, clock, options } = await worker((_, { job, queue: own }) =>
      job.id === 'b' ? own.cancel('b') : Promise.reject(new Error('boom')),
    )
    await queue.enqueue(local, null, { id: 'a', maxRetries: 0 })
    await queue.enqueue(local, null, { id: 'c' })
    expect(await drain(options)).toEqual({ done: 1, left: 0, nextRunAt: clock.now() + 5000 })
  })

  test('takes the promise of a queue, as a worker that may not wait has it', async () => {
    const queue = openQueue({ storage: memory(), environment: new ManualClock() })
    await (await queue).enqueue('local', null)
    expect(await drain({ queue, handlers: [local.handler(() => null)] })).toMatchObject({ done: 1 })
  })

  test('opens the queue itself, once for all drains, and anew after an opening that failed', async () => {
    const storage = memory()
    const page = await openQueue({ storage })
    let openings = 0
    const queue = async () => {
      openings += 1
      if (openings === 1) throw new Error('the database process has ended')
      return openQueue({ storage })
    }
    const handlers = [local.handler(() => null)]
    await page.enqueue('local', null)
    await expect(drain({ queue, handlers })).rejects.toThrow('the database process has ended')
    expect(await drain({ queue, handlers })).toMatchObject({ done: 1 })
    await page.enqueue('local', null)
    expect(await drain({ queue, handlers })).toMatchObject({ done: 1 })
    expect(openings).toBe(2)
  })

  test('at the deadline running handlers are aborted and given back, counted as nothing', async () => {
    const { queue, clock, options } = await worker(untilAborted)
    await queue.enqueue(local, null, { id: 'a' })
    const drained = outcome(drain(options))
    await clock.advance(24_999)
    expect(drained.now).toBe('waiting')
    await clock.advance(1)
    expect(drained.now).toEqual({ done: 0, left: 1, nextRunAt: clock.now() })
    expect(await queue.get('a')).toMatchObject({ status: 'pending', attempts: 0, failures: 0, history: [] })
  })

  test('a handler that does not heed its signal is given back a second later', async () => {
    const stage = new Stage()
    const { queue, clock, options } = await worker(stage.run)
    await queue.enqueue(local, null, { id: 'a' })
    const drained = outcome(drain({ ...options, deadline: '10s' }))
    await clock.advance('10s')
    expect([stage.abortedFor('a'), drained.now]).toEqual(['HOLDFAST_STOPPING', 'waiting'])
    await clock.advance('1s')
    expect(drained.now).toMatchObject({ done: 0, left: 1 })
  })

  test('what has to wait for the network is left', async () => {
    const { queue, clock, options } = await worker(() => 'done')
    clock.setConditions([])
    await queue.enqueueMany([{ job: upload }, { job: local }])
    expect(await drain(options)).toMatchObject({ done: 1, left: 1 })
  })

  test('jobs of others are not left', async () => {
    const { queue, options } = await worker(() => 'done')
    await queue.enqueue(defineJob({ type: 'other' }), null)
    expect(await drain(options)).toMatchObject({ done: 0, left: 0, nextRunAt: null })
  })

  test('drains that overlap run each job once', async () => {
    const runs: string[] = []
    const { queue, options } = await worker((_, { job }) => runs.push(job.id))
    await queue.enqueueMany(Array.from({ length: 50 }, () => ({ job: local })))
    const drained = await Promise.all([drain(options), drain(options)])
    expect([runs.length, new Set(runs).size]).toEqual([50, 50])
    expect(drained.reduce((sum, { done }) => sum + done, 0)).toBe(50)
  })

  test('refuses bad options, and those of createExecutor', async () => {
    const { options } = await worker(() => null)
    const problem = async (more: object) => problemOf(() => drain({ ...options, ...more }))
    expect(await problem({ deadline: -1 })).toEqual({ code: 'HOLDFAST_INVALID_OPTION', field: 'drain.deadline' })
    expect(await problem({ bogus: 1 })).toEqual({ code: 'HOLDFAST_INVALID_OPTION', field: 'drain.bogus' })
    expect(await problem({ concurrency: 0 })).toEqual({ code: 'HOLDFAST_INVALID_OPTION', field: 'concurrency' })
  })
})

test('the payloads of jobs that wait are not read: they may be more than a worker has memory for', async () => {
  const log = new SharedLog()
  const clock = new ManualClock()
  const page = await openQueue({ storage: sharedStorage(log), environment: clock })
  await page.enqueueMany(
    ['a', 'b'].map((id) => ({ job: upload, payload: id.repeat(20_000), options: { id, delay: '1h' } })),
  )
  const read: string[] = []
  const readChunks = log.readChunks.bind(log)
  log.readChunks = (keys) => {
    read.push(...keys)
    return readChunks(keys)
  }
  const queue = await openQueue({ storage: sharedStorage(log), environment: clock })
  const asked: AskedBy[] = []
  registerBackgroundSync({ queue, platform: {}, onAsked: (by) => void asked.push(by) })
  await clock.settle()
  expect(await drain({ queue, handlers: [upload.handler(() => 'done')] })).toMatchObject({ done: 0, left: 0 })
  expect([asked, read]).toEqual([['nobody'], []])
  await queue.close()
})

describe('onSync', () => {
  test('resolves when nothing is left to do now', async () => {
    const { queue, options } = await worker(() => 'done')
    await queue.enqueueMany([{ job: upload }, { job: upload, options: { delay: '1h' } }])
    expect(await onSync(options)).toMatchObject({ done: 1, left: 0 })
  })

  test.each([
    [
      'a job is due that the network keeps waiting',
      (clock: ManualClock): void => clock.setConditions([]),
      () => 'done',
    ],
    ['a job did not reach the network', () => undefined, () => Promise.reject(new TypeError('Failed to fetch'))],
    ['a job waits for its next try', () => undefined, () => Promise.reject(new Error('503'))],
  ])('rejects when %s', async (_, prepare, run) => {
    const { queue, clock, options } = await worker(run)
    prepare(clock)
    await queue.enqueue(upload, null)
    expect(await onSync(options).catch(codeOf)).toBe('HOLDFAST_WORK_LEFT')
  })

  test('does not ask for another event because of jobs that have expired', async () => {
    const { queue, clock, options } = await worker(() => 'done')
    await queue.enqueue(upload, null, { id: 'a', expireAfter: '1m' })
    await clock.advance('2m')
    expect(await onSync(options)).toMatchObject({ done: 0, left: 0 })
    await clock.advance('2s')
    await onSync(options)
    expect(await queue.get('a')).toMatchObject({ status: 'failed', error: { code: 'HOLDFAST_EXPIRED' } })
  })
})

describe('onMessage', () => {
  const event = (data: unknown) => ({ data, waitUntil: vi.fn<(work: Promise<unknown>) => void>() })

  test('drains when a page asks for it, and tells so', async () => {
    const { queue, options } = await worker(() => 'done')
    await queue.enqueue(local, null)
    const asked = event({ holdfast: 'drain', tag: SYNC_TAG })
    expect(onMessage(asked, options)).toBe(true)
    expect(await asked.waitUntil.mock.calls[0]?.[0]).toMatchObject({ done: 1 })
  })

  test.each([null, 'drain', { holdfast: 'other', tag: SYNC_TAG }, { holdfast: 'drain', tag: 'other' }, { a: 1 }])(
    'leaves %j alone',
    async (data) => {
      const { options } = await worker(() => 'done')
      const other = event(data)
      expect(onMessage(other, options)).toBe(false)
      expect(other.waitUntil).not.toHaveBeenCalled()
    },
  )
})

/** A window whose service worker has Background Sync, or has it switched off, or has none. */
async function page(
  sync: 'works' | 'is refused' | 'is absent' | 'has no worker' = 'works',
  { tag, storage = memory() }: { tag?: string; storage?: StorageAdapter } = {},
) {
  const { queue, clock } = await testQueue({ storage })
  const calls: string[] = []
  const asked: AskedBy[] = []
  const listeners = new Map<string, () => void>()
  const source = {
    addEventListener: (type: string, listener: () => void) => void listeners.set(type, listener),
    removeEventListener: (type: string) => void listeners.delete(type),
  }
  const register = async (name: string): Promise<void> => {
    calls.push(`sync ${name}`)
    if (sync === 'is refused') throw new Error('NotAllowedError')
  }
  const registration: WorkerRegistration = {
    active: { postMessage: (message) => calls.push(`message ${JSON.stringify(message)}`) },
    ...(sync === 'is absent' ? {} : { sync: { register } }),
  }
  const document = { ...source, visibilityState: 'visible' }
  const serviceWorker = { ready: Promise.resolve(registration) }
  const platform: PagePlatform = {
    ...source,
    document,
    navigator: sync === 'has no worker' ? {} : { serviceWorker },
  }
  const start = () =>
    registerBackgroundSync({
      ...{ queue, platform, onAsked: (by) => void asked.push(by) },
      ...(tag === undefined ? {} : { tag }),
    })
  return { queue, clock, calls, asked, document, listeners, start, fire: (type: string) => listeners.get(type)?.() }
}

const MESSAGE = 'message {"holdfast":"drain","tag":"holdfast"}'

describe('registerBackgroundSync', () => {
  test('registers a sync once a job that requires the network is stored, and for no other', async () => {
    const { queue, clock, calls, asked, start } = await page()
    start()
    await queue.enqueue(local, null)
    await clock.settle()
    expect(calls).toEqual([])
    await queue.enqueue(upload, null)
    await clock.settle()
    expect([calls, asked]).toEqual([['sync holdfast'], ['sync']])
  })

  test.each<[string, (made: Awaited<ReturnType<typeof page>>) => Promise<unknown>]>([
    [
      'the chain of a job that does not',
      async ({ queue, clock }) => {
        await queue.enqueue(local, null)
        await drain({
          queue,
          handlers: [local.handler((_, { onComplete }) => onComplete.enqueue(upload, null, { delay: '1m' }))],
        })
        await clock.settle()
      },
    ],
    [
      'an automation',
      async ({ queue }) => {
        await queue.automate({ name: 'sent', on: 'insert:photos', enqueue: { job: upload, payload: null } })
        await queue.emit('insert:photos', {})
      },
    ],
    [
      '`retry`',
      async ({ queue, calls }) => {
        await queue.enqueue(upload, null, { id: 'a' })
        await queue.cancel('a')
        calls.length = 0
        await queue.retry(['a'])
      },
    ],
    [
      'an attempt in the page that is to be made again',
      async ({ queue, clock, calls }) => {
        await queue.enqueue(upload, null, { id: 'a' })
        await clock.settle()
        calls.length = 0
        await drain({ queue, handlers: [upload.handler(() => Promise.reject(new Error('503')))] })
      },
    ],
  ])('registers a sync for a job that requires the network by %s', async (_, make) => {
    const made = await page()
    made.start()
    await made.clock.settle()
    await make(made)
    await made.clock.settle()
    expect(made.calls).toEqual(['sync holdfast'])
  })

  test('hears of what others store, and leaves their attempts to them', async () => {
    const log = new SharedLog()
    const traits = { durable: true, scope: 'origin', payload: 'json', transactions: false } as const
    const [own, others] = ['own', 'others'].map(
      (writer) => new LoggedStorage({ name: writer, traits, log: log.handle(), writer }),
    )
    const { clock, calls, start } = await page('works', { storage: own as StorageAdapter })
    start()
    await clock.settle()
    const worker = await openQueue({ storage: others as StorageAdapter, environment: clock })
    await worker.enqueue(upload, null)
    await clock.settle()
    expect(calls).toEqual(['sync holdfast'])
    await onSync({ queue: worker, handlers: [upload.handler(() => Promise.reject(new Error('503')))] }).catch(codeOf)
    await clock.settle()
    expect(calls).toEqual(['sync holdfast'])
  })

  test('registers nothing for what waits by now no longer', async () => {
    const { queue, clock, calls, start } = await page()
    start()
    await clock.settle()
    const stored = queue.enqueue(upload, null, { id: 'a' })
    const cancelled = queue.cancel('a')
    await Promise.all([stored, cancelled])
    await clock.settle()
    expect(calls).toEqual([])
  })

  test('changes that were missed are looked for', async () => {
    const { queue, clock, calls, start } = await page()
    start()
    await clock.settle()
    // More at once than anybody keeps of them.
    await queue.enqueueMany([{ job: upload }, ...Array.from({ length: 20_000 }, () => ({ job: local }))])
    await clock.settle()
    expect(calls.filter((call) => call.startsWith('sync'))).toEqual(['sync holdfast'])
  })

  test('jobs stored together are one registration', async () => {
    const { queue, clock, calls, start } = await page('works', { tag: 'photos' })
    start()
    // What it looks for at first is over.
    await clock.settle()
    await queue.enqueueMany(Array.from({ length: 10 }, () => ({ job: upload })))
    await clock.settle()
    expect(calls).toEqual(['sync photos'])
  })

  test.each([
    ['is refused', ['sync holdfast', MESSAGE], 'message'],
    ['is absent', [MESSAGE], 'message'],
    ['has no worker', [], 'nobody'],
  ] as const)('where Background Sync %s, it is found out by trying', async (sync, expected, by) => {
    const { queue, clock, calls, asked, start } = await page(sync)
    start()
    // What it looks for at first is over.
    await clock.settle()
    await queue.enqueue(upload, null)
    await clock.settle()
    expect([calls, asked]).toEqual([expected, [by]])
  })

  test('asks at page load, when online and when visible, by message too, if such a job waits', async () => {
    const { queue, clock, calls, document, start, fire } = await page()
    await queue.enqueue(upload, null)
    const asked = async (event: () => void): Promise<readonly string[]> => {
      calls.length = 0
      event()
      await clock.settle()
      return [...calls]
    }
    const both = ['sync holdfast', MESSAGE]
    expect(await asked(start)).toEqual(both)
    expect(await asked(() => fire('online'))).toEqual(both)
    expect(await asked(() => fire('visibilitychange'))).toEqual(both)
    document.visibilityState = 'hidden'
    expect(await asked(() => fire('visibilitychange'))).toEqual([])
    await drain({ queue, handlers: [upload.handler(() => null)] })
    expect(await asked(() => fire('online'))).toEqual([])
  })

  test('ends when it is told to', async () => {
    const { queue, clock, calls, listeners, start } = await page()
    const end = start()
    end()
    await queue.enqueue(upload, null)
    await clock.settle()
    expect([calls, listeners.size]).toEqual([[], 0])
  })

  test('a storage that cannot be asked is reported', async () => {
    const { queue, clock, start } = await page()
    await queue.close()
    start()
    await clock.settle()
    expect(clock.reported.map(codeOf)).toEqual(['HOLDFAST_QUEUE_CLOSED'])
  })

  test('a platform without any of it is left alone', async () => {
    const { queue, clock } = await testQueue()
    const asked: AskedBy[] = []
    registerBackgroundSync({ queue, platform: {}, onAsked: (by) => void asked.push(by) })
    // What it looks for at first is over.
    await clock.settle()
    await queue.enqueue(upload, null)
    await clock.settle()
    expect([asked, clock.reported]).toEqual([['nobody'], []])
  })

  test('refuses bad options', async () => {
    const { queue } = await testQueue()
    const problem = await problemOf(() => registerBackgroundSync({ queue, tag: '' }))
    expect(problem).toEqual({ code: 'HOLDFAST_INVALID_OPTION', field: 'registerBackgroundSync.tag' })
  })
})
