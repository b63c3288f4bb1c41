import { afterEach, describe, expect, test, vi } from 'vitest'
import { indexedDb } from '../../src/adapters/indexeddb/index.ts'
import { Database } from '../../src/adapters/indexeddb/database.ts'
import type { StorageAdapter } from '../../src/core/storage/contract.ts'
import { HoldfastError, openQueue } from '../../src/index.ts'
import { newJob } from '../../src/testing/index.ts'
import { allJobs, NOW } from '../core/kit-targets.ts'
import { event_, type Fault, FaultyFactory, type Moment } from './faulty-factory.ts'
import {
  CLAIM,
  claimed,
  closeOpened,
  codeOf,
  database,
  enqueue,
  faulty,
  headOf,
  healthOf,
  idsOf,
  open,
  opened,
  raw,
  stored,
} from './opened-storages.ts'

afterEach(closeOpened)

/** The fault at the first `times` moments that fit; then all goes well. */
function at(fits: (moment: Moment) => boolean, fault: Fault, times = 1): (moment: Moment) => Fault | null {
  let left = times
  return (moment) => (left > 0 && fits(moment) && left-- > 0 ? fault : null)
}

const isCommit = ({ kind }: Moment): boolean => kind === 'commit'
const isFlush = ({ kind, mode, stores }: Moment): boolean =>
  kind === 'transaction' && mode === 'readwrite' && stores?.[0] === 'log'

describe('a connection that ends', () => {
  test('closed under us, the next call opens another', async () => {
    const { factory, storage, name } = await faulty()
    await enqueue(storage, 'a')
    factory.connections.at(-1)?.close()
    factory.connections.at(-1)?.dispatchEvent(event_('close'))
    await enqueue(storage, 'b')
    expect(factory.connections).toHaveLength(2)
    expect((await stored(name)).map(({ id }) => id)).toEqual(['a', 'b'])
  })

  test.each(['UnknownError', 'InvalidStateError'])('a dead handle that says %s to all is dropped', async (error) => {
    const { factory, storage } = await faulty()
    await enqueue(storage, 'a')
    const dead = factory.connections.length
    factory.plan = ({ kind }) =>
      kind === 'transaction' && factory.connections.length === dead ? { fault: 'fail', error } : null
    await enqueue(storage, 'b')
    expect(await idsOf(storage)).toEqual(['a', 'b'])
    expect(healthOf(storage).state).toBe('ok')
  })

  test('a database that stays dead is a typed error, and health says so until it lives again', async () => {
    const { factory, storage } = await faulty()
    factory.plan = ({ kind }) => (kind === 'transaction' ? { fault: 'fail', error: 'UnknownError' } : null)
    expect(await enqueue(storage, 'a').catch(codeOf)).toBe('HOLDFAST_STORAGE')
    expect(healthOf(storage)).toMatchObject({ state: 'failing', cause: { code: 'HOLDFAST_STORAGE' } })
    factory.plan = () => null
    await enqueue(storage, 'b')
    expect([healthOf(storage).state, await idsOf(storage)]).toEqual(['ok', ['b']])
  })

  test('an outage of a tenth of a second is waited for, at the opening and in the reading of payloads', async () => {
    const { factory, storage, name } = await faulty()
    await enqueue(storage, 'a', { payload: 'x'.repeat(20_000) })
    const failing = ({ kind }: Moment): Fault | null =>
      kind === 'transaction' ? { fault: 'fail', error: 'UnknownError' } : null
    const goDown = (): void => {
      factory.plan = failing
      setTimeout(() => (factory.plan = () => null), 100)
    }
    goDown()
    const other = await open({ name, factory })
    await idsOf(storage)
    goDown()
    expect(await other.get(['a'])).toMatchObject([{ payload: 'x'.repeat(20_000) }])
  })

  test('one that was waited for while the page stood still, and is not wanted any more, is not left open', async () => {
    const factory = new FaultyFactory()
    const nothing = (): void => undefined
    const database = new Database({
      ...{ name: `${Math.random()}`, factory: () => factory, deadline: 1000 },
      ...{ newIdentity: () => 'identity', onLost: nothing, onBlocked: nothing },
    })
    database.leave()
    const opening = database.connect().catch(codeOf)
    database.comeBack()
    database.drop()
    expect(await opening).toBe('HOLDFAST_STORAGE')
    for (const connection of factory.connections) expect(() => connection.transaction('log')).toThrow()
  })

  test('whoever wants to upgrade or delete the database does not wait for us', async () => {
    const { storage, name } = await faulty()
    await enqueue(storage, 'a')
    const upgraded = new Promise<void>((resolve, reject) => {
      const request = indexedDB.open(name, 7)
      request.onsuccess = () => {
        request.result.close()
        resolve()
      }
      request.onerror = () => reject(new Error('not upgraded'))
      request.onblocked = () => reject(new Error('blocked'))
    })
    await upgraded
    await enqueue(storage, 'b')
    expect(await idsOf(storage)).toEqual(['a', 'b'])
  })

  /** A tab that keeps version 1 open and does not let go, and a newer version of the package beside it. */
  async function blockedBy(deadline: number) {
    const name = database()
    const old = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open(name, 1)
      request.onsuccess = () => resolve(request.result)
    })
    const factory = new FaultyFactory()
    const inner = factory.open.bind(factory)
    factory.open = (database) => inner(database, 2)
    return { name, old, storage: indexedDb({ name, factory, deadline }) }
  }

  test('another tab with an older version open: a typed error after the deadline', async () => {
    const { old, storage } = await blockedBy(200)
    expect(await storage.open().catch(codeOf)).toBe('HOLDFAST_STORAGE_BLOCKED')
    expect(healthOf(storage)).toMatchObject({ state: 'failing', cause: { code: 'HOLDFAST_STORAGE_BLOCKED' } })
    old.close()
  })

  test('whoever waits for another tab to let go hears of it at once, and when that is over', async () => {
    const { old, storage } = await blockedBy(20_000)
    const heard: unknown[] = []
    storage.watchHealth?.(() => {
      const { state, cause } = healthOf(storage)
      heard.push([state, HoldfastError.is(cause) && cause.code])
    })
    const opening = storage.open()
    opened.push(storage)
    await expect.poll(() => heard).toEqual([['failing', 'HOLDFAST_STORAGE_BLOCKED']])
    old.close()
    await opening
    expect(heard.slice(1)).toEqual([['ok', false]])
  })

  test('a queue that has to upgrade on its way tells so by its event `health`, and goes on', async () => {
    const name = database()
    const factory = new FaultyFactory()
    const upgrade = { to: 1 }
    const inner = factory.open.bind(factory)
    factory.open = (database) => inner(database, upgrade.to)
    const storage = indexedDb({ name, factory })
    const queue = await openQueue({ storage })
    opened.push(storage)
    const heard: unknown[] = []
    queue.on('health', ({ health: { state, cause } }) => heard.push([state, HoldfastError.is(cause) && cause.code]))
    const old = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open(name)
      request.onsuccess = () => resolve(request.result)
    })
    upgrade.to = 2
    factory.connections[0]?.close()
    factory.connections[0]?.dispatchEvent(event_('close'))
    const enqueued = queue.enqueue('task', 1)
    await expect.poll(() => heard).toEqual([['failing', 'HOLDFAST_STORAGE_BLOCKED']])
    old.close()
    await enqueued
    expect(heard.slice(1)).toEqual([['ok', false]])
  })

  test('a first opening that hangs, as in Safari 14, is begun anew and nobody notices', async () => {
    const factory = new FaultyFactory()
    factory.plan = at(({ kind }) => kind === 'open', { fault: 'never' })
    const storage = await open({ name: database(), factory, deadline: 300 })
    await enqueue(storage, 'a')
    expect([await idsOf(storage), healthOf(storage).state]).toEqual([['a'], 'ok'])
  })

  // Chromium calls a damaged profile `Internal error opening backing store`, or a full disk where there is room.
  test.each(['UnknownError', 'QuotaExceededError'])(
    'a database that cannot be opened any more (%s) is a typed error after a few tries, and is never deleted',
    async (error) => {
      const name = database()
      await enqueue(await open({ name }), 'a')
      const factory = new FaultyFactory()
      const deleted = vi.spyOn(factory, 'deleteDatabase')
      factory.plan = () => ({ fault: 'fail', error })
      const storage = indexedDb({ name, factory })
      expect(await storage.open().catch(codeOf)).toBe('HOLDFAST_STORAGE')
      expect(factory.moments.length).toBeLessThan(10)
      factory.plan = () => null
      await storage.open()
      opened.push(storage)
      expect([await idsOf(storage), deleted.mock.calls]).toEqual([['a'], []])
    },
  )

  test('an opening that never settles is given up', async () => {
    const factory = new FaultyFactory()
    factory.plan = ({ kind }) => (kind === 'open' ? { fault: 'never' } : null)
    // The opening after it has to be in time.
    const storage = indexedDb({ name: database(), factory, deadline: 300 })
    expect(await storage.open().catch(codeOf)).toBe('HOLDFAST_STORAGE_TIMEOUT')
    factory.plan = () => null
    await storage.open()
    opened.push(storage)
    await enqueue(storage, 'a')
  })
})

describe('a transaction that goes wrong', () => {
  test('a commit whose answer is lost is found, and its caller never notices', async () => {
    const { factory, storage } = await faulty()
    await enqueue(storage, 'a')
    factory.plan = at(isCommit, { fault: 'lose the answer' })
    const [answer] = await storage.amend({ batch: [{ kind: 'remove', id: 'a' }], now: NOW })
    expect(answer?.verdict).toBe('ok')
    expect(await idsOf(storage)).toEqual([])
  })

  test('what goes well in the end is no news; a database that swallows every answer is', async () => {
    const { factory, storage } = await faulty()
    const told: string[] = []
    storage.watchHealth?.(() => told.push(healthOf(storage).state))
    factory.plan = at(isCommit, { fault: 'lose the answer' })
    await enqueue(storage, 'a')
    factory.plan = at(isCommit, { fault: 'abort', error: null })
    await enqueue(storage, 'b')
    expect(told).toEqual([])
    factory.plan = (moment) => (isCommit(moment) ? { fault: 'abort', error: null } : null)
    expect(await enqueue(storage, 'c').catch(codeOf)).toBe('HOLDFAST_OUTCOME_UNKNOWN')
    expect(told).toEqual(['failing'])
    factory.plan = () => null
    await enqueue(storage, 'd')
    expect([told, await idsOf(storage)]).toEqual([
      ['failing', 'ok'],
      ['a', 'b', 'd'],
    ])
  })

  test('a transaction that never ends is given up after the deadline, and what it wrote is found', async () => {
    const { factory, storage } = await faulty({ deadline: 100 })
    factory.plan = at(isFlush, { fault: 'never' })
    const answer = await storage.enqueue({ jobs: [newJob({ id: 'a' })], now: NOW })
    expect(answer).toMatchObject({ accepted: true, jobs: [{ disposition: 'created' }] })
    expect(await idsOf(storage)).toEqual(['a'])
  })

  test('requests that are never answered are given up after the deadline', async () => {
    const { factory, storage } = await faulty({ deadline: 100 })
    factory.plan = at(({ method }) => method === 'getAll', { fault: 'never' })
    await enqueue(storage, 'a')
    expect(await idsOf(storage)).toEqual(['a'])
  })

  test.each([null, 'UnknownError', 'DataError'])(
    'an abort without a request error (%s) is begun anew',
    async (error) => {
      const { factory, storage, name } = await faulty()
      factory.plan = at(isCommit, { fault: 'abort', error })
      await enqueue(storage, 'a')
      expect((await stored(name)).map(({ id }) => id)).toEqual(['a'])
    },
  )

  test('a page that is frozen in the middle of a flush holds others up, and they go on after it', async () => {
    const { factory: frozen, storage: tab, name } = await faulty({ deadline: 20_000 })
    const other = await open({ name, deadline: 150 })
    frozen.plan = at(isCommit, { fault: 'hold' })
    const holding = enqueue(tab, 'held')
    await expect.poll(() => frozen.moments.some(isCommit)).toBe(true)
    const waiting = enqueue(other, 'waits').catch(codeOf)
    expect(['HOLDFAST_STORAGE_TIMEOUT', 'HOLDFAST_OUTCOME_UNKNOWN']).toContain(await waiting)
    frozen.release()
    await holding
    await enqueue(other, 'later')
    const [a, b] = [await idsOf(tab), await idsOf(other)]
    expect(b).toEqual(expect.arrayContaining(['held', 'later']))
    await enqueue(tab, 'last')
    expect([a.length <= b.length, await idsOf(tab)]).toEqual([true, [...b, 'last']])
  })
})

describe('durability', () => {
  const kinds = [
    [undefined, 'strict', 'relaxed'],
    ['relaxed', 'relaxed', 'relaxed'],
    [{ claims: 'strict' }, 'strict', 'strict'],
    // They share flushes: one with a claim in it is as durable as that was asked to be.
    [{ writes: 'relaxed', claims: 'strict' }, 'strict', 'strict'],
  ] as const

  test.each(kinds)('%o: enqueues and outcomes are %s, claims and heartbeats %s', async (durability, writes, claims) => {
    const { factory, storage } = await faulty(durability === undefined ? {} : { durability })
    const asks = async (call: Promise<unknown>): Promise<unknown> => {
      factory.moments.length = 0
      await call
      return [...new Set(factory.moments.filter(isFlush).map((moment) => moment.durability))]
    }
    expect(await asks(enqueue(storage, 'a'))).toEqual([writes])
    await storage.session({ open: 's', leaseDuration: 30_000, now: NOW })
    const claim = storage.claim(CLAIM)
    expect(await asks(claim)).toEqual([claims])
    const held = { id: 'a', fence: (await claim).jobs[0]?.fence ?? 0 }
    const beat = { session: 's', now: NOW + 1, holds: [held], claiming: [], progress: [] }
    expect(await asks(storage.beat(beat))).toEqual([claims])
    const settlement = { ...held, kind: 'complete', result: 1 } as const
    expect(await asks(storage.settle({ batch: [settlement], now: NOW }))).toEqual([writes])
  })

  test('a platform that does not honour it is found out by what the transaction says, and health tells', async () => {
    const { factory, storage } = await faulty()
    const told: boolean[] = []
    storage.watchHealth?.(() => told.push(healthOf(storage).weaker))
    await enqueue(storage, 'a')
    expect(healthOf(storage).weaker).toBe(false)
    factory.dropsDurability = true
    await enqueue(storage, 'b')
    factory.dropsDurability = false
    await enqueue(storage, 'c')
    expect([told, healthOf(storage).state]).toEqual([[true, false], 'ok'])
  })

  test('claims that are asked to be strict: one in a flush with relaxed writes is strict', async () => {
    const { factory, storage } = await faulty({ durability: { writes: 'relaxed', claims: 'strict' } })
    await enqueue(storage, 'a')
    await storage.session({ open: 's', leaseDuration: 30_000, now: NOW })
    factory.moments.length = 0
    await Promise.all([enqueue(storage, 'b'), storage.claim(CLAIM)])
    expect(factory.moments.filter(isFlush).map(({ durability }) => durability)).toEqual(['strict'])
  })

  test('claims that are asked to be strict: health tells where the platform does not honour it', async () => {
    const { factory, storage } = await faulty({ durability: { writes: 'relaxed', claims: 'strict' } })
    await enqueue(storage, 'a')
    await storage.session({ open: 's', leaseDuration: 30_000, now: NOW })
    factory.dropsDurability = true
    const weaker = async (call: Promise<unknown>): Promise<boolean> => {
      await call
      return healthOf(storage).weaker
    }
    const claim = storage.claim(CLAIM)
    expect(await weaker(claim)).toBe(true)
    factory.dropsDurability = false
    const held = { id: 'a', fence: (await claim).jobs[0]?.fence ?? 0 }
    const beat = { session: 's', now: NOW + 1, holds: [held], claiming: [], progress: [] }
    expect(await weaker(storage.beat(beat))).toBe(false)
  })

  test('what only reads says nothing of it', async () => {
    const { factory, storage } = await faulty({ durability: { claims: 'strict' } })
    await enqueue(storage, 'a')
    await storage.close()
    factory.dropsDurability = true
    await storage.open()
    expect([await idsOf(storage), healthOf(storage).weaker]).toEqual([['a'], false])
  })
})

describe('no more space', () => {
  const quota: Fault = { fault: 'abort', error: 'QuotaExceededError' }
  const bringsRecord = ({ kind, method }: Moment): boolean => kind === 'request' && method === 'add'

  /** From now on nothing may be written until bytes were deleted: the reserve makes room for `room` records. */
  function fill(factory: FaultyFactory, room: number): { left: number } {
    const state = { left: 0 }
    factory.plan = (moment) => {
      if (moment.method === 'delete' && moment.stores?.includes('$meta')) state.left = room
      if (moment.method === 'put' && moment.mode === 'readwrite') return state.left > room ? null : quota
      if (!bringsRecord(moment)) return null
      return state.left-- > 0 ? null : quota
    }
    return state
  }

  test('new work is refused with a typed error, and nothing of it is stored', async () => {
    const { factory, storage, name } = await faulty()
    await enqueue(storage, 'a')
    fill(factory, 0)
    expect(await enqueue(storage, 'b').catch(codeOf)).toBe('HOLDFAST_STORAGE_FULL')
    expect(healthOf(storage)).toMatchObject({ state: 'failing', cause: { code: 'HOLDFAST_STORAGE_FULL' } })
    expect((await stored(name)).map(({ id }) => id)).toEqual(['a'])
  })

  test('a job can be ended on the reserve, while new work goes on being refused', async () => {
    const { factory, storage, name } = await faulty()
    await enqueue(storage, 'a')
    const [job] = await claimed(storage)
    const isPut = () => factory.moments.some(({ method, stores }) => method === 'put' && stores?.length === 1)
    await expect.poll(isPut).toBe(true)
    fill(factory, 5)
    expect(await enqueue(storage, 'b').catch(codeOf)).toBe('HOLDFAST_STORAGE_FULL')
    const settlement = { id: 'a', fence: job?.fence ?? 0, kind: 'complete', result: 1 } as const
    expect(await storage.settle({ batch: [settlement], now: NOW })).toMatchObject([{ verdict: 'ok' }])
    expect(await enqueue(storage, 'b').catch(codeOf)).toBe('HOLDFAST_STORAGE_FULL')
    expect(healthOf(storage).state).toBe('failing')
    expect(await stored(name)).toMatchObject([{ id: 'a', state: 'completed' }])
  })

  test('when there is room again the reserve comes back, and then new work', async () => {
    const { factory, storage } = await faulty()
    await enqueue(storage, 'a')
    fill(factory, 0)
    await enqueue(storage, 'b').catch(codeOf)
    factory.plan = () => null
    await enqueue(storage, 'b')
    expect([await idsOf(storage), healthOf(storage).state]).toEqual([['a', 'b'], 'ok'])
  })

  test('health says so when there is room again, though nobody enqueues', async () => {
    const { factory, storage } = await faulty()
    await enqueue(storage, 'a')
    fill(factory, 0)
    await enqueue(storage, 'b').catch(codeOf)
    const states: string[] = []
    storage.watchHealth?.(() => states.push(healthOf(storage).state))
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(healthOf(storage).state).toBe('failing')
    factory.plan = () => null
    await expect.poll(() => states.at(-1)).toBe('ok')
    expect(await idsOf(storage)).toEqual(['a'])
  })

  test('finished jobs go before new work is refused, waiting ones never', async () => {
    const { factory, storage } = await faulty()
    await enqueue(storage, 'done')
    const [job] = await claimed(storage)
    await enqueue(storage, 'waits')
    await storage.settle({ batch: [{ id: 'done', fence: job?.fence ?? 0, kind: 'complete', result: 1 }], now: NOW })
    factory.plan = at(bringsRecord, quota)
    const later = NOW + 60_000
    const work = (id: string): Promise<unknown> => storage.enqueue({ jobs: [newJob({ id })], now: later })
    expect(await work('b').catch(codeOf)).toBe('HOLDFAST_STORAGE_FULL')
    await work('b')
    expect(await idsOf(storage)).toEqual(['waits', 'b'])
  })
})

describe('pages that may not store anything', () => {
  const forbidden: readonly (readonly [string, () => IDBFactory])[] = [
    [
      'an opening that throws',
      () => {
        const factory = new FaultyFactory()
        factory.plan = () => ({ fault: 'fail', error: 'SecurityError' })
        return factory
      },
    ],
    [
      'an opening that ends with InvalidStateError',
      () => {
        const factory = new FaultyFactory()
        factory.plan = () => ({ fault: 'fail', error: 'InvalidStateError' })
        return factory
      },
    ],
  ]

  test.each(forbidden)('%s is a typed error', async (_, factory) => {
    const storage = indexedDb({ name: database(), factory: factory() })
    expect(await storage.open().catch(codeOf)).toBe('HOLDFAST_STORAGE_UNAVAILABLE')
  })

  test.each(forbidden)('%s: with `fallback` jobs live in memory, and the storage says so', async (_, factory) => {
    const storage = await open({ name: database(), factory: factory(), fallback: 'memory' })
    expect(storage.traits).toMatchObject({ durable: false, scope: 'instance' })
    expect(healthOf(storage)).toMatchObject({ state: 'degraded', cause: { code: 'HOLDFAST_STORAGE_UNAVAILABLE' } })
    await enqueue(storage, 'a', { payload: 'x'.repeat(100_000) })
    expect((await allJobs(storage)).map(({ payload }) => (payload as string).length)).toEqual([100_000])
  })

  const refused = (): never => {
    throw new DOMException('On cue', 'SecurityError')
  }
  test.each<[string, PropertyDescriptor]>([
    ['has none', { value: undefined }],
    ['says null', { value: null }],
    ['throws', { get: refused }],
  ])('a page whose own `indexedDB` %s: a typed error, or memory', async (_, own) => {
    const before = Object.getOwnPropertyDescriptor(globalThis, 'indexedDB') as PropertyDescriptor
    Object.defineProperty(globalThis, 'indexedDB', { ...own, configurable: true })
    try {
      const storage = indexedDb({ name: database() })
      expect(await storage.open().catch(codeOf)).toBe('HOLDFAST_STORAGE_UNAVAILABLE')
      const inMemory = await open({ name: database(), fallback: 'memory' })
      expect([inMemory.traits.durable, healthOf(inMemory).state]).toEqual([false, 'degraded'])
      await enqueue(inMemory, 'a')
      expect(await idsOf(inMemory)).toEqual(['a'])
    } finally {
      Object.defineProperty(globalThis, 'indexedDB', before)
    }
  })

  test('with `fallback`, a page that may store does so', async () => {
    const storage = await open({ name: database(), fallback: 'memory' })
    expect([storage.traits.durable, healthOf(storage).state]).toEqual([true, 'ok'])
  })

  test('`fallback` is not for other failures', async () => {
    const factory = new FaultyFactory()
    factory.plan = ({ kind }) => (kind === 'open' ? { fault: 'never' } : null)
    const storage = indexedDb({ name: database(), factory, deadline: 50, fallback: 'memory' })
    expect(await storage.open().catch(codeOf)).toBe('HOLDFAST_STORAGE_TIMEOUT')
  })
})

test('a tab that is far behind catches up in several transactions, and others go on between them', async () => {
  const { factory, storage, name } = await faulty()
  const other = await open({ name })
  for (let n = 0; n < 20; n++) await enqueue(other, `job-${String(n).padStart(2, '0')}`)
  factory.moments.length = 0
  await enqueue(storage, 'own')
  expect(factory.moments.filter(({ method }) => method === 'getAll').length).toBeGreaterThan(2)
  expect(factory.moments.filter(isFlush).length).toBeGreaterThan(2)
  expect(await idsOf(storage)).toHaveLength(21)
  expect(await stored(name)).toHaveLength(21)
})

test('a tab that is behind comes to the end of what ten others write, who do not stop for it', async () => {
  const { storage, name } = await faulty()
  const others = await Promise.all(Array.from({ length: 10 }, () => open({ name })))
  for (let n = 0; n < 40; n++) await enqueue(others[0] as StorageAdapter, `job-${n}`)
  const most = 200
  let isAnswered = false as boolean
  const writing = others.map(async (other, tab) => {
    let written = 0
    while (!isAnswered && written < most) await enqueue(other, `tab-${tab}-${written++}`)
    return written
  })
  await enqueue(storage, 'own')
  isAnswered = true
  expect(Math.max(...(await Promise.all(writing)))).toBeLessThan(most)
})

test('a tab that begins anew, and is overtaken again while it reads the tail in parts, misses nothing', async () => {
  const { factory, storage: slow, name } = await faulty()
  const ids: string[] = []
  const enqueueNext = (storage: StorageAdapter): Promise<unknown> => {
    ids.push(`job-${String(ids.length).padStart(4, '0')}`)
    return enqueue(storage, ids.at(-1) as string)
  }
  const overtaking = await open({ name, snapshotAfter: 1 })
  const cutUpTo = async (position: number): Promise<void> => {
    for (;;) {
      await enqueueNext(overtaking)
      const log = await raw(name, ['log'], (transaction) => transaction.objectStore('log').getAllKeys(null, 1))
      if (Number(log.result[0]) > position) return
    }
  }
  await cutUpTo(2)
  const other = await open({ name })
  for (let n = 0; n < 12; n++) await enqueueNext(other)
  let goOn = (): void => undefined
  const until = new Promise<void>((resolve) => (goOn = resolve))
  const begun = factory.moments.length
  const hasLoaded = (): boolean => factory.moments.slice(begun).some(({ stores }) => String(stores) === 'snapshot')
  let isReading = false as boolean
  factory.plan = ({ kind, stores }) => {
    if (isReading || !hasLoaded() || kind !== 'transaction' || stores?.[0] !== 'log') return null
    isReading = true
    return { fault: 'late', until }
  }
  const enqueued = enqueueNext(slow)
  await expect.poll(() => isReading).toBe(true)
  await cutUpTo(ids.length)
  goOn()
  await enqueued
  expect([(await idsOf(slow)).toSorted(), healthOf(slow).damaged]).toEqual([ids.toSorted(), 0])
})

test('once most of the rows are gone, a snapshot takes the place of the log that speaks of them', async () => {
  const { storage, name } = await faulty({ snapshotAfter: 10 })
  const ids = Array.from({ length: 100 }, (_, n) => `job-${n}`)
  await storage.enqueue({ jobs: ids.map((id) => newJob({ id })), now: NOW })
  await enqueue(storage, 'kept')
  await storage.amend({ batch: ids.map((id) => ({ kind: 'remove', id })), now: NOW })
  await storage.close()
  await storage.open()
  await storage.close()
  expect(await headOf(name)).toMatchObject({ count: 1 })
})
