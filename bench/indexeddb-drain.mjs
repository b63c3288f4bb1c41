// Drains in the three engines, outcomes strict and claims relaxed, with an exact-delivery check; in Chromium also two
// tabs together, and a queue of the kind that is often written by hand.
import { best, inBrowser } from './browsers.mjs'
import { report, whole } from './work.mjs'

const JOBS = 20_000
const ROUNDS = 3
const AIMS = new Map([
  [10, 3000],
  [50, 12_000],
  [200, 40_000],
])
/** Of what is asked of Chromium, and of one tab. */
const OTHERS = 0.4
const TWO = 0.8

const rows = []
let shared = 0
let alone = 0
for (const engine of ['chromium', 'firefox', 'webkit']) {
  await inBrowser(engine, async ({ open }) => {
    const { page } = await open()
    for (const [concurrency, aim] of AIMS) {
      const rate = await best(ROUNDS, () => page.drain(JOBS, concurrency))
      const least = engine === 'chromium' ? aim : OTHERS * aim
      if (engine === 'chromium' && concurrency === 50) alone = rate
      rows.push({
        what: `IndexedDB: drain, ${engine}, concurrency ${concurrency}`,
        result: `${whole(rate)} jobs/s`,
        aim: `≥ ${whole(least)}`,
        met: rate >= least,
      })
    }
    if (engine !== 'chromium') return
    for (const concurrency of [10, 50])
      rows.push({
        what: `naive queue, a transaction per step, concurrency ${concurrency}`,
        result: `${whole(await page.naiveDrain(1000, concurrency))} jobs/s`,
      })
    const tabs = await Promise.all([open({ apart: true }), open({ apart: true })])
    const together = await best(ROUNDS, () => twoTabs(tabs.map((tab) => tab.page)))
    rows.push({
      what: 'IndexedDB: drain by two tabs, concurrency 50 each',
      result: `${whole(together)} jobs/s, ${Math.round((together / alone) * 100)} % of one`,
      aim: `≥ ${TWO * 100} %`,
      met: together >= TWO * alone,
    })
  })
}
report(rows)

async function twoTabs([first, second]) {
  const name = `shared-${++shared}`
  await first.filled(name, JOBS)
  // As with one tab, the queue is open when the clock starts.
  await Promise.all([first.join(name, { concurrency: 50 }), second.join(name, { concurrency: 50 })])
  const started = performance.now()
  await Promise.all([first.drainShared(), second.drainShared()])
  const rate = (JOBS / (performance.now() - started)) * 1000
  if ((await first.drainShared()) !== JOBS) throw new Error('A job was lost')
  await Promise.all([first.leave(), second.leave()])
  return rate
}
