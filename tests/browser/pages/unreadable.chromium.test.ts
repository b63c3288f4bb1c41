import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ElementHandle } from 'puppeteer-core'
import { pageOf } from './browser.ts'
import { startChromium } from './chromium.ts'
import { servePages } from './page-server.ts'
import { freshProfile } from './profile.ts'

type Unreadable = typeof import('./unreadable.page.ts')

const scripts = { '/page.js': new URL('unreadable.page.ts', import.meta.url) } as const

test('files of large values that somebody deleted: what is lost is told, and all else goes on', async () => {
  await using server = await servePages({ scripts })
  await using profile = await freshProfile()
  {
    await using browser = await startChromium({ profile })
    await pageOf<Unreadable>(await browser.open(server.origin)).fill()
  }
  const folder = join(profile.folder, 'Default/IndexedDB')
  const found = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = found.filter((entry) => entry.isFile() && entry.parentPath.includes('.blob'))
  expect(files.length).toBeGreaterThan(1)
  for (const { parentPath, name } of files) await rm(join(parentPath, name))
  await using browser = await startChromium({ profile })
  const page = pageOf<Unreadable>(await browser.open(server.origin))
  expect(await page.run()).toEqual({
    ran: ['small', 'small'],
    errors: [],
    failed: ['HOLDFAST_PAYLOAD_LOST'],
    state: 'ok',
    damaged: 1,
  })
  expect(await page.goOn()).toEqual({ isDamaged: true, isThere: 'pending' })
})

test('a file that was changed after it was picked is refused, and what is enqueued beside it is not', async () => {
  await using server = await servePages({ scripts })
  await using profile = await freshProfile()
  await using browser = await startChromium({ profile })
  const tab = await browser.open(server.origin)
  const page = pageOf<Unreadable>(tab)
  const path = join(profile.folder, 'picked.txt')
  await writeFile(path, 'x'.repeat(1000))
  await page.offer()
  await ((await tab.page.$('input')) as ElementHandle<HTMLInputElement>).uploadFile(path)
  expect(await page.look()).toBe(1000)
  await writeFile(path, 'y'.repeat(1500))
  expect(await page.enqueuePicked()).toEqual({
    said: ['ok', 'ok', 'HOLDFAST_PAYLOAD_FORMAT', 'ok'],
    pending: 4,
    state: 'ok',
  })
})
