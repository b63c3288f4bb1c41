/**
 * `fork('control-program.mjs', ['{…}'])`: a process with a clock of its own that enqueues and runs jobs which share serial
 * queues, limits and keys with those of others, and notes what it does in a file that all of them share. Told anything, it
 * enqueues no more, works until nothing is left and ends.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { defineJob, fixed, openQueue } from 'holdfast'
import { nodeFs } from 'holdfast/node-fs'
import { MOST_OF_TENANT, note, PACE, PER, STARTS } from './control-ledger.mjs'

/**
 * @typedef {object} Role
 * @property {string} who names the process
 * @property {string} directory of the jobs
 * @property {string} ledger the file to note in
 * @property {number} ahead by how much its clock is wrong, ms
 *
 * @typedef {object} Turn
 * @property {string} thing what it takes a place in
 * @property {number} takes ms
 */

/** Waiting jobs of lines and tenants above which no more are enqueued. */
const BACKLOG = 20

const backoff = fixed('20ms')
const line = defineJob({ type: 'line', backoff })
const tenant = defineJob({
  type: 'tenant',
  backoff,
  limit: { concurrency: MOST_OF_TENANT, key: (payload) => /** @type {Turn} */ (payload).thing },
})
const paced = defineJob({ type: PACE, backoff, limit: { rate: STARTS, per: PER } })
const list = defineJob({ type: 'list', backoff })
const jobs = [line, tenant, paced, list]

/** @type {Role} */
const { who, directory, ledger, ahead } = JSON.parse(process.argv[2] ?? '')
process.on('disconnect', () => process.exit())
let finishes = false
process.on('message', () => (finishes = true))

// Whatever was done is asked for when all is over.
const kept = { maxAge: Infinity, maxCount: Infinity }
const queue = await openQueue({
  storage: nodeFs({ directory }),
  jobs,
  retention: { completed: kept, failed: kept },
  // It is no fault of a job whose process is killed here.
  maxInterruptions: 1000,
  environment: { now: () => Date.now() + ahead },
})
await queue.createExecutor({ concurrency: 8, handlers: jobs.map((job) => job.handler(run)) }).start()
for (let turn = 0; !finishes; turn++) {
  await Promise.all([enqueue(turn), collect(turn)])
  await sleep(20)
}
await queue.idle({ includeScheduled: true })
await queue.close()
process.disconnect()

/** @param {unknown} payload @param {import('holdfast').HandlerContext} context */
async function run(payload, { job, attempt }) {
  if (Array.isArray(payload)) return sleep(5, null)
  const { thing, takes } = /** @type {Turn} */ (payload)
  note(ledger, { what: 'start', who, id: job.id, thing })
  await sleep(takes)
  note(ledger, { what: 'end', who, id: job.id, thing })
  if (job.queueName !== null && takes % 2 === 1 && attempt === 1) throw new Error('once more')
  return null
}

/** @param {number} turn */
async function enqueue(turn) {
  const where = { type: { in: [line.type, tenant.type] }, status: { eq: /** @type {const} */ ('pending') } }
  const { jobs: waiting } = await queue.list({ where }).page({ size: BACKLOG })
  if (waiting.length === BACKLOG) return
  const takes = turn % 4 === 0 ? 200 : 5 + (turn % 2)
  const queueName = `line ${turn % 2}`
  /** @type {import('holdfast').EnqueueOptions} */
  const options = { queueName, serial: turn % 3 === 0 ? 'strict' : 'relaxed' }
  const limited = { job: tenant, payload: { thing: `tenant ${turn % 2}`, takes } }
  const items = [{ job: line, payload: { thing: queueName, takes }, options }, limited, limited]
  for (const { id } of await queue.enqueueMany(items)) note(ledger, { what: 'enqueued', who, id })
}

/** Puts an item into the list of a key. @param {number} turn */
async function collect(turn) {
  const item = `${who}.${turn}`
  const jobKeyMode = /** @type {const} */ (['replace', 'preserveRunAt', 'unsafeDedupe'])[turn % 3] ?? 'replace'
  const options = { jobKey: `key ${turn % 2}`, jobKeyMode, delay: 30 }
  const { disposition } = await queue.enqueue(list, [item], options)
  if (disposition !== 'kept') note(ledger, { what: 'collected', who, id: item })
}
