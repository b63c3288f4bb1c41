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
  // What is done stays for ten seconds at least, which is all of them when the last one has passed.
  const { during, left } = await page.passed('passed', 100_000)
  rows.push({
    what: 'IndexedDB: on the disk after 100,000 jobs have passed and retention has taken them',
    result: `${(left / 1e6).toFixed(1)} MB (${(during / 1e6).toFixed(1)} MB before)`,
    aim: `≤ ${AIMS.disk} MB`,
    met: left <= AIMS.disk * 1e6,
  })
})
await inBrowser('chromium', async ({ open }) => {
  const name = 'held'
  const writing = await open({ apart: true })
  const making = await open({ apart: true })
  // Neither makes one while it is filled; then a hundred jobs more are reason enough for one of the tabs, and no load.
  await writing.page.join(name, { snapshotAfter: 1e9 })
  await making.page.join(name, { snapshotAfter: 100_100 })
  await making.page.fillShared(100_000)
  // It has to read of them first, which is no part of a snapshot.
  await writing.page.fillShared(1)
  const longest = writing.page.longestWrite()
  await making.page.fillShared(100)
  await making.page.leave()
  await writing.page.stopWriting()
  const held = await longest
  rows.push({
    what: 'IndexedDB: longest write of another tab while a snapshot of 100,000 is made',
    result: `${held.toFixed(0)} ms`,
    aim: `≤ ${AIMS.held} ms`,
    met: held <= AIMS.held,
  })
})
report(rows)
