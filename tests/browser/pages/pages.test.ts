import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type Browser, pageOf } from './browser.ts'
import { servePages } from './page-server.ts'
import { freshProfile, type Profile } from './profile.ts'
import { startBrowser } from './start.ts'

const scripts = { '/page.js': new URL('raw.page.ts', import.meta.url) } as const
type Raw = typeof import('./raw.page.ts')

let profile: Profile
let browser: Browser

beforeAll(async () => {
  profile = await freshProfile()
  browser = await startBrowser(inject('engine'), profile)
})
afterAll(async () => {
  await browser.close()
  await profile.remove()
})

test('what a page stored is there after a reload, and in another page of its origin', async () => {
  await using server = await servePages({ scripts })
  const tab = await browser.open(server.origin)
  await pageOf<Raw>(tab).put('kept', 'value', 'strict')
  await tab.reload()
  expect(await pageOf<Raw>(tab).keys()).toEqual(['kept'])
  const other = await browser.open(`${server.origin}/other`)
  expect(await pageOf<Raw>(other).keys()).toEqual(['kept'])
})

test('each server is an origin of its own, which has nothing of what is stored in another', async () => {
  // At the same time: the port of one that has ended may be given again, and with it what was stored there.
  await using other = await servePages({ scripts })
  await using server = await servePages({ scripts })
  await pageOf<Raw>(await browser.open(other.origin)).put('elsewhere', 'value', 'strict')
  expect(await pageOf<Raw>(await browser.open(server.origin)).keys()).not.toContain('elsewhere')
})

test('a page tells things to the test while it runs, and what it throws is thrown here', async () => {
  const told: string[] = []
  await using server = await servePages({ scripts, posts: { '/told': (text) => `${told.push(text)}` } })
  const tab = await browser.open(server.origin)
  expect(await pageOf<Raw>(tab).tell('/told', 'started')).toBe('1')
  expect(told).toEqual(['started'])
  expect(await tab.evaluate((number) => number + 1, 1)).toBe(2)
  await expect(tab.evaluate(() => Promise.reject(new Error('from the page')))).rejects.toThrow('from the page')
})

test('the package that was built runs a job in a page', async () => {
  await using server = await servePages({ scripts: { '/page.js': new URL('package.page.ts', import.meta.url) } })
  const tab = await browser.open(server.origin)
  expect(await pageOf<typeof import('./package.page.ts')>(tab).greeting('world')).toBe('Hello world')
})

test('a policy holds, and what breaks it is reported', async () => {
  const policy = `default-src 'self'; script-src 'self'; worker-src 'self'; require-trusted-types-for 'script'`
  await using server = await servePages({ scripts, policy })
  const page = pageOf<Raw>(await browser.open(server.origin))
  await page.put('kept', 'value', 'strict')
  expect(server.violations).toEqual([])
  expect(await page.evaluates('1')).toBe(false)
  await expect
    .poll(() => server.violations)
    .toMatchObject([{ blocked: expect.stringMatching(/eval|trusted-types/) as string }])

  await using lenient = await servePages({ scripts })
  expect(await pageOf<Raw>(await browser.open(lenient.origin)).evaluates('1')).toBe(true)
})
