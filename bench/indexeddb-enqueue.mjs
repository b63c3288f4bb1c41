// Enqueues in Chromium on a profile on the disk, acknowledged when they are durable (`strict`), beside one put in a
// transaction of its own, in the same page and in turn with it.
import { inBrowser } from './browsers.mjs'
import { quantile, report, whole } from './work.mjs'

const ROUNDS = 5
const AIMS = { share: 0.75, concurrent: 12_000, many: 60_000 }

await inBrowser('chromium', async ({ open }) => {
  const { page } = await open()
  const top = { raw: 0, one: 0, concurrent: 0, many: 0 }
  /** What one round gave: a disk may be twice as fast a moment later. */
  const shares = []
  for (let round = 0; round < ROUNDS; round++) {
    const raw = await page.rawPuts('strict')
    const one = await page.enqueues(300, 1)
    top.raw = Math.max(top.raw, raw)
    top.one = Math.max(top.one, one)
    shares.push(one / raw)
    top.concurrent = Math.max(top.concurrent, await page.enqueues(12_800, 64))
    top.many = Math.max(top.many, await page.enqueuesMany(20_000))
  }
  const share = quantile(shares, 0.5)
  report([
    { what: 'IndexedDB: raw, one put a transaction, strict', result: `${whole(top.raw)}/s` },
    {
      what: 'IndexedDB: one awaited enqueue at a time',
      result: `${whole(top.one)}/s, ${Math.round(share * 100)} % of raw in the median of ${ROUNDS} rounds`,
      aim: `≥ ${AIMS.share * 100} %`,
      met: share >= AIMS.share,
    },
    {
      what: 'IndexedDB: 64 concurrent enqueues',
      result: `${whole(top.concurrent)}/s`,
      aim: `≥ ${whole(AIMS.concurrent)}`,
      met: top.concurrent >= AIMS.concurrent,
    },
    {
      what: 'IndexedDB: enqueueMany of 1,000',
      result: `${whole(top.many)}/s`,
      aim: `≥ ${whole(AIMS.many)}`,
      met: top.many >= AIMS.many,
    },
  ])
})
