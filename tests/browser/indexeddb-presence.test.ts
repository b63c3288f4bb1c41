import { afterEach, expect, test } from 'vitest'
import { IndexedDbLog } from '../../src/adapters/indexeddb/log.ts'
import { LoggedStorage } from '../../src/core/storage/logged-storage.ts'
import { NOW } from '../core/kit-targets.ts'
import { closeOpened, database, enqueue, open, opened } from './opened-storages.ts'

afterEach(closeOpened)

interface Presence {
  self: unknown
  naming: Promise<void> | null
}

interface Tab {
  readonly storage: LoggedStorage
  readonly looks: number[]
  readonly presence: Presence
  /** The names by which it knows the processes of sessions. */
  processes(): readonly unknown[]
}

/** A tab, and how many sessions it knew of each time it looked whose death it has to wait for. */
async function tab(name: string): Promise<Tab> {
  const looks: number[] = []
  let sessions = (): Iterable<unknown> => []
  const presence = {
    ...{
      self: name as unknown,
      naming: null as Promise<void> | null,
      isOver: () => false,
      open: () => Promise.resolve(),
      close: () => Promise.resolve(),
    },
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
  return { storage, looks, presence, processes: () => [...sessions()] }
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

test('a page that is back waits for its new name before it opens a session or beats: without one its death is no proof', async () => {
  const name = database()
  const { storage, presence } = await tab(name)
  const heir = await tab(name)
  await storage.session(session('before'))
  let named = (): void => undefined
  Object.assign(presence, { self: undefined, naming: new Promise<void>((resolve) => (named = resolve)) })
  const calls = [
    storage.session(session('after')),
    storage.beat({ session: 'before', now: NOW, holds: [], claiming: [], progress: [], patience: 0 }),
  ]
  await enqueue(storage, 'job')
  // Whoever writes reads what others wrote.
  await enqueue(heir.storage, 'first')
  expect((await heir.storage.sessions()).map(({ id, beats }) => [id, beats])).toEqual([['before', 0]])
  Object.assign(presence, { self: 'the new name', naming: null })
  named()
  await Promise.all(calls)
  await enqueue(heir.storage, 'second')
  expect(heir.processes()).toEqual(['the new name', 'the new name'])
})
