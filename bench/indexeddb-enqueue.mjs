// Enqueues in Chromium on a profile on the disk, acknowledged when they are durable (`strict`), beside one put in a
// transaction of its own, in the same page and in turn with it.
import { inBrowser } from './browsers.mjs'
import { report, whole } from './work.mjs'

const ROUNDS = 4
const AIMS = { share: 0.75, concurrent: 12_000, many: 60_000 }

await inBrowser('chromium', async ({ open }) => {
  const { page } = await open()
  const top = { raw: 0, one: 0, concurrent: 0, many: 0 }
  for (let round = 0; round < ROUNDS; round++) {
    top.raw = Math.max(top.raw, await page.rawPuts('strict'))
    top.one = Math.max(top.one, await page.enqueues(300, 1))
    top.concurrent = Math.max(top.concurrent, await page.enqueues(12_800, 64))
    top.many = Math.max(top.many, await page.enqueuesMany(20_000))
  }
  const share = top.one / top.raw
  report([
    { what: 'IndexedDB: raw, one put a transaction, strict', result: `${whole(top.raw)}/s` },
    {
      what: 'IndexedDB: one awaited enqueue at a time',
      result: `${whole(top.one)}/s, ${Math.round(share * 100)} % of raw`,
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
