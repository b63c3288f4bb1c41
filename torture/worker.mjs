/**
 * One process under torture: `node worker.mjs '{…}'`. It enqueues and executes jobs through the built package and notes
 * what it was told, until somebody kills it.
 */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError, openQueue, RetryLater } from 'holdfast'
import { nodeFs } from 'holdfast/node-fs'
import { AckLog } from './acknowledgements.mjs'
import { chainedId, checksum, limited, work } from './job.mjs'
import { SeededRandom } from './seeded-random.mjs'

/**
 * @typedef {object} Task
 * @property {string} name names this process, and begins the ids of its jobs
 * @property {string} directory
 * @property {string} acks the file to note in
 * @property {number} seed
 * @property {number} rollAt bytes
 * @property {number} backlog waiting jobs above which it enqueues no more
 * @property {boolean} drain run what there is and enqueue nothing
 */

/** @type {Task} */
const task = JSON.parse(process.argv[2] ?? '')
// When the director dies, its end of this pipe is closed.
process.stdin.on('close', () => process.exit()).resume()
process.stdin.unref()
const random = new SeededRandom(task.seed)
const log = new AckLog(task.acks)
/** How many jobs it has asked for. */
let made = 0
const storage = nodeFs({ directory: task.directory, rollAt: task.rollAt })
// No two clocks agree: what is held by one, or by few, must not depend on them.
const skew = random.chance(0.5) ? random.whole(-3_600_000, 3_600_000) : 0
const now = () => Date.now() + skew
const queue = await openQueue({ storage, jobs: [work, limited], maxInterruptions: 1000, environment: { now } })
note()

const executor = queue.createExecutor({
  concurrency: task.drain ? 50 : 4,
  handlers: [work.handler(run), limited.handler(run)],
})
await executor.start()
if (task.drain) {
  await queue.idle({ includeScheduled: true })
  await queue.close()
} else {
  void repeat(10, 60, removeCompleted)
  await repeat(2, 40, enqueue)
}

function note() {
  queue.on('completed', ({ job }) => {
    const { chains } = /** @type {import('./job.mjs').Work} */ (job.payload)
    const chained = chains ? { chained: chainedId(job.id) } : {}
    log.write({ kind: 'completed', id: job.id, fence: job.fence, ...chained })
  })
  queue.on('lost', ({ job }) => log.write({ kind: 'lost', id: job.id, fence: job.fence }))
  queue.on('interrupted', ({ job }) => log.write({ kind: 'interrupted', id: job.id, fence: job.fence }))
  queue.on('failed', ({ job, error }) => log.write({ kind: 'failed', id: job.id, text: error.message }))
  queue.on('error', ({ error, service }) => noteError(error, service))
}

/** @param {unknown} error @param {string} what */
function noteError(error, what) {
  const code = HoldfastError.is(error) ? error.code : String(error)
  log.write({ kind: 'error', id: `${code} (${what})`, text: String(error instanceof Error ? error.stack : error) })
}

/** @param {unknown} payload @param {import('holdfast').HandlerContext} context */
async function run(payload, { job, fence, onComplete }) {
  const { name, text, sum, chains } = /** @type {import('./job.mjs').Work} */ (payload)
  log.write({ kind: 'started', id: job.id, fence })
  if (checksum(name, text) !== sum) log.write({ kind: 'spoiled', id: job.id, text: text.slice(0, 50) })
  // Some take so long that a process which sleeps through its lease finds them under way elsewhere when it wakes.
  await sleep(random.chance(0.03) ? random.between(300, 2500) : random.between(0, 15))
  // Whoever is strict keeps its place in its serial queue meanwhile.
  if (job.queueName !== null && random.chance(0.3)) throw new RetryLater({ after: random.whole(20, 200) })
  if (!chains) return createHash('sha256').update(text).digest('hex')
  const id = chainedId(job.id)
  log.write({ kind: 'asked', id })
  onComplete.enqueue(work, payloadOf(id), { id })
  return null
}

async function enqueue() {
  const { pending, scheduled } = await queue.counts()
  if (pending + scheduled > task.backlog) return
  // Now and then more than a record has room for in one line.
  const large = random.chance(0.004)
  const count = large ? 6 : random.chance(0.3) ? random.whole(2, 20) : 1
  const ids = Array.from({ length: count }, () => `${task.name}-${++made}`)
  log.write(...ids.map((id) => /** @type {const} */ ({ kind: 'asked', id })))
  const items = ids.map((id) => itemOf(id, large))
  try {
    // By its key a call may be folded into a job of before, which then has to be done.
    const jobs = await queue.enqueueMany(items)
    log.write(...jobs.map(({ id }) => /** @type {const} */ ({ kind: 'enqueued', id })))
  } catch (error) {
    noteError(error, 'enqueue')
  }
}

/** @param {string} id @param {boolean} large */
function itemOf(id, large) {
  const jobKey = random.chance(0.1) ? `key-${random.whole(0, 3)}` : undefined
  const options = { ...optionsOf(id, large), ...(jobKey === undefined ? {} : { jobKey, jobKeyMode: keyMode() }) }
  return { job: random.chance(0.1) ? limited : work, payload: payloadOf(id, large, jobKey), options }
}

/** @returns {import('holdfast').JobKeyMode} */
function keyMode() {
  return random.pick(/** @type {const} */ (['replace', 'preserveRunAt', 'unsafeDedupe'])) ?? 'replace'
}

/** @param {string} id @param {boolean} [large] @param {string} [jobKey] @returns {import('./job.mjs').Work} */
function payloadOf(id, large = false, jobKey = undefined) {
  const size = large ? 200_000 : random.whole(0, 200)
  const text = `${id} ${'ü\n"'.repeat(Math.ceil(size / 5))}`
  const name = jobKey ?? id
  // What a key folds into one job would ask for the same chained job again, with another payload.
  const chains = jobKey === undefined && !id.endsWith('+') && random.chance(0.1)
  return { name, text, sum: checksum(name, text), tenant: `tenant-${random.whole(0, 1)}`, chains }
}

/** @param {string} id @param {boolean} large @returns {import('holdfast').EnqueueOptions} */
function optionsOf(id, large) {
  return {
    id,
    // What is large goes first: while it waits, snapshots are large and rolls are rare.
    priority: large ? 4 : random.whole(0, 4),
    ...(random.chance(0.1) ? { delay: random.whole(1, 300) } : {}),
    ...(random.chance(0.1)
      ? { queueName: `line-${random.whole(0, 3)}`, serial: random.chance(0.5) ? 'strict' : 'relaxed' }
      : {}),
  }
}

/**
 * Finished jobs are kept for 10 s whatever the retention says, and would make every snapshot many times what the log
 * holds: then rolls are rare. So what is finished is removed through the storage itself.
 */
async function removeCompleted() {
  const rules = [{ state: /** @type {const} */ ('completed'), finishedBefore: Infinity, keep: 0 }]
  await storage
    .prune({ rules, spareSince: Infinity, limit: 1000, now: now() })
    .catch((error) => noteError(error, 'prune'))
}

/** @param {number} least ms @param {number} limit ms @param {() => Promise<void>} step @returns {Promise<never>} */
async function repeat(least, limit, step) {
  for (;;) {
    await step()
    await sleep(random.between(least, limit))
  }
}
