import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pageOf, type Remote } from './browser.ts'
import { type Chromium, type ChromiumTab, startChromium } from './chromium.ts'
import { type PageServer, servePages } from './page-server.ts'
import { freshProfile, type Profile } from './profile.ts'

let server: PageServer
let profile: Profile
let browser: Chromium
const heard: string[] = []

beforeAll(async () => {
  server = await servePages({
    scripts: {
      '/page.js': new URL('raw.page.ts', import.meta.url),
      '/ticker.js': new URL('ticker.worker.ts', import.meta.url),
    },
    posts: { '/tick': (who) => (heard.push(who), '') },
  })
  profile = await freshProfile()
  browser = await startChromium({ profile })
})
afterAll(async () => {
  await browser.close()
  await profile.remove()
  await server.close()
})

async function open(): Promise<[ChromiumTab, Remote<typeof import('./raw.page.ts')>]> {
  const tab = await browser.open(server.origin)
  return [tab, pageOf<typeof import('./raw.page.ts')>(tab)]
}

function heardFrom(...all: readonly string[]): Promise<void> {
  return expect.poll(() => new Set(heard)).toEqual(new Set(all))
}

const ends: Record<string, (tab: ChromiumTab) => Promise<unknown>> = {
  closed: (tab) => tab.close(),
  crashed: (tab) => tab.crash(),
  reloaded: (tab) => tab.reload(),
}

test.each(Object.keys(ends))('the lock of a tab that is %s goes to the one that waits', async (end) => {
  const [holder, held] = await open()
  const [waiter, waiting] = await open()
  await held.hold(end)
  let acquired = false
  const turn = waiting.acquire(end).then(() => (acquired = true))
  // A round trip to the waiting page: it has asked for the lock, and has not got it.
  await waiting.keys()
  expect(acquired).toBe(false)
  await ends[end]?.(holder)
  await turn
  await waiter.close()
})

test('of a frozen tab neither the page nor its workers run until it is resumed', async () => {
  const [frozen, page] = await open()
  await page.tick()
  await heardFrom('page', 'worker')
  await frozen.freeze()
  // What was on its way may arrive late: in the end there are three seconds in which nothing does.
  await expect
    .poll(async () => {
      heard.length = 0
      await sleep(3000)
      return heard
    })
    .toEqual([])
  await frozen.resume()
  await heardFrom('page', 'worker')
  await frozen.close()
})

test('a tab is hidden by the next one in its window, and by none that opens apart', async () => {
  const visibility = (tab: ChromiumTab): Promise<string> => tab.evaluate(() => document.visibilityState)
  const [first] = await open()
  const [second] = await open()
  const apart = await browser.open(server.origin, { apart: true })
  // Each page is told by itself.
  await expect.poll(() => Promise.all([first, second, apart].map(visibility))).toEqual(['hidden', 'visible', 'visible'])
  await Promise.all([first, second, apart].map((tab) => tab.close()))
})

test('tabs of the insecure origin have neither locks nor random UUIDs', async () => {
  const tab = await browser.open(server.insecureOrigin)
  const has = await tab.evaluate(() => [
    isSecureContext,
    'locks' in navigator,
    'randomUUID' in crypto,
    'indexedDB' in globalThis,
  ])
  expect(has).toEqual([false, false, false, true])
  await tab.close()
})
