// A claim of 10 jobs with 1,000 and with 1,000,000 waiting, on the storage itself. Jobs that were claimed are replaced,
// so that the number stays; both storages live in the same process and are asked in turn, so that both meet the same
// noise, garbage collection included.
import { memory } from 'holdfast/memory'
import { newJob } from 'holdfast/testing'
import { PAYLOAD, quantile, report } from './work.mjs'

const CLAIMS = 20_000
const BATCH = 10
const AIM = 2

let made = 0
function job(now) {
  made += 1
  return newJob({ id: `job-${made}`, type: 'work', payload: PAYLOAD, priority: made % 100, createdAt: now, runAt: now })
}

async function storageWith(waiting) {
  const storage = memory()
  await storage.open()
  await storage.session({ open: 'bench', leaseDuration: 30_000, now: 0 })
  for (let start = 0; start < waiting; start += 1000) {
    await storage.enqueue({ jobs: Array.from({ length: 1000 }, () => job(start)), now: start })
  }
  return { storage, spans: [], claims: 0 }
}

async function claimOnce(bench, now) {
  const { storage } = bench
  bench.claims += 1
  const request = {
    requestId: String(bench.claims),
    session: 'bench',
    now,
    limit: BATCH,
    lanes: [{ type: 'work' }],
    have: ['online'],
    suspects: 'none',
  }
  const started = performance.now()
  const { jobs } = await storage.claim(request)
  bench.spans.push(performance.now() - started)
  if (jobs.length !== BATCH) throw new Error(`Claimed ${jobs.length} jobs instead of ${BATCH}`)
  await storage.settle({
    batch: jobs.map(({ id, fence }) => ({ id, fence, kind: 'complete', result: null })),
    now,
  })
  await storage.prune({
    rules: [{ state: 'completed', finishedBefore: 0, keep: 0 }],
    spareSince: now + 1,
    limit: 1000,
    now,
  })
  await storage.enqueue({ jobs: jobs.map(() => job(now)), now })
}

const few = await storageWith(1000)
const many = await storageWith(1_000_000)
globalThis.gc?.()
const now = 2_000_000
for (let index = 0; index < CLAIMS; index++) {
  await claimOnce(few, now + index)
  await claimOnce(many, now + index)
}
const warm = (bench) => bench.spans.slice(CLAIMS / 10)
const [p99Few, p99Many] = [quantile(warm(few), 0.99), quantile(warm(many), 0.99)]
const factor = p99Many / p99Few
report([
  {
    what: `claim of ${BATCH}, p99, 1,000 waiting`,
    result: `${p99Few.toFixed(3)} ms (p50 ${quantile(warm(few), 0.5).toFixed(3)})`,
  },
  {
    what: `claim of ${BATCH}, p99, 1,000,000 waiting`,
    result: `${p99Many.toFixed(3)} ms (p50 ${quantile(warm(many), 0.5).toFixed(3)}), × ${factor.toFixed(2)}`,
    aim: `≤ × ${AIM}`,
    met: factor <= AIM,
  },
])
