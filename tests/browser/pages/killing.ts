import { setTimeout as sleep } from 'node:timers/promises'
import { SeededRandom } from '../../../torture/seeded-random.mjs'
import { pageOf } from './browser.ts'
import { type Chromium, startChromium } from './chromium.ts'
import { type Firefox, startFirefox } from './firefox.ts'
import { servePages } from './page-server.ts'
import { freshProfile, type Profile } from './profile.ts'

type Killed = typeof import('./killed.page.ts')

/** How long a page enqueues before its browser is killed, at the most, ms. */
const LONGEST = 800

export interface Killing {
  readonly summary: string
  readonly acknowledged: number
  /** Acknowledged jobs that were not there once the browser was started again. The first such start ends it. */
  readonly missing: readonly string[]
  /** Starts at which the queue did not say that the browser had thrown all away, or said so and it had not. */
  readonly misreported: readonly number[]
}

/**
 * Kills a browser that enqueues again and again, and looks for what it had acknowledged on the same profile. What Chromium
 * threw away with its own files is counted apart: see docs/guarantees.md, and `torn.chromium.test.ts`. A mark in another
 * database tells of it, not the queue.
 */
export async function kill(engine: 'chromium' | 'firefox', kills: number, seed: number): Promise<Killing> {
  const random = new SeededRandom(seed)
  const acknowledged: string[] = []
  let heard: () => void = () => undefined
  await using server = await servePages({
    scripts: { '/page.js': new URL('killed.page.ts', import.meta.url) },
    posts: {
      '/acknowledged': (id) => {
        acknowledged.push(id)
        heard()
        return ''
      },
    },
  })
  await using profile = await freshProfile()
  let missing: readonly string[] = []
  let thrownAway = 0
  let known = 0
  const found: number[] = []
  const misreported: number[] = []
  for (let round = 1; round <= kills + 1; round++) {
    await using browser = await start(engine, profile)
    const page = pageOf<Killed>(await browser.open(server.origin))
    const wasThrownAway = round > 1 && !(await page.isMarked())
    if (wasThrownAway) {
      thrownAway += acknowledged.length - known
      known = acknowledged.length
    }
    if ((await page.saysThrownAway()) !== wasThrownAway) misreported.push(round)
    await page.mark()
    missing = await page.missing(acknowledged.slice(known))
    found.push(await page.count())
    if (missing.length > 0) profile.keep()
    if (missing.length > 0 || round > kills) break
    const first = new Promise<void>((resolve) => (heard = resolve))
    // It ends with the browser.
    void page.enqueueOnAndOn(round).catch(() => undefined)
    await first
    await sleep(random.between(0, LONGEST))
    await browser.kill()
  }
  const count = new Intl.NumberFormat('en')
  const more = (found.at(-1) ?? 0) + missing.length + known - acknowledged.length
  const summary = `kill -9 of ${engine}, seed ${seed}: ${kills} kills, ${count.format(acknowledged.length)} jobs acknowledged, ${missing.length} missing, ${thrownAway} thrown away by the browser, ${more} more found that were not acknowledged yet`
  const trace =
    missing.length > 0 ? `\nFound at each start: ${found.join(', ')}. The profile is kept: ${profile.folder}` : ''
  return { summary: summary + trace, acknowledged: acknowledged.length, missing, misreported }
}

function start(engine: 'chromium' | 'firefox', profile: Profile): Promise<Chromium | Firefox> {
  return engine === 'chromium' ? startChromium({ profile }) : startFirefox({ profile })
}
