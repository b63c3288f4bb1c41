// Lists of 100,000 jobs, each first page of 50, on the table that all storages of this package share: by status with few
// and with many such jobs, newest first; by other orders and by the payload, where there is no bound on what it costs.
import { memory } from 'holdfast/memory'
import { newJob } from 'holdfast/testing'
import { quantile, report } from './work.mjs'

const JOBS = 100_000
const ROUNDS = 60
const AIM = 5
const NEWEST = [{ path: ['createdAt'], direction: 'desc' }]
const now = 1_800_000_000_000

async function populated() {
  const storage = memory()
  await storage.open()
  await storage.session({ open: 'bench', leaseDuration: 30_000, now })
  const error = { name: 'Error', message: 'no' }
  for (let made = 0; made < JOBS; made += 1000) {
    const jobs = Array.from({ length: 1000 }, (_, at) =>
      newJob({
        id: `job-${made + at}`,
        type: `type-${at % 10}`,
        payload: { n: at },
        createdAt: now + made,
        runAt: now + made,
      }),
    )
    await storage.enqueue({ jobs, now: now + made })
    // Half of the jobs ended, the older ones; one in a hundred of them failed.
    if (made >= JOBS / 2) continue
    const lanes = Array.from({ length: 10 }, (_, at) => ({ type: `type-${at}` }))
    const claim = {
      requestId: String(made),
      session: 'bench',
      now: now + made,
      limit: 1000,
      lanes,
      have: [],
      suspects: 'none',
    }
    const claimed = await storage.claim(claim)
    const batch = claimed.jobs.map(({ id, fence }, at) =>
      at % 100 === 0
        ? { id, fence, kind: 'fail', error, counts: 'failure' }
        : { id, fence, kind: 'complete', result: null },
    )
    await storage.settle({ batch, now: now + made })
  }
  return storage
}

const storage = await populated()

async function measure(where, orderBy = NEWEST) {
  const request = { where, orderBy, limit: 50, after: null, now: now + JOBS }
  const first = performance.now()
  await storage.list(request)
  const building = performance.now() - first
  const spans = []
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now()
    await storage.list(request)
    spans.push(performance.now() - started)
  }
  return { median: quantile(spans, 0.5), worst: quantile(spans, 0.95), building }
}

const rows = []
for (const status of ['pending', 'completed', 'failed', 'running', 'scheduled']) {
  const { median, worst, building } = await measure({ status: { eq: status } })
  rows.push({
    what: `first 50 of ${JOBS.toLocaleString('en')} jobs by status ${status}, newest first`,
    result: `${median.toFixed(2)} ms (p95 ${worst.toFixed(2)}, the first time ${building.toFixed(1)})`,
    aim: `≤ ${AIM} ms`,
    met: median <= AIM,
  })
}
const others = {
  'of a type': [{ type: { eq: 'type-3' } }],
  'by two fields': [
    {},
    [
      { path: ['priority'], direction: 'desc' },
      { path: ['runAt'], direction: 'asc' },
    ],
  ],
  'by a payload few jobs have': [{ payload: { n: { eq: 999 } }, createdAt: { lt: now + 3000 } }],
  'by a payload no job has': [{ payload: { n: { eq: -1 } } }],
}
for (const [name, [where, orderBy]] of Object.entries(others)) {
  const { median, worst, building } = await measure(where, orderBy)
  rows.push({
    what: `the same, ${name}`,
    result: `${median.toFixed(2)} ms (p95 ${worst.toFixed(2)}, the first time ${building.toFixed(1)})`,
  })
}
await storage.close()
report(rows)
