import type { CDPSession } from 'puppeteer-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { pageOf, type Remote } from './browser.ts'
import { type Chromium, type ChromiumTab, startChromium } from './chromium.ts'
import { type PageServer, servePages } from './page-server.ts'
import { freshProfile, type Profile } from './profile.ts'
import type { Told } from './sync.ts'

let profile: Profile
let browser: Chromium
let server: PageServer
let tab: ChromiumTab
let page: Remote<typeof import('./sync.page.ts')>
let devtools: CDPSession
let registrationId: string
/** What arrived, and what the service worker told, in one test. */
const uploads: string[] = []
const told: Told[] = []
/** The server answers nothing. */
let away = false
/** How long the service worker works at each event. */
let deadline = ''

beforeAll(async () => {
  server = await servePages({
    scripts: {
      '/page.js': new URL('sync.page.ts', import.meta.url),
      '/worker.js': new URL('sync.worker.ts', import.meta.url),
    },
    posts: {
      '/upload': (id) => {
        if (away) throw new Error('Nobody is there')
        return `${uploads.push(id)}`
      },
      '/told': (text) => `${told.push(JSON.parse(text) as Told)}`,
      '/deadline': () => deadline,
    },
  })
  profile = await freshProfile()
  browser = await startChromium({ profile })
  tab = await browser.open(server.origin)
  page = pageOf(tab)
  await page.open()
  // In a tab that stays, and that is no client of the worker.
  devtools = await (await browser.open('about:blank', { apart: true })).page.createCDPSession()
  const registered = new Promise<string>((resolve) => {
    devtools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const found = registrations.find(({ scopeURL }) => scopeURL.startsWith(server.origin))
      if (found !== undefined) resolve(found.registrationId)
    })
  })
  await devtools.send('ServiceWorker.enable')
  registrationId = await registered
})
afterAll(async () => {
  await browser.close()
  await profile.remove()
  await server.close()
})
beforeEach(async () => {
  uploads.length = 0
  told.length = 0
  deadline = '25s'
  await page.takeAsked()
})

function nextTold(): Promise<void> {
  return expect.poll(() => told).toHaveLength(1)
}

/** What the browser does some minutes after a sync that was rejected; until then it takes no other for that tag. */
async function fireSync(): Promise<void> {
  const event = { origin: server.origin, registrationId, tag: 'holdfast', lastChance: true }
  await devtools.send('ServiceWorker.dispatchSyncEvent', event)
}

test('a job that a page stores in IndexedDB is run by its service worker, which a sync wakes', async () => {
  await page.store('one')
  await nextTold()
  expect(told).toEqual([{ by: 'sync', done: 1, left: 0, nextRunAt: null }])
  expect([uploads, await page.takeAsked()]).toEqual([['one'], ['sync']])
  expect(await page.job('one')).toMatchObject({ status: 'completed' })
})

test('a server that is not reached: the sync is rejected, the job counts nothing, and the next sync goes on', async () => {
  away = true
  await page.store('two')
  await nextTold()
  away = false
  expect([told, uploads]).toEqual([[{ by: 'sync', code: 'HOLDFAST_WORK_LEFT' }], []])
  expect(await page.job('two')).toEqual({ status: 'scheduled', failures: 0, interruptions: 0, unreached: 1 })
  told.length = 0
  await page.hurry('two')
  await fireSync()
  await nextTold()
  expect([told[0]?.done, uploads]).toEqual([1, ['two']])
})

test('what runs at the deadline is aborted and given back, counted as nothing, and the sync is rejected', async () => {
  deadline = '1s'
  await page.store('stuck', { stuck: true })
  do {
    told.length = 0
    await fireSync()
    await nextTold()
    expect(told).toEqual([{ by: 'sync', code: 'HOLDFAST_WORK_LEFT' }])
    // On a machine that stands still the deadline may come before the job.
  } while (!uploads.includes('stuck'))
  expect(uploads).toEqual(['stuck'])
  expect(await page.job('stuck')).toEqual({ status: 'pending', failures: 0, interruptions: 0, unreached: 0 })
  await page.cancel('stuck')
})

test('a page that is gone is not needed', async () => {
  await page.store('three')
  await tab.close()
  await fireSync()
  await nextTold()
  expect([told[0]?.done, uploads]).toEqual([1, ['three']])
  tab = await browser.open(server.origin)
  page = pageOf(tab)
  await page.open()
  expect(await page.job('three')).toMatchObject({ status: 'completed' })
})

test('where Background Sync is switched off the worker gets a message', async () => {
  const denied = { permission: { name: 'background-sync' }, state: 'denied' } as const
  await tab.page.browserContext().setPermission(server.origin, denied)
  await page.store('four')
  await nextTold()
  expect([told[0]?.by, told[0]?.done, uploads]).toEqual(['message', 1, ['four']])
  expect(await page.takeAsked()).toEqual(['message'])
})

test('a page that goes online again asks the worker, if a job waits for the network', async () => {
  away = true
  await page.store('five')
  await nextTold()
  away = false
  told.length = 0
  await page.takeAsked()
  await tab.page.setOfflineMode(true)
  await expect.poll(() => page.isOnline()).toBe(false)
  await tab.page.setOfflineMode(false)
  await nextTold()
  expect(await page.takeAsked()).toEqual(['message'])
})
