import { createHash } from 'node:crypto'
import { expect, inject, test } from 'vitest'
import { pageOf } from './browser.ts'
import { servePages } from './page-server.ts'
import { freshProfile } from './profile.ts'
import { startBrowser } from './start.ts'

const PHOTOS = 3
const SIZE = 400_000

// WebKitGTK keeps no Blobs in the private window that its driver opens: bytes there.
const asBlobs = inject('engine') !== 'webkit'

test('photos that a page stored are uploaded after a reload, byte for byte', async () => {
  await using server = await servePages({
    scripts: { '/page.js': new URL('photos.page.ts', import.meta.url) },
    posts: { '/upload': (_, bytes) => createHash('sha256').update(bytes).digest('hex') },
  })
  await using profile = await freshProfile()
  await using browser = await startBrowser(inject('engine'), profile)
  const tab = await browser.open(server.origin)
  const page = pageOf<typeof import('./photos.page.ts')>(tab)
  const digests = await page.take(PHOTOS, SIZE, asBlobs)
  expect(await page.chunks()).toBe(PHOTOS)
  await tab.reload()
  expect(await page.uploadAll()).toEqual(
    digests.map((digest, n) => ({
      arrived: digest,
      type: asBlobs ? 'image/jpeg' : null,
      file: asBlobs ? [`${n}.txt`, `photo ${n}`, n] : null,
      taken: n,
    })),
  )
})
