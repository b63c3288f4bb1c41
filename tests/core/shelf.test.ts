import { describe, expect, test } from 'vitest'
import type { LoggedStorage } from '../../src/core/storage/logged-storage.ts'
import { openQueue } from '../../src/index.ts'
import { type Fault, newJob, SharedLog, sharedStorage } from '../../src/testing/index.ts'
import { allJobs, NOW } from './kit-targets.ts'

const large = (letter: string): string => letter.repeat(20_000)

async function opened(log = new SharedLog()): Promise<{ log: SharedLog; storage: LoggedStorage }> {
  const storage = sharedStorage(log)
  await storage.open()
  return { log, storage }
}

function enqueue(storage: LoggedStorage, id: string, payload: unknown, more: object = {}): Promise<unknown> {
  return storage.enqueue({ jobs: [newJob({ id, payload, ...more })], now: NOW })
}

async function claim(storage: LoggedStorage, requestId = 'r'): Promise<readonly string[]> {
  await storage.session({ open: 's', leaseDuration: 30_000, now: NOW })
  const lanes = [{ type: 'task' }]
  const request = { requestId, session: 's', now: NOW, limit: 9, lanes, have: [], suspects: 'none' } as const
  return (await storage.claim(request)).jobs.map(({ id }) => id)
}

describe('payloads that are too much for the table', () => {
  test('stand outside the log, and every handle finds them', async () => {
    const { log, storage } = await opened()
    await enqueue(storage, 'a', large('a'))
    await enqueue(storage, 'b', 'small')
    const other = await opened(log)
    expect(log.chunks.size).toBe(1)
    expect((await allJobs(other.storage)).map(({ payload }) => payload)).toEqual([large('a'), 'small'])
  })

  test('are not read for a list that does without them, also where its condition is about others', async () => {
    const { log, storage } = await opened()
    for (const id of ['a', 'b']) await enqueue(storage, id, large(id))
    const read: string[] = []
    const readChunks = log.readChunks.bind(log)
    log.readChunks = (keys) => {
      read.push(...keys)
      return readChunks(keys)
    }
    const queue = await openQueue({ storage: (await opened(log)).storage })
    const { jobs } = await queue.list({ payloads: false, where: { id: { ne: 'x' } } }).page()
    expect([jobs.map(({ id, payload }) => [id, payload]), read]).toEqual([
      [
        ['b', null],
        ['a', null],
      ],
      [],
    ])
    expect((await queue.list().page()).jobs.map(({ payload }) => payload)).toEqual([large('b'), large('a')])
    await queue.close()
  })

  test.each<Fault>(['lose the answer', 'drop', 'repeat'])(
    'come back whole when an append is hit by: %s',
    async (fault) => {
      const { log, storage } = await opened()
      const faults: Fault[] = [fault]
      log.fault = () => faults.shift() ?? null
      await Promise.all([enqueue(storage, 'a', large('a')), enqueue(storage, 'b', large('b'))])
      const other = await opened(log)
      expect((await allJobs(other.storage)).map(({ payload }) => payload)).toEqual([large('a'), large('b')])
    },
  )

  test('the same id with the same payload is a repeat, with another one a conflict', async () => {
    const { storage } = await opened()
    await enqueue(storage, 'a', large('a'))
    expect(await enqueue(storage, 'a', large('a'))).toMatchObject({ accepted: true })
    expect(await enqueue(storage, 'a', large('b'))).toEqual({ accepted: false, index: 0, id: 'a' })
    expect((await allJobs(storage)).map(({ payload }) => payload)).toEqual([large('a')])
  })

  test('a job whose payload was replaced by its key shows the new one', async () => {
    const { log, storage } = await opened()
    await enqueue(storage, 'a', large('a'), { jobKey: 'key' })
    await enqueue(storage, 'b', large('b'), { jobKey: 'key' })
    const other = await opened(log)
    expect((await allJobs(other.storage)).map(({ payload }) => payload)).toEqual([large('b')])
  })

  test('are not stored for jobs that follow an outcome which did not come', async () => {
    const { log, storage } = await opened()
    await enqueue(storage, 'a', 'small')
    await claim(storage)
    const [job] = await storage.get(['a'])
    const attempt = { id: 'a', fence: job?.fence ?? 0 }
    const retried = { kind: 'retry', runAt: NOW, delay: 0, error: { name: 'Error', message: 'no' } } as const
    const after = (id: string): object => ({ enqueue: [newJob({ id, payload: large(id) })] })
    await storage.settle({ batch: [{ ...attempt, ...retried, counts: 'failure', ...after('b') }], now: NOW })
    expect(log.chunks.size).toBe(0)
    expect(await claim(storage, 'r2')).toEqual(['a'])
    const ended = { ...attempt, fence: attempt.fence + 1, kind: 'complete', result: null } as const
    await storage.settle({ batch: [{ ...ended, ...after('c') }], now: NOW })
    expect(log.chunks.size).toBe(1)
    const other = await opened(log)
    expect((await allJobs(other.storage)).map(({ payload }) => payload)).toEqual(['small', large('c')])
  })

  test('a job whose payload somebody removed ends failed, and nobody is given it', async () => {
    const { log, storage } = await opened()
    await enqueue(storage, 'a', large('a'))
    await enqueue(storage, 'b', 'small')
    log.chunks.clear()
    const other = await opened(log)
    expect(await claim(other.storage)).toEqual(['b'])
    expect(await other.storage.get(['a'])).toMatchObject([
      { state: 'failed', payload: null, error: { code: 'HOLDFAST_PAYLOAD_LOST' } },
    ])
  })
})
