import { appendFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { pageOf } from './browser.ts'
import { startChromium } from './chromium.ts'
import { servePages } from './page-server.ts'
import { freshProfile } from './profile.ts'
import { LONG } from './proof.ts'

type Killed = typeof import('./killed.page.ts')

// When this fails because nothing is thrown away any more, Chromium was mended: then `killing.ts` needs no exception and
// docs/guarantees.md no sentence about it. Three starts of a browser for what is not ours: in the long form only; what holdfast
// makes of it is tested with all else that fails, in tests/browser/indexeddb-failures.test.ts.
test.runIf(LONG)(
  'a write of Chromium that its end broke off costs everything two starts later, and the queue says so',
  async () => {
    await using server = await servePages({ scripts: { '/page.js': new URL('killed.page.ts', import.meta.url) } })
    await using profile = await freshProfile()
    const told: boolean[] = []
    // By what the test of kills goes.
    const marked: boolean[] = []
    for (const id of ['first', 'second', 'third']) {
      await using browser = await startChromium({ profile })
      const page = pageOf<Killed>(await browser.open(server.origin))
      told.push(await page.saysThrownAway())
      marked.push(await page.isMarked())
      await page.mark()
      expect(await page.missing(id === 'second' ? ['first'] : [])).toEqual([])
      if (id === 'third') expect(await page.missing(['first', 'second'])).toEqual(['first', 'second'])
      await page.enqueue(id)
      await browser.kill()
      if (id === 'first') await beginRecord(profile.folder)
    }
    expect([told, marked]).toEqual([
      [false, false, true],
      [false, true, false],
    ])
  },
)

/** What a process leaves that is killed while it writes a record of LevelDB: a checksum, a length of 100, a kind, 3 bytes. */
async function beginRecord(profile: string): Promise<void> {
  const files = await readdir(join(profile, 'Default/IndexedDB'), { recursive: true })
  const logs = files.filter((file) => file.endsWith('.log'))
  expect(logs).toHaveLength(1)
  for (const log of logs)
    await appendFile(join(profile, 'Default/IndexedDB', log), Buffer.from([1, 2, 3, 4, 100, 0, 1, 5, 6, 7]))
}
