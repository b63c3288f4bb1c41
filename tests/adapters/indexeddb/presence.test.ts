import { expect, test } from 'vitest'
import { WebLockPresence } from '../../../src/adapters/indexeddb/presence.ts'
import { ManualClock } from '../../../src/testing/index.ts'
import { FakeOrigin, type FakeTab } from './fake-tabs.ts'

interface Holder {
  readonly tab: FakeTab
  readonly presence: WebLockPresence
}

/** An origin whose tabs share one time, and the rows of sessions that its handles would find in the database. */
function origin() {
  const clock = new ManualClock()
  const browser = new FakeOrigin()
  const rows = new Set<unknown>()
  let writers = 0
  const open = async (database = 'jobs', tab = browser.tab(clock)): Promise<Holder> => {
    const presence = new WebLockPresence({ database, writer: `writer${++writers}`, platform: tab })
    await presence.open()
    rows.add(presence.self)
    return { tab, presence }
  }
  /** A holder that looks after all rows; `found` is told the names that are over. */
  const watcher = async () => {
    const holder = await open()
    const found: unknown[][] = []
    const stop = holder.presence.watch(
      () => rows,
      () => found.push([...rows].filter((name) => holder.presence.isOver(name))),
    )
    await clock.settle()
    return { ...holder, found, stop }
  }
  return { clock, browser, rows, open, watcher }
}

test('a handle holds a name of its own, and has it only once it is held', async () => {
  const { browser, clock, open } = origin()
  const tab = browser.tab(clock)
  const presence = new WebLockPresence({ database: 'jobs', writer: 'me', platform: tab })
  expect(presence.self).toBe(undefined)
  await presence.open()
  expect(browser.heldNames).toEqual([presence.self])
  expect(String(presence.self)).toMatch(/^[^-]/)
  const other = await open()
  expect(other.presence.self).not.toBe(presence.self)
})

test.each(['a tab that dies', 'a handle that is closed', 'a page that is frozen', 'a page that is left'])(
  '%s is over for the others at once, without a tick',
  async (how) => {
    const { clock, open, watcher } = origin()
    const { tab, presence } = await open()
    const { found, presence: watching } = await watcher()
    const name = presence.self
    expect([watching.isOver(name), found]).toEqual([false, []])
    if (how === 'a tab that dies') tab.die()
    else if (how === 'a handle that is closed') await presence.close()
    else if (how === 'a page that is frozen') await tab.freeze()
    else await tab.leave()
    await clock.settle()
    expect([watching.isOver(name), found]).toEqual([true, [[name]]])
    expect(clock.monotonic()).toBe(0)
  },
)

test('a held lock proves nothing: a tab that stands still without having been told is not over', async () => {
  const { clock, open, watcher } = origin()
  const { tab, presence } = await open()
  const { found, presence: watching } = await watcher()
  tab.stall()
  await clock.advance('1h')
  expect([watching.isOver(presence.self), found]).toEqual([false, []])
})

test('who was over before anybody looked is found by the next look', async () => {
  const { clock, open, watcher } = origin()
  const { found } = await watcher()
  const { tab, presence } = await open()
  tab.die()
  await clock.advance(499)
  expect(found).toEqual([])
  await clock.advance(1)
  expect(found).toEqual([[presence.self]])
})

test('`look` waits for those whose sessions were just read', async () => {
  const { clock, open, watcher } = origin()
  const { found, presence: watching } = await watcher()
  const { tab, presence } = await open()
  watching.look()
  await clock.settle()
  tab.die()
  await clock.settle()
  expect(found).toEqual([[presence.self]])
  expect(clock.monotonic()).toBe(0)
})

test.each(['resume', 'comeBack'] as const)(
  'a page that goes on (%s) takes a new name, and its old one is over',
  async (how) => {
    const { clock, browser, open, watcher } = origin()
    const { tab, presence } = await open()
    const { presence: watching, found, tab: own } = await watcher()
    const before = presence.self
    await (how === 'resume' ? tab.freeze() : tab.leave())
    // What is still written on the way out keeps the name that others see as over.
    expect(presence.self).toBe(before)
    tab[how]()
    // Nothing yet: a name that is not held would be seen as over.
    expect(presence.self).toBe(undefined)
    await clock.settle()
    expect(presence.self).not.toBe(before)
    expect(browser.heldNames).toEqual([watching.self, presence.self])
    expect([watching.isOver(before), watching.isOver(presence.self), found.length, own.allListeners]).toEqual([
      true,
      false,
      1,
      5,
    ])
  },
)

test('freeze and pagehide together end one name, and coming back takes one', async () => {
  const { clock, browser, open } = origin()
  const { tab, presence } = await open()
  await tab.leave()
  await tab.freeze()
  tab.comeBack()
  tab.resume()
  await clock.settle()
  expect(browser.heldNames).toEqual([presence.self])
  expect(String(presence.self)).toMatch(/\.2$/)
})

test('the first `pageshow` of a page takes no new name', async () => {
  const { clock, open } = origin()
  const { tab, presence } = await open()
  const name = presence.self
  tab.fire('pageshow')
  await clock.settle()
  expect(presence.self).toBe(name)
})

test('own names of before prove nothing about this handle', async () => {
  const { clock, rows, watcher } = origin()
  const { tab, presence, found } = await watcher()
  const before = presence.self
  await tab.freeze()
  tab.resume()
  await clock.advance('1m')
  expect(rows.has(before)).toBe(true)
  expect([presence.isOver(before), found]).toEqual([false, []])
})

test('while a page is away it waits for nobody, and then learns what it missed', async () => {
  const { clock, browser, open, watcher } = origin()
  const { tab, presence } = await open()
  const { tab: away, presence: watching, found } = await watcher()
  await away.freeze()
  expect([browser.waiting.length, browser.heldNames]).toEqual([0, [presence.self]])
  tab.die()
  await clock.settle()
  expect(found).toEqual([])
  away.resume()
  await clock.settle()
  expect([watching.isOver(presence.self), found.length]).toEqual([true, 1])
})

test('a watcher that stands still with the lock in its hands keeps nobody else from learning', async () => {
  const { clock, open, watcher } = origin()
  const { tab, presence } = await open()
  const [first, second] = [await watcher(), await watcher()]
  first.tab.stall()
  tab.die()
  await clock.settle()
  expect([first.found, second.found]).toEqual([[], [[presence.self]]])
})

test('locks of others than this database’s handles are not touched', async () => {
  const { clock, browser, rows, open, watcher } = origin()
  await open('other')
  for (const name of ['-', 'the lock of the application', { host: 'h', socket: 's' }, null, 7]) rows.add(name)
  const { found } = await watcher()
  await clock.advance('1m')
  expect([found, browser.waiting]).toEqual([[], []])
})

test('a proof is forgotten with the last session that names the process', async () => {
  const { clock, rows, open, watcher } = origin()
  const { tab, presence } = await open()
  const { presence: watching } = await watcher()
  tab.die()
  await clock.settle()
  expect(watching.isOver(presence.self)).toBe(true)
  rows.delete(presence.self)
  await clock.advance('1s')
  expect(watching.isOver(presence.self)).toBe(false)
})

test('after the end of the watch and the close nothing is held, waited for, listened to or timed', async () => {
  const { clock, browser, open, watcher } = origin()
  const other = await open()
  const { tab, presence, stop, found } = await watcher()
  stop()
  await presence.close()
  other.tab.die()
  await clock.advance('1m')
  expect([browser.heldNames, browser.waiting, tab.allListeners, found]).toEqual([[], [], 0, []])
  expect([presence.self, presence.isOver(other.presence.self)]).toEqual([undefined, false])
})

test('a handle that is opened again has a new name', async () => {
  const { browser, open } = origin()
  const { presence } = await open()
  const before = presence.self
  await presence.close()
  await presence.open()
  expect(presence.self).not.toBe(before)
  expect(browser.heldNames).toEqual([presence.self])
})

test('a handle that is opened twice, since its log could not be opened at first, holds one name', async () => {
  const { browser, clock, open } = origin()
  const { tab, presence } = await open()
  const listeners = tab.allListeners
  await presence.open()
  await clock.settle()
  expect([browser.heldNames, tab.allListeners]).toEqual([[presence.self], listeners])
})

test('without Web Locks there is no presence, and nothing else is lost', async () => {
  const { clock, browser, rows, open, watcher } = origin()
  const tab = browser.tab(clock)
  delete tab.navigator.locks
  const { presence } = await open('jobs', tab)
  expect(presence.self).toBe(undefined)
  const watched = await watcher()
  rows.add('holdfast:jobs:somebody.1')
  presence.watch(
    () => rows,
    () => expect.unreachable(),
  )
  await clock.advance('1m')
  await tab.freeze()
  tab.resume()
  expect([presence.self, presence.isOver(watched.presence.self)]).toEqual([undefined, false])
  await presence.close()
})

test('where the browser refuses locks there is no presence', async () => {
  const { browser, clock, open } = origin()
  const tab = browser.tab(clock)
  tab.navigator.locks = { request: () => Promise.reject(new Error('SecurityError')) }
  const { presence } = await open('jobs', tab)
  expect(presence.self).toBe(undefined)
})

test('a lock manager that never answers holds up the opening for a second', async () => {
  const { browser, clock } = origin()
  const tab = browser.tab(clock)
  tab.navigator.locks = { request: () => new Promise(() => undefined) }
  const presence = new WebLockPresence({ database: 'jobs', writer: 'me', platform: tab })
  let open = false
  const opening = presence.open().then(() => (open = true))
  await clock.advance(999)
  expect(open).toBe(false)
  await clock.advance(1)
  await opening
  expect(presence.self).toBe(undefined)
})

test('a lock that somebody steals is no name any more', async () => {
  const { browser, clock } = origin()
  const tab = browser.tab(clock)
  let steal: (error: Error) => void = () => undefined
  tab.navigator.locks = {
    request: (_name, _options, granted) => {
      void granted()
      return new Promise((_, reject) => (steal = reject))
    },
  }
  const presence = new WebLockPresence({ database: 'jobs', writer: 'me', platform: tab })
  await presence.open()
  expect(presence.self).not.toBe(undefined)
  steal(new Error('AbortError'))
  await clock.settle()
  expect(presence.self).toBe(undefined)
})

test('a lock that is granted when the page has left already is let go, and was no name', async () => {
  const { browser, clock } = origin()
  const tab = browser.tab(clock)
  const grants: (() => unknown)[] = []
  tab.navigator.locks = {
    request: (_name, _options, granted) => new Promise(() => grants.push(granted)),
  }
  const presence = new WebLockPresence({ database: 'jobs', writer: 'me', platform: tab })
  const opening = presence.open()
  await tab.leave()
  expect(grants.map((grant) => grant())).toEqual([undefined])
  expect(presence.self).toBe(undefined)
  await clock.advance('1s')
  await opening
})

test('the end of a process whose sessions were closed before is told to nobody', async () => {
  const { clock, rows, open, watcher } = origin()
  const { tab, presence } = await open()
  const { found, presence: watching } = await watcher()
  rows.delete(presence.self)
  tab.die()
  await clock.settle()
  expect([found, watching.isOver(presence.self)]).toEqual([[], false])
})

test('works in a worker, where there is neither a document nor an event of a page', async () => {
  const { clock, browser } = origin()
  const tab = browser.tab(clock)
  const { locks } = tab.navigator
  if (locks === undefined) throw new Error('The tab was to have locks')
  const worker = {
    navigator: { locks },
    setTimeout: (run: () => void, delay: number) => tab.setTimeout(run, delay),
    clearTimeout: (timer: unknown) => tab.clearTimeout(timer),
  }
  const presence = new WebLockPresence({ database: 'jobs', writer: 'me', platform: worker })
  await presence.open()
  expect(browser.heldNames).toEqual([presence.self])
  await presence.close()
})
