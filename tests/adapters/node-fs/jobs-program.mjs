/**
 * `fork('jobs-program.mjs', [BUILT_PACKAGE, DIRECTORY, ROLL_AT, DURABILITY])`: a process that does with the jobs of a
 * directory what its parent asks for, and tells what happens to them. It says `{ ready: true }` when it listens.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [packageRoot = '', directory = '', rollAt = '', durability = ''] = process.argv.slice(2)
const built = (/** @type {string} */ file) => import(pathToFileURL(join(packageRoot, 'dist', file)).href)
/** @type {typeof import('../../../src/index.ts')} */
const { defineJob, openQueue } = await built('index.js')
/** @type {typeof import('../../../src/adapters/node-fs/index.ts')} */
const { nodeFs } = await built('adapters/node-fs/index.js')

/** What a job of these tests carries; what its handler does, it is told by the payload. */
/** @typedef {{ does: 'return' | 'throw once' | 'hang', data?: unknown }} Payload */

/** Longer than any test: what depends on a lease never comes. */
const leaseDuration = '1h'
const job = defineJob({ type: 'work', leaseDuration })
const other = defineJob({ type: 'other', leaseDuration })

/** @type {import('../../../src/index.ts').JobQueue | undefined} */
let queue

/** @type {Record<string, (...args: any[]) => unknown>} */
const calls = {
  async open() {
    const options = { directory, rollAt: Number(rollAt), durability: /** @type {'disk' | 'process'} */ (durability) }
    queue = await openQueue({ storage: nodeFs(options), jobs: [job, other] })
    for (const name of /** @type {const} */ (['completed', 'retrying', 'released', 'failed', 'interrupted', 'lost']))
      queue.on(name, (event) => tell(name, event.job))
  },
  enqueue: (payload, options) => queue?.enqueue(job, payload, options),
  enqueueOther: (payload) => queue?.enqueue(other, payload),
  async enqueueMany(/** @type {Payload[]} */ payloads) {
    const stored = await queue?.enqueueMany(payloads.map((payload) => ({ job, payload })))
    return stored?.map(({ id }) => id)
  },
  async work(concurrency = 1) {
    await queue?.createExecutor({ concurrency, handlers: [job.handler(run), other.handler(run)], killGrace: 1 }).start()
  },
  get: (id) => queue?.get(id),
  pause: (scope) => queue?.pause(scope),
  resume: (scope) => queue?.resume(scope),
  pauses: () => queue?.pauses(),
  sessions: () => queue?.sessions(),
  counts: () => queue?.counts(),
  idle: () => queue?.idle({ includeScheduled: true }),
  close: (options) => queue?.close(options),
}

/** @param {unknown} payload @param {import('../../../src/index.ts').HandlerContext} context */
async function run(payload, context) {
  const { does } = /** @type {Payload} */ (payload)
  tell('started', context.job)
  if (does === 'throw once' && context.attempt === 1) throw new Error('not this time')
  if (does === 'hang') await new Promise((_, reject) => context.signal.addEventListener('abort', reject))
}

/** @param {string} event @param {unknown} job */
function tell(event, job) {
  process.send?.({ event, job, at: Date.now() })
}

process.on(
  'message',
  async (/** @type {{ call: string, number: number, args: unknown[] }} */ { call, number, args }) => {
    try {
      process.send?.({ number, answer: await calls[call]?.(...args) })
    } catch (error) {
      process.send?.({ number, error: String(error) })
    }
  },
)
process.on('disconnect', () => process.exit())
process.send?.({ ready: true })
