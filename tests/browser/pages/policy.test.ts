import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type Browser, pageOf, type Remote } from './browser.ts'
import { ChromiumTab } from './chromium.ts'
import { type PageServer, servePages } from './page-server.ts'
import { freshProfile, type Profile } from './profile.ts'
import { startBrowser } from './start.ts'

const policy = `default-src 'self'; script-src 'self'; worker-src 'self'; require-trusted-types-for 'script'`

let server: PageServer
let profile: Profile
let browser: Browser
let page: Remote<typeof import('./policy.page.ts')>
/** Errors and warnings in the console, and what was thrown and not caught. Chromium only. */
const complaints: string[] = []

beforeAll(async () => {
  server = await servePages({
    scripts: {
      '/page.js': new URL('policy.page.ts', import.meta.url),
      '/worker.js': new URL('policy.worker.ts', import.meta.url),
      '/jobs.worker.js': new URL('policy-jobs.worker.ts', import.meta.url),
    },
    policy,
  })
  profile = await freshProfile()
  browser = await startBrowser(inject('engine'), profile)
  const tab = await browser.open(server.origin)
  if (tab instanceof ChromiumTab) {
    tab.page.on('console', (message) => complaints.push(message.text()))
    tab.page.on('pageerror', (error) => complaints.push(String(error)))
    // What it says while it loads is to be heard as well.
    await tab.reload()
  }
  page = pageOf(tab)
})
afterAll(async () => {
  await browser.close()
  await profile.remove()
  await server.close()
})

test('a page and its worker run jobs under a strict policy, with nothing forbidden', async () => {
  expect(await page.greeting('page')).toBe('Hello page')
  expect(await page.inWorker('greeting', 'worker')).toBe('Hello worker')
  expect(await page.greetingInThread('thread')).toEqual(['Hello thread', 0])
  const all = [...(await page.told()), ...((await page.inWorker('told', '')) as string[])]
  expect({ all, reported: server.violations, complaints }).toEqual({ all: [], reported: [], complaints: [] })
  console.log(
    `Policy in ${inject('engine')}: 2 jobs in a page, 2 in a worker and 1 of its Web Workers, 0 violations (${policy})`,
  )
})

test('what is forbidden would have been noticed, in the page and in the worker', async () => {
  expect(await page.forbidden()).toBe('refused')
  expect(await page.inWorker('forbidden', '')).toBe('refused')
  expect(await page.told()).toHaveLength(1)
  // WebKitGTK refuses what a worker may not do and tells nobody, and Chromium keeps a worker's console apart.
  if (inject('engine') !== 'webkit') await expect.poll(() => page.inWorker('told', '')).toHaveLength(1)
  await expect.poll(() => server.violations.length).toBeGreaterThanOrEqual(1)
  if (inject('engine') === 'chromium') await expect.poll(() => complaints.length).toBeGreaterThanOrEqual(1)
})
