import { expect, test } from 'vitest'
import { pageOf } from './browser.ts'
import { startChromium } from './chromium.ts'
import { servePages } from './page-server.ts'
import { freshProfile } from './profile.ts'

type Raw = typeof import('./raw.page.ts')

test('what was committed with strict durability is there after SIGKILL of the browser', async () => {
  const scripts = { '/page.js': new URL('raw.page.ts', import.meta.url) } as const
  await using server = await servePages({ scripts })
  await using profile = await freshProfile()
  const acknowledged: string[] = []
  for (const round of [1, 2]) {
    await using browser = await startChromium({ profile })
    const page = pageOf<Raw>(await browser.open(server.origin))
    expect(await page.keys()).toEqual(acknowledged)
    for (const number of [1, 2, 3]) {
      await page.put(`${round}-${number}`, 'value', 'strict')
      acknowledged.push(`${round}-${number}`)
    }
    await browser.kill()
    await expect(page.keys()).rejects.toThrow()
  }
  await using survivor = await startChromium({ profile })
  expect(await pageOf<Raw>(await survivor.open(server.origin)).keys()).toEqual(acknowledged)
})
