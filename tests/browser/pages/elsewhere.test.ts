import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Browser } from './browser.ts'
import { type End, quantile, TwoTabs } from './elsewhere.ts'
import { freshProfile, type Profile } from './profile.ts'
import { startBrowser } from './start.ts'

const engine = inject('engine')
/** WebKitGTK's driver has one tab. */
const hasTabs = engine !== 'webkit'

let profile: Profile
let browser: Browser
let tabs: TwoTabs

beforeAll(async () => {
  profile = await freshProfile()
  browser = await startBrowser(engine, profile)
  tabs = await TwoTabs.open(browser)
})
afterAll(async () => {
  await tabs[Symbol.asyncDispose]()
  await browser.close()
  await profile.remove()
})

test.runIf(hasTabs)('a tab starts the jobs that another one enqueues', async () => {
  const took = await tabs.startsElsewhere(50)
  const [half, most] = [quantile(took, 0.5), quantile(took, 0.95)].map((ms) => ms.toFixed(1))
  console.log(`Another tab in ${engine}: 50 jobs started, p50 ${half} ms, p95 ${most} ms after the call of enqueue`)
  // Without a hint it would have looked a second later.
  expect(quantile(took, 0.5)).toBeLessThan(500)
})

const ends: readonly End[] =
  engine === 'chromium' ? ['closed', 'crashed', 'reloaded', 'frozen', 'frozen with its worker'] : ['closed', 'reloaded']

// A worker that is frozen holds its lock and says nothing: others wait for its lease. That all others are gone is proven,
// long before the lease of their job is over.
test.runIf(hasTabs).each(ends)('the job of a tab that is %s runs in another tab', async (end) => {
  const lease = end === 'frozen with its worker' ? '2s' : '10m'
  const { took, hadProof, ...handover } = await tabs.handover(end, lease)
  console.log(`A tab in ${engine} was ${end}: its job started in another one ${took.toFixed(0)} ms later`)
  expect(handover).toEqual({ startedBy: ['dying', 'heir'], status: 'completed', interruptions: 1 })
  expect(hadProof || lease === '2s').toBe(true)
  expect(took).toBeLessThan(10_000)
})

// Nobody is proven to be gone there, so silence decides: the lease of two seconds, and some more for who looks.
test.runIf(engine === 'chromium')('on an insecure origin all is slower and nothing is wrong', async () => {
  await using insecure = await TwoTabs.open(browser, 'insecureOrigin')
  const started = await insecure.startsElsewhere(10)
  const { took, ...handover } = await insecure.handover('closed')
  console.log(
    `On an insecure origin another tab starts a job after ${quantile(started, 0.5).toFixed(1)} ms, and that of a closed tab after ${took.toFixed(0)} ms`,
  )
  expect(handover).toEqual({ startedBy: ['dying', 'heir'], status: 'completed', interruptions: 1, hadProof: false })
  expect(took).toBeLessThan(10_000)
})
