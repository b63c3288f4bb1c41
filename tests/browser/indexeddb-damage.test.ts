import { afterEach, describe, expect, test } from 'vitest'
import { event_, FaultyFactory } from './faulty-factory.ts'
import {
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
  openedQueue,
  raw,
  stored,
} from './opened-storages.ts'
import { isWebKit } from './storages.ts'

afterEach(closeOpened)

function deleted(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name)
    request.onsuccess = () => resolve()
    request.onblocked = () => reject(new Error('blocked'))
  })
}

/** Somebody deletes the database that this tab has open. */
function deleteUnder(factory: FaultyFactory, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name)
    request.onsuccess = () => resolve()
    request.onerror = () => reject(new Error('not deleted'))
    // Told here and now, since the emulation would tell it after this tab's next transactions.
    factory.connections.at(-1)?.dispatchEvent(event_('versionchange'))
  })
}

describe('data that others touch', () => {
  test('a database that is deleted while it is open: the queue begins anew, and tells', async () => {
    const name = database()
    const { queue, events } = await openedQueue(name)
    await queue.enqueue('task', 1)
    await deleted(name)
    expect(await queue.counts()).toMatchObject({ pending: 0 })
    expect(events).toContain('reset 1')
    await queue.enqueue('task', 2)
    expect((await stored(name)).map(({ payload }) => payload)).toEqual([2])
  })

  test('stores that are emptied while they are open: the queue begins anew, and tells', async () => {
    const name = database()
    const { queue, events } = await openedQueue(name)
    await queue.enqueue('task', 1)
    const stores = ['log', 'snapshot', 'payloads', '$meta']
    await raw(name, stores, (transaction) => {
      for (const store of stores) transaction.objectStore(store).clear()
    })
    await queue.enqueue('task', 2)
    expect((await stored(name)).map(({ payload }) => payload)).toEqual([2])
    expect((await queue.list().page({ size: 9 })).jobs.map(({ payload }) => payload)).toEqual([2])
    expect(events).toContain('reset 1')
  })

  // The page of WebKitGTK 2.50 crashes when its own database is deleted in the middle of a commit.
  test.skipIf(isWebKit)(
    'a database that is deleted while a full storage looks for room: what was in it stays gone, and what comes then stays',
    async () => {
      const { factory, storage, name } = await faulty()
      for (let n = 0; n < 20; n++) await enqueue(storage, `old-${n}`)
      factory.plan = ({ kind }) => (kind === 'commit' ? { fault: 'abort', error: 'QuotaExceededError' } : null)
      expect(await enqueue(storage, 'refused').catch(codeOf)).toBe('HOLDFAST_STORAGE_FULL')
      const deletions: Promise<void>[] = []
      // The first write then prunes what is done; room is looked for after it.
      factory.plan = ({ kind }) => {
        if (kind === 'commit' && deletions.length === 0) deletions.push(deleteUnder(factory, name))
        return null
      }
      const ids = ['new-1', 'new-2', 'new-3', 'new-4', 'new-5']
      for (const id of ids) await enqueue(storage, id)
      await Promise.all(deletions)
      expect([await idsOf(storage), healthOf(storage).resets]).toEqual([ids, 1])
      expect((await stored(name)).map(({ id }) => id)).toEqual(ids)
    },
  )

  test('stores that are emptied before a snapshot is made: the table that is gone does not become it', async () => {
    const { factory, storage, name } = await faulty({ snapshotAfter: 4 })
    for (const id of ['a', 'b', 'c', 'd']) await enqueue(storage, id)
    const stores = ['log', 'snapshot', 'payloads', '$meta']
    await raw(name, stores, (transaction) => {
      for (const store of stores) transaction.objectStore(store).clear()
    })
    await enqueue(storage, 'e')
    expect(factory.moments.some(({ stores: [first] = [] }) => first === 'snapshot')).toBe(true)
    expect((await stored(name)).map(({ id }) => id)).toEqual(['e'])
  })

  test('a store that does not say any more which data this is: what is there is loaded, and snapshots are made', async () => {
    const { storage, name } = await faulty({ snapshotAfter: 4 })
    const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    await enqueue(storage, 'a')
    await raw(name, ['$meta'], (transaction) => void transaction.objectStore('$meta').clear())
    for (const id of ids.slice(1)) await enqueue(storage, id)
    await storage.close()
    expect(await headOf(name)).toMatchObject({ position: expect.any(Number) as number })
    expect((await stored(name)).map(({ id }) => id)).toEqual(ids)
  })

  test('a browser that had to throw away what it kept says so to who opens it next, who passes it on', async () => {
    const factory = new FaultyFactory()
    const inner = factory.open.bind(factory)
    factory.open = (...how) => {
      const request = inner(...how)
      // As Chromium does: tests/browser/pages/torn.chromium.test.ts.
      request.addEventListener('upgradeneeded', (event) => Object.defineProperty(event, 'dataLoss', { value: 'total' }))
      return request
    }
    const storage = await open({ name: database(), factory })
    await enqueue(storage, 'a')
    expect([healthOf(storage).resets, await idsOf(storage)]).toEqual([1, ['a']])
  })

  test('a record that somebody spoilt is skipped, counted once and kept', async () => {
    const { storage, name } = await faulty()
    await enqueue(storage, 'a')
    await enqueue(storage, 'b')
    await storage.close()
    await raw(name, ['log'], (transaction) => void transaction.objectStore('log').put({ position: 1, spoilt: true }))
    const [one, two] = [await open({ name }), await open({ name })]
    expect([await idsOf(one), await idsOf(two)]).toEqual([['b'], ['b']])
    await enqueue(one, 'c')
    expect([healthOf(one).damaged, healthOf(two).damaged]).toEqual([1, 1])
    const kept = await raw(name, ['$damaged'], (transaction) => transaction.objectStore('$damaged').getAll())
    expect(kept.result).toEqual([{ position: 1, spoilt: true }])
  })

  test('records and rows that would break the table are skipped', async () => {
    const { storage, name } = await faulty({ snapshotAfter: 1 })
    for (const id of ['a', 'b', 'c', 'd']) await enqueue(storage, id)
    await storage.close()
    const change = { table: 'jobs', key: 'x', expect: 0, to: { state: 'nonsense' } }
    await raw(
      name,
      ['log'],
      (transaction) => void transaction.objectStore('log').add({ id: 'x', format: 1, units: [[change]] }),
    )
    const again = await open({ name })
    expect(await idsOf(again)).toEqual(['a', 'b', 'c', 'd'])
    expect(healthOf(again).damaged).toBe(1)
  })

  test('bytes of a newer format make the tab read only, and it never writes a snapshot', async () => {
    const { storage, name } = await faulty({ snapshotAfter: 1 })
    await enqueue(storage, 'a')
    await raw(
      name,
      ['log'],
      (transaction) => void transaction.objectStore('log').add({ id: 'n', format: 2, units: 'unheard of' }),
    )
    // A flush that adds before it reads finds out too late to say whether it took effect.
    const codes = ['HOLDFAST_STORAGE_NEWER', 'HOLDFAST_OUTCOME_UNKNOWN']
    expect(codes).toContain(await enqueue(storage, 'b').catch(codeOf))
    expect(await enqueue(storage, 'c').catch(codeOf)).toBe('HOLDFAST_STORAGE_NEWER')
    expect(await idsOf(storage)).toEqual(['a'])
    expect(healthOf(storage)).toMatchObject({ state: 'read-only', damaged: 0 })
    for (let n = 0; n < 3; n++) await enqueue(storage, `n-${n}`).catch(codeOf)
    const request = await raw(name, ['snapshot'], (transaction) => transaction.objectStore('snapshot').get('head'))
    const head = request.result as { readonly position: number } | undefined
    // One of what came before the record it does not understand may be there.
    expect(head?.position ?? 0).toBeLessThan(2)
  })

  test('a newer version that raises `minWriter` stops this one from writing, not from reading', async () => {
    const { storage, name } = await faulty()
    await enqueue(storage, 'a')
    await storage.close()
    await raw(name, ['$meta'], (transaction) => void transaction.objectStore('$meta').put(2, 'minWriter'))
    // With a log that is due for a snapshot, which is none of its business.
    const older = await open({ name, snapshotAfter: 1 })
    expect(healthOf(older).state).toBe('read-only')
    expect(await enqueue(older, 'b').catch(codeOf)).toBe('HOLDFAST_STORAGE_NEWER')
    expect(await idsOf(older)).toEqual(['a'])
  })
})

test('a tab that only reads writes nothing, neither what it misses nor what it finds damaged', async () => {
  const { storage, name } = await faulty()
  for (const id of ['a', 'b']) await enqueue(storage, id)
  await storage.close()
  await raw(name, ['$meta', 'log'], (transaction) => {
    const meta = transaction.objectStore('$meta')
    meta.put(2, 'minWriter')
    for (const key of ['identity', 'reserve', 'blob']) meta.delete(key)
    transaction.objectStore('log').put({ position: 1, spoilt: true })
  })
  const { factory, storage: older } = await faulty({ name })
  expect([await idsOf(older), healthOf(older).damaged]).toEqual([['b'], 1])
  await older.close()
  expect(factory.moments.filter(({ mode }) => mode === 'readwrite')).toEqual([])
})

test('the payload that a damaged record names is set aside with it, when a snapshot takes the place of the log', async () => {
  const { storage, name } = await faulty()
  await enqueue(storage, 'a', { payload: 'x'.repeat(20_000) })
  await storage.close()
  const chunk = await raw(name, ['log', 'payloads'], (transaction) => {
    const log = transaction.objectStore('log')
    const records = log.getAll()
    records.onsuccess = () => log.put({ ...records.result[0], format: 'spoilt' })
    return transaction.objectStore('payloads').getAllKeys()
  })
  const again = await open({ name, snapshotAfter: 1 })
  for (let n = 0; n < 8; n++) await enqueue(again, `after-${n}`)
  await again.close()
  const { chunks, kept } = await raw(name, ['payloads', '$damaged'], (transaction) => ({
    chunks: transaction.objectStore('payloads').getAllKeys(),
    kept: transaction.objectStore('$damaged').getAllKeys(),
  }))
  const [key] = chunk.result as string[]
  expect([chunks.result, kept.result]).toEqual([[], ['log/1', `payloads/${key}`]])
})

test('what is kept of a damaged payload holds up a snapshot no longer than the deadline', async () => {
  const { storage: before, name } = await faulty()
  await enqueue(before, 'a', { payload: 'x'.repeat(20_000) })
  await raw(name, ['payloads'], (transaction) => {
    const payloads = transaction.objectStore('payloads')
    const keys = payloads.getAllKeys()
    keys.onsuccess = () => payloads.put('spoilt', keys.result[0])
  })
  const { factory, storage } = await faulty({ name, deadline: 1000, snapshotAfter: 1 })
  let isBegun = false as boolean
  factory.plan = ({ kind, stores }) => {
    if (kind !== 'transaction') return null
    isBegun ||= String(stores) === 'snapshot,$meta,log,payloads'
    if (String(stores) !== '$damaged') return null
    // Tried again with each flush, and at last by the snapshot, which waits for it.
    return isBegun ? { fault: 'never' } : { fault: 'fail', error: 'UnknownError' }
  }
  expect(await storage.get(['a'])).toMatchObject([{ payload: null }])
  const ids = ['a']
  while (!isBegun) {
    ids.push(`b${ids.length}`)
    await enqueue(storage, ids.at(-1) as string)
  }
  expect(await idsOf(storage)).toEqual(ids)
})

describe('a snapshot whose head somebody spoilt', () => {
  const LARGE = 'x'.repeat(20_000)

  /** Jobs that are in a snapshot and, but for the last, no longer in the log. */
  async function snapshotted(): Promise<{ name: string; ids: readonly string[] }> {
    const name = database()
    const storage = await open({ name, snapshotAfter: 1 })
    const ids: string[] = []
    for (let records = 0; records === ids.length && records < 50; ) {
      ids.push(`a${String(ids.length).padStart(2, '0')}`)
      await enqueue(storage, ids.at(-1) as string, { payload: LARGE })
      records = (await raw(name, ['log'], (transaction) => transaction.objectStore('log').count())).result
    }
    await storage.close()
    expect(ids.length).toBeLessThan(50)
    return { name, ids }
  }

  /** Somebody enqueues until there is another snapshot. Answers what the next one finds, with what was enqueued last. */
  async function wentOn(name: string) {
    const before = JSON.stringify(await headOf(name))
    const storage = await open({ name, snapshotAfter: 1 })
    const added: string[] = []
    while (JSON.stringify(await headOf(name)) === before && added.length < 50) {
      added.push(`x${String(added.length).padStart(2, '0')}`)
      await enqueue(storage, added.at(-1) as string)
    }
    await storage.close()
    expect(added.length).toBeLessThan(50)
    return { added, ids: (await stored(name)).map(({ id }) => id), damaged: healthOf(storage).damaged }
  }

  const spoilt: object = { generation: 'nobody knows' }

  test.each([
    ['spoilt', (snapshot: IDBObjectStore) => snapshot.put(spoilt, 'head')],
    ['removed', (snapshot: IDBObjectStore) => snapshot.delete('head')],
  ])('the head %s: no job is lost, before the next snapshot and after it, and it is counted', async (_, spoil) => {
    const { name, ids } = await snapshotted()
    await raw(name, ['snapshot'], (transaction) => void spoil(transaction.objectStore('snapshot')))
    const reader = await open({ name })
    expect([await idsOf(reader), healthOf(reader).damaged]).toEqual([ids, 1])
    await reader.close()
    const after = await wentOn(name)
    expect([after.ids, after.damaged]).toEqual([[...ids, ...after.added], 1])
    // The new snapshot has both again.
    const later = await open({ name })
    expect([healthOf(later).damaged, (await later.get([ids[0] as string]))[0]?.payload]).toEqual([0, LARGE])
  })

  test('one head of an older version, which writes no other, is no damage', async () => {
    const { name, ids } = await snapshotted()
    await raw(name, ['snapshot'], (transaction) => void transaction.objectStore('snapshot').delete('same head'))
    const reader = await open({ name })
    expect([await idsOf(reader), healthOf(reader).damaged]).toEqual([ids, 0])
  })

  test('every head spoilt: what the snapshot held is set aside with its payloads, and counted', async () => {
    const { name, ids } = await snapshotted()
    const before = await raw(name, ['snapshot', 'payloads'], (transaction) => {
      const snapshot = transaction.objectStore('snapshot')
      const payloads = transaction.objectStore('payloads').getAllKeys()
      const heads = snapshot.getAllKeys()
      heads.onsuccess = () => {
        for (const key of heads.result as string[]) if (!key.includes('/')) snapshot.put(spoilt, key)
      }
      return { heads, payloads }
    })
    const chunks = (before.heads.result as string[]).filter((key) => key.includes('/'))
    const after = await wentOn(name)
    const missing = ids.filter((id) => !after.ids.includes(id))
    const kept = await raw(name, ['$damaged'], (transaction) => transaction.objectStore('$damaged').getAllKeys())
    expect(kept.result).toEqual(expect.arrayContaining(chunks.map((key) => `snapshot/${key}`)))
    const lost = (before.payloads.result as string[]).filter((key) => kept.result.includes(`payloads/${key}`))
    expect([missing.length > 0, lost.length]).toEqual([true, missing.length])
    expect(after.damaged).toBeGreaterThanOrEqual(2 + chunks.length)
  })
})

/** What another tab leaves that begins a snapshot at this place of the log and is gone. */
async function beginSnapshot(name: string, position: number): Promise<void> {
  const mark = { writer: 'gone', position }
  await raw(name, ['$meta'], (transaction) => void transaction.objectStore('$meta').put(mark, 'snapshotting'))
}

test('a tab that is closed while it makes a snapshot: another one makes it', async () => {
  const name = database()
  const storage = await open({ name, snapshotAfter: 4 })
  await beginSnapshot(name, 3)
  for (let n = 0; n < 12; n++) await enqueue(storage, `job-${n}`)
  await storage.close()
  expect(await headOf(name)).toMatchObject({ position: expect.any(Number) as number })
})

test('a snapshot that was put off in a database that is gone is not put off in the next', async () => {
  const name = database()
  const storage = await open({ name, snapshotAfter: 4 })
  await beginSnapshot(name, 500)
  for (let n = 0; n < 12; n++) await enqueue(storage, `job-${n}`)
  expect(await headOf(name)).toBe(undefined)
  await deleted(name)
  for (let n = 0; n < 12; n++) await enqueue(storage, `other-${n}`)
  await storage.close()
  expect(await headOf(name)).toMatchObject({ position: expect.any(Number) as number })
})

test('a chunk of payloads that somebody spoilt is counted, kept, and fails the job that it was for', async () => {
  const { storage, name } = await faulty()
  await enqueue(storage, 'a', { payload: 'x'.repeat(20_000) })
  await storage.close()
  const keys = await raw(name, ['payloads'], (transaction) => {
    const payloads = transaction.objectStore('payloads')
    const keys = payloads.getAllKeys()
    keys.onsuccess = () => void payloads.put('spoilt', keys.result[0])
    return keys
  })
  const again = await open({ name })
  expect((await again.get(['a']))[0]?.payload).toBe(null)
  expect(healthOf(again).damaged).toBe(1)
  await enqueue(again, 'b')
  const [key] = keys.result as string[]
  const kept = await raw(name, ['$damaged'], (transaction) =>
    transaction.objectStore('$damaged').get(`payloads/${key}`),
  )
  expect(kept.result).toBe('spoilt')
})

test('a payload that somebody replaced by what no queue keeps fails its job, and the others run', async () => {
  const { storage, name } = await faulty()
  const payload = 'x'.repeat(20_000)
  for (const id of ['a', 'b']) await enqueue(storage, id, { payload })
  await storage.close()
  const spoilt: object = { when: /x/ }
  await raw(name, ['payloads'], (transaction) => {
    const payloads = transaction.objectStore('payloads')
    const keys = payloads.getAllKeys()
    keys.onsuccess = () => void payloads.put([spoilt], keys.result[0])
  })
  const again = await open({ name })
  expect((await claimed(again)).map(({ id }) => id)).toEqual(['b'])
  expect((await again.get(['a']))[0]).toMatchObject({ payload: null, error: { code: 'HOLDFAST_PAYLOAD_LOST' } })
})

/**
 * Chromium keeps large values in files of their own, which tools that clean up delete. On the emulation alone: an engine
 * takes no error from outside for a request that has succeeded, and its transaction is over by then. In Chromium such files
 * are deleted for real: tests/browser/pages/unreadable.chromium.test.ts.
 */
const onEmulation = describe.runIf(typeof document === 'undefined')
onEmulation.each(['NotReadableError', 'NotFoundError'])(
  'values that the browser cannot read any more (%s)',
  (error) => {
    /** From now on the value at the n-th key of the store is such a one. */
    async function unreadable(
      name: string,
      store: string,
      n: number,
    ): Promise<{ key: unknown; factory: FaultyFactory }> {
      const { result } = await raw(name, [store], (transaction) => transaction.objectStore(store).getAllKeys())
      const key = result[n]
      const factory = new FaultyFactory()
      factory.plan = ({ kind, method, store: of, query }) => {
        if (kind !== 'request' || of !== store || (method !== 'get' && method !== 'getAll')) return null
        const isHit = query instanceof IDBKeyRange ? query.includes(key) : query === undefined || query === key
        return isHit ? { fault: 'unreadable', error } : null
      }
      return { key, factory }
    }

    test('a chunk of payloads: its job ends with HOLDFAST_PAYLOAD_LOST, and the others run', async () => {
      const { name, storage } = await faulty()
      await enqueue(storage, 'a', { payload: 'x'.repeat(20_000) })
      await enqueue(storage, 'b', { payload: 'y'.repeat(20_000) })
      await storage.close()
      const { factory } = await unreadable(name, 'payloads', 0)
      const again = await open({ name, factory })
      expect((await again.get(['a', 'b'])).map((job) => typeof job?.payload)).toEqual(['object', 'string'])
      expect(await claimed(again)).toMatchObject([{ id: 'b' }])
      expect(await again.get(['a'])).toMatchObject([{ state: 'failed', error: { code: 'HOLDFAST_PAYLOAD_LOST' } }])
      expect(healthOf(again)).toMatchObject({ state: 'ok', damaged: 1 })
    })

    test('a record of the log: it is skipped and counted, and what others add is read', async () => {
      const { name, storage } = await faulty()
      for (const id of ['a', 'b', 'c']) await enqueue(storage, id)
      const { factory } = await unreadable(name, 'log', 1)
      const again = await open({ name, factory })
      expect([await idsOf(again), healthOf(again).damaged]).toEqual([['a', 'c'], 1])
      await enqueue(again, 'd')
      await enqueue(storage, 'e')
      await enqueue(again, 'f')
      expect([await idsOf(again), healthOf(again).damaged]).toEqual([['a', 'c', 'd', 'e', 'f'], 1])
    })

    test('a record that came between: the tab that wrote after it goes on', async () => {
      const { name, storage } = await faulty()
      await enqueue(storage, 'a')
      const { factory, storage: other } = await faulty({ name })
      await enqueue(storage, 'b')
      const { key, factory: unread } = await unreadable(name, 'log', 1)
      factory.plan = unread.plan
      expect(key).toBe(2)
      await enqueue(other, 'c')
      expect([await idsOf(other), healthOf(other).damaged]).toEqual([['a', 'c'], 1])
    })

    test('a piece of the snapshot: what it held is counted, and the queue goes on', async () => {
      const { name, storage } = await faulty({ snapshotAfter: 1 })
      for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) await enqueue(storage, id)
      await storage.close()
      const { factory, key } = await unreadable(name, 'snapshot', 0)
      expect(key).toMatch('/')
      const again = await open({ name, factory, snapshotAfter: 1 })
      const left = await idsOf(again)
      expect([left.length < 6, healthOf(again).damaged > 0]).toEqual([true, true])
      for (const id of ['g', 'h', 'i']) await enqueue(again, id)
      expect(await idsOf(again)).toEqual([...left, 'g', 'h', 'i'])
    })
  },
)
