import { expect, test } from 'vitest'
import { pageOf } from './browser.ts'
import { startFirefox } from './firefox.ts'
import { servePages } from './page-server.ts'
import { freshProfile } from './profile.ts'

type Raw = typeof import('./raw.page.ts')

test('what was committed with strict durability is there after SIGKILL of the browser', async () => {
  const scripts = { '/page.js': new URL('raw.page.ts', import.meta.url) } as const
  await using server = await servePages({ scripts })
  await using profile = await freshProfile()
  await using browser = await startFirefox({ profile })
  await pageOf<Raw>(await browser.open(server.origin)).put('kept', 'value', 'strict')
  await browser.kill()
  await using survivor = await startFirefox({ profile })
  expect(await pageOf<Raw>(await survivor.open(server.origin)).keys()).toEqual(['kept'])
})
