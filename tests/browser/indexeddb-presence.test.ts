import { afterEach, expect, test } from 'vitest'
import { IndexedDbLog } from '../../src/adapters/indexeddb/log.ts'
import { LoggedStorage } from '../../src/core/storage/logged-storage.ts'
import { NOW } from '../core/kit-targets.ts'
import { closeOpened, database, enqueue, open, opened } from './opened-storages.ts'

afterEach(closeOpened)

/** A tab, and how many sessions it knew of each time it looked whose death it has to wait for. */
async function tab(name: string): Promise<{ storage: LoggedStorage; looks: number[] }> {
  const looks: number[] = []
  let sessions = (): Iterable<unknown> => []
  const presence = {
    ...{ self: name, isOver: () => false, open: () => Promise.resolve(), close: () => Promise.resolve() },
    watch: (others: () => Iterable<unknown>) => {
      sessions = others
      return () => undefined
    },
    look: () => void looks.push([...sessions()].length),
  }
  const writer = `writer-${Math.random()}`
  const nothing = (): undefined => undefined
  const log = new IndexedDbLog({
    ...{ name, writer, presence, deadline: 10_000, poll: 60_000, snapshotAfter: 4 },
    ...{ factory: () => indexedDB, newIdentity: () => writer, openSignal: nothing, browserStorage: nothing },
    ...{ watchPage: () => nothing, durability: { durable: 'relaxed', append: 'relaxed' } },
  })
  const traits = { durable: true, scope: 'origin', payload: 'json', transactions: false } as const
  const storage = new LoggedStorage({ name: 'tab', traits, log, writer })
  await storage.open()
  opened.push(storage)
  return { storage, looks }
}

const session = (id: string): Parameters<LoggedStorage['session']>[0] => ({ open: id, leaseDuration: 30_000, now: NOW })

test('the death of a session that was opened elsewhere is waited for as soon as it was read', async () => {
  const name = database()
  const [heir, other] = [await tab(name), await open({ name })]
  await other.session(session('a'))
  await enqueue(heir.storage, 'job')
  expect(heir.looks.at(-1)).toBe(1)
  // Who comes later finds it in the log; who comes later still, in a snapshot.
  expect((await tab(name)).looks.at(-1)).toBe(1)
  for (let n = 0; n < 20; n++) await enqueue(other, `job-${n}`)
  expect((await tab(name)).looks.at(-1)).toBe(1)
})
