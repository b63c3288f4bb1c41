// 100,000 jobs in a storage of any kind, half of which have ended, and the first page of 50 of them. Platform-free: the
// page of IndexedDB measures with it too.
import { newJob } from 'holdfast/testing'

const JOBS = 100_000
export const NOW = 1_800_000_000_000
const STATUSES = ['pending', 'completed', 'failed', 'running', 'scheduled']
const ROUNDS = 40
const AIM = 5
const NEWEST = [{ path: ['createdAt'], direction: 'desc' }]
const ERROR = { name: 'Error', message: 'no' }

/** Opens the storage and fills it. The older half has ended, one in a hundred of it failed. */
async function populate(storage) {
  await storage.open()
  await storage.session({ open: 'bench', leaseDuration: 30_000, now: NOW })
  const lanes = Array.from({ length: 10 }, (_, at) => ({ type: `type-${at}` }))
  for (let made = 0; made < JOBS; made += 1000) {
    const now = NOW + made
    const jobs = Array.from({ length: 1000 }, (_, at) =>
      newJob({ id: `job-${made + at}`, type: `type-${at % 10}`, payload: { n: at }, createdAt: now, runAt: now }),
    )
    await storage.enqueue({ jobs, now })
    if (made >= JOBS / 2) continue
    const claim = { requestId: String(made), session: 'bench', now, limit: 1000, lanes, have: [], suspects: 'none' }
    const claimed = await storage.claim(claim)
    const batch = claimed.jobs.map(({ id, fence }, at) =>
      at % 100 === 0
        ? { id, fence, kind: 'fail', error: ERROR, counts: 'failure' }
        : { id, fence, kind: 'complete', result: null },
    )
    await storage.settle({ batch, now })
  }
}

/** ms of the first list, of the median of those after it, and of the slowest of twenty. */
export async function timed(storage, where, orderBy = NEWEST) {
  const request = { where, orderBy, limit: 50, after: null, now: NOW + JOBS }
  const spans = []
  for (let round = 0; round <= ROUNDS; round++) {
    const started = performance.now()
    await storage.list(request)
    spans.push(performance.now() - started)
  }
  const [first, ...others] = spans
  others.sort((a, b) => a - b)
  return { first, median: others[ROUNDS / 2], slow: others[Math.floor(ROUNDS * 0.95)] }
}

/** Rows of the report: the newest of each status, in a storage that is filled for it. */
export async function listed(place, storage) {
  await populate(storage)
  const rows = []
  for (const status of STATUSES) {
    const spans = await timed(storage, { status: { eq: status } })
    rows.push({
      what: `${place}: first 50 of ${JOBS} jobs by status ${status}, newest first`,
      result: told(spans),
      aim: `≤ ${AIM} ms`,
      met: spans.median <= AIM,
    })
  }
  return rows
}

export const told = ({ first, median, slow }) =>
  `${median.toFixed(2)} ms (p95 ${slow.toFixed(2)}, the first time ${first.toFixed(1)})`
