import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pageOf, type Remote } from './browser.ts'
import { type Chromium, type ChromiumTab, startChromium } from './chromium.ts'
import { type PageServer, servePages } from './page-server.ts'
import { freshProfile, type Profile } from './profile.ts'

type Page = typeof import('./life.page.ts')

let profile: Profile
let browser: Chromium
let server: PageServer

beforeAll(async () => {
  server = await servePages({
    scripts: {
      '/page.js': new URL('life.page.ts', import.meta.url),
      '/worker.js': new URL('life.worker.ts', import.meta.url),
    },
  })
  profile = await freshProfile()
  browser = await startChromium({ profile })
})
afterAll(async () => {
  await browser.close()
  await profile.remove()
  await server.close()
})

async function open(how: 'open' | 'openWithWorker' = 'open'): Promise<[ChromiumTab, Remote<Page>]> {
  const tab = await browser.open(server.origin)
  const page = pageOf<Page>(tab)
  await page[how]()
  return [tab, page]
}

test('a tab that another one hides asks for patience, and takes it back when it is seen', async () => {
  const [tab, page] = await open()
  expect(await page.patience()).toEqual([0])
  const cover = await browser.open('about:blank')
  await expect.poll(() => page.patience()).toEqual([150_000])
  await cover.close()
  await expect.poll(() => page.patience()).toEqual([0])
  await tab.close()
})

test('one with Web Workers asks for none any more once a worker ticks for it', async () => {
  const [tab, page] = await open('openWithWorker')
  const cover = await browser.open('about:blank')
  await expect.poll(() => page.patience()).toContain(150_000)
  await page.letTick()
  await expect.poll(() => page.patience()).not.toContain(150_000)
  expect(await tab.evaluate(() => document.visibilityState)).toBe('hidden')
  await cover.close()
  await tab.close()
})

test('a page that is frozen for longer than the timeout of its job goes on with it', async () => {
  const [tab, page] = await open()
  await page.enqueue('w', 'until resumed', 6000)
  await expect.poll(() => page.events()).toEqual(['started w'])
  await tab.freeze()
  await sleep(6500)
  await tab.resume()
  await expect.poll(() => page.job('w')).toEqual({ status: 'completed', attempts: 1, failures: 0, interruptions: 0 })
  expect(await page.events()).toEqual(['started w'])
  await tab.close()
})
