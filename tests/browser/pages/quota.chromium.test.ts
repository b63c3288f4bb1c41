import { afterAll, beforeAll, expect, test } from 'vitest'
import { pageOf, type Remote } from './browser.ts'
import { type Chromium, type ChromiumTab, startChromium } from './chromium.ts'
import { type PageServer, servePages } from './page-server.ts'
import { freshProfile, type Profile } from './profile.ts'

let profile: Profile
let browser: Chromium
let server: PageServer
let tab: ChromiumTab
let page: Remote<typeof import('./quota.page.ts')>

beforeAll(async () => {
  server = await servePages({ scripts: { '/page.js': new URL('quota.page.ts', import.meta.url) } })
  profile = await freshProfile()
  browser = await startChromium({ profile })
  tab = await browser.open('about:blank')
  page = pageOf(tab)
})
afterAll(async () => {
  await browser.close()
  await profile.remove()
  await server.close()
})

const JOBS = 40

// What the emulated quota does in tests/browser/indexeddb-failures.test.ts, by the browser's own. Once it is used up not
// even ten bytes can be written, and what is deleted makes no room before the database compacts itself: what jobs are
// ended on is the reserve alone.
test('when the quota is used up nothing accepted is lost, and what runs can be ended; more room, and all goes on', async () => {
  // Before anything is stored: the browser goes by what it knew of the room for a while.
  await tab.limitStorage(server.origin, 3_000_000)
  await tab.page.goto(server.origin)
  await page.open()
  await page.run(JOBS)
  const { ids, error } = await page.fill()
  expect([error, ids.length > 100]).toEqual(['HOLDFAST_STORAGE_FULL', true])
  expect(await page.writeTenBytes()).toBe('QuotaExceededError')

  await page.letGo()
  await expect.poll(() => page.counts()).toMatchObject({ pending: ids.length, running: 0, completed: JOBS })
  expect(await page.cancel('note-0')).toBe('cancelled')
  expect(await page.enqueue('refused', '')).toBe('HOLDFAST_STORAGE_FULL')
  // A slow browser may break a connection on the way there; what it comes to is told last.
  expect((await page.takeTold()).at(-1)).toBe('HOLDFAST_STORAGE_FULL')

  await tab.limitStorage(server.origin, 30_000_000)
  expect(await page.enqueue('accepted', '')).toBe(null)
  expect((await page.takeTold()).at(-1)).toBe('ok')
  await tab.reload()
  await page.open()
  expect(await page.missing([...ids, 'accepted'])).toEqual([])
  // Completed ones may be pruned by now.
  expect(await page.counts()).toMatchObject({ pending: ids.length, running: 0, cancelled: 1 })
})

test('what the browser says of the storage is told, and it can be asked to keep it', async () => {
  expect(await page.persist()).toEqual({ granted: false, persisted: false, isMeasured: true })
  const granted = { permission: { name: 'persistent-storage' }, state: 'granted' } as const
  await tab.page.browserContext().setPermission(server.origin, granted)
  expect(await page.persist()).toEqual({ granted: true, persisted: true, isMeasured: true })
})

test('site data that the browser clears while a page is open: the queue begins anew, and says so', async () => {
  await tab.clearStorage(server.origin)
  await expect.poll(() => page.counts()).toEqual({ pending: 0, running: 0, completed: 0, cancelled: 0 })
  expect(await page.takeTold()).toContain('reset')
  expect(await page.enqueue('anew', '')).toBe(null)
  await tab.reload()
  await page.open()
  expect(await page.missing(['anew'])).toEqual([])
})
