import { expect, test, vi } from 'vitest'
import { BroadcastHints } from '../../../src/adapters/indexeddb/hints.ts'
import { ManualClock } from '../../../src/testing/index.ts'
import { FakeOrigin } from './fake-tabs.ts'

function origin() {
  const clock = new ManualClock()
  const browser = new FakeOrigin()
  const handle = (database = 'jobs', tab = browser.tab(clock)) => {
    const hints = new BroadcastHints({ database, platform: tab })
    hints.open()
    const heard = { times: 0 }
    const stop = hints.listen(() => (heard.times += 1))
    return { hints, tab, heard, stop }
  }
  return { clock, browser, handle }
}

test('all other handles of the database hear, in the same page too, and the one that tells does not', async () => {
  const { clock, handle } = origin()
  const teller = handle()
  const [samePage, otherPage] = [handle('jobs', teller.tab), handle()]
  teller.hints.tell()
  await clock.settle()
  expect([teller, samePage, otherPage].map(({ heard }) => heard.times)).toEqual([0, 1, 1])
})

test('handles of other databases do not hear', async () => {
  const { clock, handle } = origin()
  const [teller, other] = [handle(), handle('other')]
  teller.hints.tell()
  await clock.settle()
  expect(other.heard.times).toBe(0)
})

test.each([
  ['nothing', null],
  ['another version', 'holdfast 2: the log grew'],
  ['an object', { grew: true }],
  ['a number', 1],
  ['undefined', undefined],
])('a message that says %s does nothing', async (_, message) => {
  const { clock, browser, handle } = origin()
  const { heard } = handle()
  const Foreign = browser.tab(clock).BroadcastChannel
  if (Foreign === undefined) throw new Error('The tab was to have channels')
  new Foreign('holdfast:jobs').postMessage(message)
  await clock.settle()
  expect(heard.times).toBe(0)
})

test('after its end a listener hears nothing, nor does a handle that is closed', async () => {
  const { clock, browser, handle } = origin()
  const [teller, ended, closed] = [handle(), handle(), handle()]
  ended.stop()
  closed.hints.close()
  teller.hints.tell()
  closed.hints.tell()
  await clock.settle()
  expect([teller, ended, closed].map(({ heard }) => heard.times)).toEqual([0, 0, 0])
  expect([browser.channels.size, closed.tab.allListeners]).toEqual([2, 0])
})

test('opening twice leaves one channel', async () => {
  const { clock, browser, handle } = origin()
  const [teller, other] = [handle(), handle()]
  other.hints.open()
  teller.hints.tell()
  await clock.settle()
  expect([other.heard.times, browser.channels.size]).toEqual([1, 2])
})

test('a page that is away has no channel, and looks when it comes back', async () => {
  const { clock, browser, handle } = origin()
  const [teller, other] = [handle(), handle()]
  await other.tab.leave()
  expect(browser.channels.size).toBe(1)
  teller.hints.tell()
  other.tab.comeBack()
  expect(other.heard.times).toBe(1)
  teller.hints.tell()
  await clock.settle()
  expect(other.heard.times).toBe(2)
})

test('an open channel keeps no process of Node alive', () => {
  const { clock, browser, handle } = origin()
  const tab = browser.tab(clock)
  const channel = { onmessage: null, postMessage: vi.fn(), close: vi.fn(), unref: vi.fn() }
  tab.BroadcastChannel = function () {
    return channel
  } as never
  handle('jobs', tab)
  expect(channel.unref).toHaveBeenCalledOnce()
})

test('a channel that the browser has closed, refuses or does not have loses hints and nothing else', async () => {
  const { clock, browser, handle } = origin()
  const closed = handle()
  for (const channel of browser.channels) channel.close()
  expect(() => closed.hints.tell()).not.toThrow()

  const refused = browser.tab(clock)
  refused.BroadcastChannel = function () {
    throw new Error('SecurityError')
  } as never
  const missing = browser.tab(clock)
  delete missing.BroadcastChannel
  for (const tab of [refused, missing]) {
    const { hints, heard } = handle('jobs', tab)
    expect(() => hints.tell()).not.toThrow()
    await tab.freeze()
    tab.resume()
    expect(heard.times).toBe(1)
    hints.close()
  }
})
