import { describe, expect, test } from 'vitest'
import { HoldfastError } from '../../src/core/errors.ts'
import type { ClaimAnswer } from '../../src/core/storage/contract.ts'
import { type Log, LOG_FORMAT } from '../../src/core/storage/log.ts'
import { LoggedStorage } from '../../src/core/storage/logged-storage.ts'
import { type Fault, newJob, SharedLog, sharedStorage, testQueue } from '../../src/testing/index.ts'
import { outcome } from './doubles.ts'
import { keepsTheContract } from './kit.ts'
import { allJobs, contending, every, NOW, overtaken, passing, sharedTarget, shelved, slow } from './kit-targets.ts'

keepsTheContract(sharedTarget('a shared log'))
keepsTheContract(sharedTarget('a log that keeps payloads outside', shelved))
keepsTheContract(sharedTarget('a log whose appends take their time', slow))
keepsTheContract(sharedTarget('a log that loses every 2nd answer', every(2, 'lose the answer')))
keepsTheContract(sharedTarget('a log that loses every answer', every(1, 'lose the answer')))
keepsTheContract(sharedTarget('a log that writes everything twice', every(1, 'repeat')))
keepsTheContract(sharedTarget('a log that drops every 3rd append', every(3, 'drop')))
keepsTheContract(sharedTarget('a log where an unrelated record overtakes every append', overtaken(1, passing)))
keepsTheContract(sharedTarget('a log where a contending record overtakes every 2nd append', overtaken(2, contending)))

/** An open handle, and the log under it. */
async function opened(log = new SharedLog()): Promise<{ log: SharedLog; storage: LoggedStorage }> {
  const storage = sharedStorage(log)
  await storage.open()
  return { log, storage }
}

/** The faults of the appends to come, in order; then all goes well. */
function faults(log: SharedLog, ...list: (Fault | null)[]): void {
  log.fault = () => list.shift() ?? null
}

const codeOf = (error: unknown): string => (HoldfastError.is(error) ? error.code : String(error))

/** The record ids that a log is asked to append. */
function recorded(log: SharedLog): string[] {
  const ids: string[] = []
  log.fault = ({ id }) => {
    ids.push(id)
    return null
  }
  return ids
}

describe('appends that go wrong', () => {
  test('a refused append tells its caller and leaves nothing behind', async () => {
    const { log, storage } = await opened()
    faults(log, 'refuse')
    await expect(storage.enqueue({ jobs: [newJob({ id: 'a' })], now: NOW }).catch(codeOf)).resolves.toBe(
      'HOLDFAST_STORAGE',
    )
    expect(await allJobs(storage)).toEqual([])
    expect(await storage.counts({ now: NOW })).toMatchObject({ pending: 0 })
  })

  test('after a refused append the next call works, and an id that was refused is free', async () => {
    const { log, storage } = await opened()
    faults(log, 'refuse')
    await storage.enqueue({ jobs: [newJob({ id: 'a' })], now: NOW }).catch(codeOf)
    const answer = await storage.enqueue({ jobs: [newJob({ id: 'a', payload: 'other' })], now: NOW })
    expect(answer.accepted).toBe(true)
  })

  test('every call of a refused flush is told', async () => {
    const { log, storage } = await opened()
    faults(log, 'refuse')
    const calls = ['a', 'b', 'c'].map((id) => storage.enqueue({ jobs: [newJob({ id })], now: NOW }).catch(codeOf))
    expect(await Promise.all(calls)).toEqual(['HOLDFAST_STORAGE', 'HOLDFAST_STORAGE', 'HOLDFAST_STORAGE'])
  })

  test('a refused claim gives no job away', async () => {
    const { log, storage } = await opened()
    await storage.enqueue({ jobs: [newJob({ id: 'a' })], now: NOW })
    await storage.session({ open: 's', leaseDuration: 30_000, now: NOW })
    faults(log, 'refuse')
    const request = { session: 's', now: NOW, limit: 1, lanes: [{ type: 'task' }], have: [], suspects: 'none' } as const
    await expect(storage.claim({ ...request, requestId: '1' }).catch(codeOf)).resolves.toBe('HOLDFAST_STORAGE')
    const { jobs } = await storage.claim({ ...request, requestId: '2' })
    expect(jobs).toMatchObject([{ id: 'a', attempts: 1 }])
  })

  test('a lost answer is found in the tail: the caller never notices', async () => {
    const { log, storage } = await opened()
    faults(log, 'lose the answer')
    const answer = await storage.enqueue({ jobs: [newJob({ id: 'a' })], now: NOW })
    expect(answer).toMatchObject({ accepted: true, jobs: [{ id: 'a', disposition: 'created' }] })
    expect((await allJobs(storage)).map(({ id }) => id)).toEqual(['a'])
  })

  test('what was dropped is decided and appended again', async () => {
    const { log, storage } = await opened()
    faults(log, 'drop', 'drop')
    await storage.enqueue({ jobs: [newJob({ id: 'a' })], now: NOW })
    const other = await opened(log)
    expect((await allJobs(other.storage)).map(({ id }) => id)).toEqual(['a'])
  })

  test('a log that drops everything is given up: the caller learns that the outcome is unknown', async () => {
    const { log, storage } = await opened()
    log.fault = () => 'drop'
    await expect(storage.enqueue({ jobs: [newJob({ id: 'a' })], now: NOW }).catch(codeOf)).resolves.toBe(
      'HOLDFAST_OUTCOME_UNKNOWN',
    )
    log.fault = () => null
    await storage.enqueue({ jobs: [newJob({ id: 'b' })], now: NOW })
    expect((await allJobs(storage)).map(({ id }) => id)).toEqual(['b'])
  })

  test('a record that arrives when one of its callers has been told is applied whole', async () => {
    const { log, storage } = await opened()
    faults(log, 'drop', 'drop', 'drop', 'drop', 'lose the answer')
    const early = storage.enqueue({ jobs: [newJob({ id: 'early' })], now: NOW }).catch(codeOf)
    for (let turn = 0; turn < 3; turn++) await Promise.resolve()
    const late = storage.enqueue({ jobs: [newJob({ id: 'late' })], now: NOW })
    expect([await early, (await late).accepted]).toEqual(['HOLDFAST_OUTCOME_UNKNOWN', true])
    const other = await opened(log)
    expect((await allJobs(storage)).map(({ id }) => id)).toEqual(['early', 'late'])
    expect(await allJobs(storage)).toEqual(await allJobs(other.storage))
  })

  test('a call that always comes too late is told after 32 races, and has done nothing', async () => {
    const { log, storage } = await opened()
    const other = await opened(log)
    await storage.enqueue({ jobs: [newJob({ id: 'a' })], now: NOW })
    let races = 0
    let othersTurn = false
    log.fault = () => (othersTurn ? null : 'overtake')
    log.interfere = () => {
      othersTurn = true
      const amendment = { kind: 'reschedule', id: 'a', priority: ++races } as const
      void other.storage.amend({ batch: [amendment], now: NOW }).finally(() => (othersTurn = false))
    }
    const cancel = { kind: 'cancel', id: 'a', reason: 'enough' } as const
    expect(await storage.amend({ batch: [cancel], now: NOW }).catch(codeOf)).toBe('HOLDFAST_STORAGE_BUSY')
    log.fault = () => null
    expect([races, (await allJobs(storage))[0]]).toMatchObject([32, { state: 'waiting', priority: 32 }])
    expect(await storage.amend({ batch: [cancel], now: NOW })).toMatchObject([{ verdict: 'ok' }])
  })

  test('a call that lost a race goes before those that came meanwhile', async () => {
    const { log, storage } = await opened()
    const other = await opened(log)
    await storage.enqueue({ jobs: [newJob({ id: 'a' })], now: NOW })
    const cancelled = { kind: 'cancel', id: 'a', reason: 'first' } as const
    let later: Promise<unknown> = Promise.resolve()
    log.interfere = () => {
      void other.storage.amend({ batch: [{ kind: 'reschedule', id: 'a', priority: 2 }], now: NOW })
      later = storage.amend({ batch: [{ ...cancelled, reason: 'second' }], now: NOW })
    }
    faults(log, 'overtake')
    await storage.amend({ batch: [cancelled], now: NOW })
    await later
    expect(await allJobs(storage)).toMatchObject([{ state: 'cancelled', cancelRequested: 'first' }])
  })

  test('of two handles that claim one job at the same time one gets it', async () => {
    const { log, storage } = await opened()
    const other = await opened(log)
    await storage.enqueue({ jobs: [newJob({ id: 'a' })], now: NOW })
    await storage.session({ open: 'one', leaseDuration: 30_000, now: NOW })
    await other.storage.session({ open: 'two', leaseDuration: 30_000, now: NOW })
    const request = { now: NOW, limit: 1, lanes: [{ type: 'task' }], have: [], suspects: 'none' } as const
    const second: Promise<ClaimAnswer>[] = []
    log.interfere = () => void second.push(other.storage.claim({ ...request, session: 'two', requestId: '2' }))
    faults(log, 'overtake')
    const first = await storage.claim({ ...request, session: 'one', requestId: '1' })
    const jobs = [first, ...(await Promise.all(second))].flatMap((answer) => answer.jobs)
    expect(jobs).toMatchObject([{ id: 'a', session: 'two' }])
  })

  test('a claim that was decided before a pause does not land after it', async () => {
    const { log, storage } = await opened()
    const other = await opened(log)
    await storage.enqueue({ jobs: [newJob({ id: 'a' })], now: NOW })
    await storage.session({ open: 's', leaseDuration: 30_000, now: NOW })
    log.interfere = () => void other.storage.pause({ scope: { type: 'task' }, paused: true })
    faults(log, 'overtake')
    const lanes = [{ type: 'task' }]
    const request = { requestId: '1', session: 's', now: NOW, limit: 1, lanes, have: [], suspects: 'none' } as const
    expect((await storage.claim(request)).jobs).toEqual([])
  })

  test('a handle that did not read for long begins anew from the snapshot', async () => {
    const { log, storage } = await opened()
    const other = await opened(log)
    for (let n = 0; n < 20; n++) await storage.enqueue({ jobs: [newJob({ id: `job-${n}` })], now: NOW })
    expect(await allJobs(other.storage)).toEqual(await allJobs(storage))
  })
})

describe('flushes', () => {
  test('calls of one turn share one append', async () => {
    const { log, storage } = await opened()
    const records = recorded(log)
    await Promise.all(['a', 'b', 'c'].map((id) => storage.enqueue({ jobs: [newJob({ id })], now: NOW })))
    expect(records).toHaveLength(1)
  })

  test('an empty claim and a repeated enqueue append nothing', async () => {
    const { log, storage } = await opened()
    await storage.session({ open: 's', leaseDuration: 30_000, now: NOW })
    await storage.enqueue({ jobs: [newJob({ id: 'a', type: 'other' })], now: NOW })
    const records = recorded(log)
    const lanes = [{ type: 'task' }]
    await storage.claim({ requestId: '1', session: 's', now: NOW, limit: 9, lanes, have: [], suspects: 'none' })
    await storage.enqueue({ jobs: [newJob({ id: 'a', type: 'other' })], now: NOW })
    expect(records).toEqual([])
  })

  test('claims and beats need no sync, everything else does', async () => {
    const log = new SharedLog()
    const durable: boolean[] = []
    const inner = log.handle()
    const storage = new LoggedStorage({
      name: 'watched',
      traits: { durable: false, scope: 'host', payload: 'json', transactions: false },
      writer: 'watched',
      log: {
        open: (replica) => inner.open(replica),
        close: () => inner.close(),
        watch: (listener) => inner.watch(listener),
        exchange: (turn, need, guess) =>
          inner.exchange(
            (tail) => {
              const append = turn(tail)
              if (append !== null) durable.push(append.durable)
              return append
            },
            need,
            guess,
          ),
      },
    })
    await storage.open()
    await storage.enqueue({ jobs: [newJob({ id: 'a' })], now: NOW })
    await storage.session({ open: 's', leaseDuration: 30_000, now: NOW })
    expect(durable.splice(0)).toEqual([true, true])
    const lanes = [{ type: 'task' }]
    const [job] = (
      await storage.claim({ requestId: '1', session: 's', now: NOW, limit: 9, lanes, have: [], suspects: 'none' })
    ).jobs
    await storage.beat({ session: 's', now: NOW, holds: [], claiming: ['1'], progress: [] })
    expect(durable.splice(0)).toEqual([false, false])
    const settlement = { id: 'a', fence: job?.fence ?? 0, kind: 'complete', result: null } as const
    await storage.settle({ batch: [settlement], now: NOW })
    expect(durable).toEqual([true])
  })

  test('a close waits for the writes under way', async () => {
    const { log, storage } = await opened()
    const writing = storage.enqueue({ jobs: [newJob({ id: 'a' })], now: NOW })
    await storage.close()
    const other = await opened(log)
    expect((await allJobs(other.storage)).map(({ id }) => id)).toEqual(['a'])
    expect((await writing).accepted).toBe(true)
  })
})

describe('hints', () => {
  test('a handle that listens hears what another enqueued', async () => {
    const { log, storage } = await opened()
    const other = await opened(log)
    const heard: string[] = []
    other.storage.notifier.subscribe(({ ready, changes }) => heard.push(...ready, ...changes.map(({ kind }) => kind)))
    await storage.enqueue({ jobs: [newJob({ id: 'a' })], now: NOW })
    await other.storage.counts({ now: NOW })
    await new Promise((resolve) => setImmediate(resolve))
    expect(heard).toEqual(['task', 'enqueued'])
  })

  test('a handle that began anew tells that changes were missed', async () => {
    const { log, storage } = await opened()
    const other = await opened(log)
    for (let n = 0; n < 20; n++) await storage.enqueue({ jobs: [newJob({ id: `job-${n}` })], now: NOW })
    const gaps: boolean[] = []
    other.storage.notifier.subscribe(({ gap }) => gaps.push(gap))
    await allJobs(other.storage)
    await new Promise((resolve) => setImmediate(resolve))
    expect(gaps).toEqual([true])
  })
})

describe('records of a newer version', () => {
  const newer = { id: 'newer.1', format: LOG_FORMAT + 1, units: [] }

  test('they make the handle read only, with a typed error', async () => {
    const { log, storage } = await opened()
    await storage.enqueue({ jobs: [newJob({ id: 'a' })], now: NOW })
    log.append(newer)
    await expect(storage.enqueue({ jobs: [newJob({ id: 'b' })], now: NOW }).catch(codeOf)).resolves.toBe(
      'HOLDFAST_STORAGE_NEWER',
    )
    expect((await allJobs(storage)).map(({ id }) => id)).toEqual(['a'])
  })

  test('a record that lands again by another way is applied once', async () => {
    const { log, storage } = await opened()
    const other = await opened(log)
    log.fault = () => 'repeat'
    await storage.enqueue({ jobs: [newJob({ id: 'a', jobKey: 'key', payload: [1] })], now: NOW })
    await storage.enqueue({ jobs: [newJob({ id: 'b', jobKey: 'key', payload: [2] })], now: NOW })
    expect(await allJobs(other.storage)).toMatchObject([{ id: 'a', payload: [1, 2] }])
  })
})

describe('reads of a log that cannot be read', () => {
  /** A queue on a handle that hears of nothing, and a job that another one was told is stored. */
  async function deaf(tells: boolean) {
    const log = new SharedLog()
    const { storage: other } = await opened(log)
    const handle = log.handle()
    const state = { broken: false }
    const seam: Log = {
      open: (replica) => handle.open(replica),
      close: () => handle.close(),
      exchange: (...how) => (state.broken ? Promise.reject(new Error('cannot be read')) : handle.exchange(...how)),
      watch: () => () => undefined,
      ...(tells ? { isAhead: () => handle.isAhead?.() === true } : {}),
    }
    const storage = new LoggedStorage({ name: 'deaf', traits: other.traits, log: seam, writer: 'deaf' })
    const { queue, clock } = await testQueue({ storage })
    await other.enqueue({ jobs: [newJob({ id: 'a' })], now: NOW })
    state.broken = true
    return { other, queue, clock, state }
  }

  test.each([true, false])('say so, and not that there is nothing (the log tells of its end: %s)', async (tells) => {
    const { queue } = await deaf(tells)
    await expect(queue.get('a')).rejects.toThrow('cannot be read')
    if (tells) await expect(queue.counts()).rejects.toThrow('cannot be read')
  })

  test('a result is waited for until the log can be read again', async () => {
    const { other, queue, clock, state } = await deaf(true)
    const waiting = outcome(queue.result('a'))
    await clock.advance('5s')
    expect(waiting.now).toBe('waiting')
    state.broken = false
    await other.amend({ batch: [{ kind: 'cancel', id: 'a', reason: 'no more' }], now: NOW })
    await clock.advance('2s')
    expect(waiting.now).toEqual({ status: 'cancelled', reason: 'no more' })
  })
})
