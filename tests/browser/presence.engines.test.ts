import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { BroadcastHints } from '../../src/adapters/indexeddb/hints.ts'
import { type Platform, thisPlatform } from '../../src/adapters/indexeddb/platform.ts'
import { WebLockPresence } from '../../src/adapters/indexeddb/presence.ts'
import { nameOf } from './presence-name.ts'

// The real thing behind tests/adapters/indexeddb/{presence,hints}.test.ts. Frames and workers stand for other tabs: to
// the browser each is an agent of its own, whose locks go with it.

interface Frame {
  src: string
  readonly contentWindow: Platform & { dispatchEvent(event: unknown): boolean }
  remove(): void
}

interface Page {
  readonly document: { createElement(tag: 'iframe'): Frame; readonly body: { append(frame: Frame): void } }
  readonly navigator: { readonly locks: { query(): Promise<Record<'held' | 'pending', readonly { name: string }[]>> } }
  readonly Event: new (type: string) => unknown
  readonly Worker: new (url: URL, options: { type: 'module' }) => HoldingWorker
}

interface HoldingWorker {
  onmessage: ((event: { readonly data: unknown }) => void) | null
  postMessage(message: unknown): void
  terminate(): void
}

const page = globalThis as unknown as Page
/** What the browser may take to tell of a death; the bound that another tab's jobs have to run by. ms */
const SOON = { timeout: 30_000, interval: 5 }

let database = ''
let rows: unknown[] = []
let found = 0
let watcher: WebLockPresence
let stop: () => void = () => undefined
let frames: Frame[] = []

beforeEach(async () => {
  database = `presence ${Math.random()}`
  rows = []
  found = 0
  frames = []
  watcher = new WebLockPresence({ database, writer: 'watcher', platform: thisPlatform() })
  await watcher.open()
  await nameOf(watcher)
  stop = watcher.watch(
    () => rows,
    () => (found += 1),
  )
})

afterEach(async () => {
  stop()
  await watcher.close()
  for (const frame of frames) frame.remove()
})

function frame(): Frame {
  const made = page.document.createElement('iframe')
  frames.push(made)
  page.document.body.append(made)
  return made
}

/** Another page that holds a name, which a session tells. */
async function holder() {
  const made = frame()
  const presence = new WebLockPresence({ database, writer: `frame${frames.length}`, platform: made.contentWindow })
  await presence.open()
  const name = await nameOf(presence)
  rows.push(name)
  watcher.look()
  return { frame: made, presence, name }
}

async function names(of: 'held' | 'pending'): Promise<readonly string[]> {
  const { [of]: locks } = await page.navigator.locks.query()
  return locks.map(({ name }) => name).filter((name) => name.includes(database))
}

const pause = (span: number): Promise<void> => new Promise((resolve) => thisPlatform().setTimeout(resolve, span))

test('a name is held when it is told', async () => {
  expect(watcher.self).toEqual(expect.any(String))
  expect(await names('held')).toEqual([watcher.self])
})

test('a page that is gone is over, and not before', async () => {
  const { frame: other, name } = await holder()
  await pause(100)
  expect([watcher.isOver(name), found]).toEqual([false, 0])
  other.remove()
  await vi.waitFor(() => expect([watcher.isOver(name), found]).toEqual([true, 1]), SOON)
})

test('a worker that is terminated is over', async () => {
  const worker = new page.Worker(new URL('./presence.worker.ts', import.meta.url), { type: 'module' })
  const name = await new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data)
    worker.postMessage(database)
  })
  rows.push(name)
  watcher.look()
  await vi.waitFor(async () => expect(await names('pending')).toEqual([name]), SOON)
  worker.terminate()
  await vi.waitFor(() => expect(watcher.isOver(name)).toBe(true), SOON)
})

test('a page that is left gives its name up, and takes a new one when it is back', async () => {
  const { frame: other, presence, name } = await holder()
  other.contentWindow.dispatchEvent(new page.Event('pagehide'))
  await vi.waitFor(() => expect(watcher.isOver(name)).toBe(true), SOON)
  other.contentWindow.dispatchEvent(new page.Event('pageshow'))
  expect(presence.self).toBe(undefined)
  await presence.naming
  expect(presence.naming).toBe(null)
  expect(await nameOf(presence)).toEqual(expect.any(String))
  expect(presence.self).not.toBe(name)
  expect([...(await names('held'))].sort()).toEqual([presence.self, watcher.self].sort())
  rows.push(presence.self)
  watcher.look()
  await pause(100)
  expect(watcher.isOver(presence.self)).toBe(false)
})

test('a handle that is closed leaves nothing that is held or waited for', async () => {
  const { presence, name } = await holder()
  await vi.waitFor(async () => expect(await names('pending')).toEqual([name]), SOON)
  stop()
  await watcher.close()
  await vi.waitFor(async () => expect(await names('pending')).toEqual([]), SOON)
  await presence.close()
  await vi.waitFor(async () => expect(await names('held')).toEqual([]), SOON)
  expect(found).toBe(0)
})

test('a hint reaches other pages, and no other database', async () => {
  const [own, other] = [thisPlatform(), frame().contentWindow]
  const open = (name: string, platform: Platform) => {
    const hints = new BroadcastHints({ database: name, platform })
    const heard = vi.fn()
    hints.open()
    hints.listen(heard)
    return { hints, heard }
  }
  const [teller, hearer, stranger] = [open(database, own), open(database, other), open(`${database}2`, other)]
  teller.hints.tell()
  await vi.waitFor(() => expect(hearer.heard).toHaveBeenCalledTimes(1), SOON)
  expect([teller.heard.mock.calls.length, stranger.heard.mock.calls.length]).toEqual([0, 0])
  for (const { hints } of [teller, hearer, stranger]) hints.close()
})
