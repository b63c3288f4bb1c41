import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type Browser, pageOf, type Remote, type Tab } from './browser.ts'
import { type PageServer, servePages } from './page-server.ts'
import { freshProfile, type Profile } from './profile.ts'
import { startBrowser } from './start.ts'

let server: PageServer
let profile: Profile
let browser: Browser

beforeAll(async () => {
  server = await servePages({ scripts: { '/page.js': new URL('life.page.ts', import.meta.url) } })
  profile = await freshProfile()
  browser = await startBrowser(inject('engine'), profile)
})
afterAll(async () => {
  await browser.close()
  await profile.remove()
  await server.close()
})

/** Makes the page go to another one, and resolves when that is there. */
async function go(tab: Tab, act: () => void, path: string): Promise<void> {
  await tab.evaluate(act)
  const shown = (): Promise<string> => tab.evaluate(() => location.pathname + document.readyState).catch(String)
  await expect.poll(shown).toBe(`${path}complete`)
}

/** How often the page may be left until it was kept in the cache: one that stood still as it went in is thrown out. */
const TRIES = 4

test('a page in the back/forward cache gives its job away and is in nobody’s way; back again it has a new session', async () => {
  for (let tries = 1; !(await leaveAndComeBack(tries)); tries++) expect(tries).toBeLessThan(TRIES)
})

/** Answers whether the page that came back is the one that was left. */
async function leaveAndComeBack(time: number): Promise<boolean> {
  const [a, b] = [`a${time}`, `b${time}`]
  const tab = await browser.open(server.origin)
  const page: Remote<typeof import('./life.page.ts')> = pageOf(tab)
  // Firefox caches no page that holds a lock: there it goes by the lease, as on insecure origins.
  if (browser.engine === 'firefox') await tab.evaluate(() => void Reflect.deleteProperty(Navigator.prototype, 'locks'))
  await page.open()
  await page.enqueue(a, { steps: 1000, each: 20 }, 60_000)
  await expect.poll(() => page.events()).toEqual([`started ${a}`])

  await go(tab, () => void (location.href = '/other'), '/other')
  // The page before keeps no connection, which would block this for as long as it is cached.
  expect(await page.upgrade(4 + time)).toBe('opened')
  const before = performance.now()
  await page.open()
  await expect.poll(() => page.events(), { interval: 10 }).toEqual([`started ${a}`])
  const took = performance.now() - before
  await expect.poll(() => page.job(a)).toMatchObject({ status: 'completed', attempts: 2, interruptions: 1 })

  await go(tab, () => history.back(), '/')
  if ((await page.events()).length === 0) return false
  await expect
    .poll(() => page.events())
    .toEqual([`started ${a}`, 'back', `aborted ${a} HOLDFAST_LEASE_LOST`, `lost ${a}`])
  await page.enqueue(b, { steps: 1, each: 1 }, 60_000)
  await expect.poll(() => page.job(b)).toMatchObject({ status: 'completed', attempts: 1 })
  expect(await page.job(a)).toMatchObject({ status: 'completed', attempts: 2, interruptions: 1 })
  console.log(
    `A page of ${browser.engine} went into the back/forward cache: its job ran in the next one ${took.toFixed(0)} ms after that had opened the queue`,
  )
  return true
}
