// Opening with many jobs waiting, what they weigh in memory, what is left of jobs that are done, and how long a snapshot
// of a large table holds up another tab.
import { inBrowser } from './browsers.mjs'
import { report } from './work.mjs'

const OPENING = new Map([
  [1000, 25],
  [10_000, 75],
  [100_000, 700],
])
const AIMS = { heap: 25, disk: 5, held: 100 }
const rows = []

await inBrowser('chromium', async ({ open }) => {
  for (const [count, aim] of OPENING) {
    const { page, tab } = await open()
    await page.filled(`waiting-${count}`, count)
    await tab.close()
    const fresh = await open()
    const { took, bytes } = await fresh.page.openFilled(`waiting-${count}`)
    rows.push({
      what: `IndexedDB: open to first start, ${count} waiting`,
      result: `${took.toFixed(0)} ms`,
      aim: `≤ ${aim} ms`,
      met: took <= aim,
    })
    if (count === 100_000)
      rows.push({
        what: 'IndexedDB: heap for 100,000 waiting',
        result: `${(bytes / 1e6).toFixed(1)} MB`,
        aim: `≤ ${AIMS.heap} MB`,
        met: bytes <= AIMS.heap * 1e6,
      })
    await fresh.tab.close()
  }
})
await inBrowser('chromium', async ({ open }) => {
  const { page } = await open()
  const usage = await page.passed('passed', 100_000)
  rows.push({
    what: 'IndexedDB: on the disk after 100,000 jobs have passed',
    result: `${(usage / 1e6).toFixed(1)} MB`,
    aim: `≤ ${AIMS.disk} MB`,
    met: usage <= AIMS.disk * 1e6,
  })
})
await inBrowser('chromium', async ({ open }) => {
  const writing = await open({ apart: true })
  const filling = await open({ apart: true })
  await writing.page.join('held', false)
  await filling.page.join('held', false)
  await filling.page.fillShared(100_000)
  const [held] = await Promise.all([writing.page.longestWrite(6000), filling.page.fillShared(10_000)])
  rows.push({
    what: 'IndexedDB: longest write of another tab while a snapshot of 100,000 is made',
    result: `${held.toFixed(0)} ms`,
    aim: `≤ ${AIMS.held} ms`,
    met: held <= AIMS.held,
  })
})
report(rows)
