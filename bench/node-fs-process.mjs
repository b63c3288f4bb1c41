// `fork('node-fs-process.mjs', [ROLE, DIRECTORY])`: the other process of a measurement. It says `ready`, begins when it
// is told to, and says what it found.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { monotonic, openFolder } from './node-fs-place.mjs'
import { limited, work } from './work.mjs'

const [role, directory] = process.argv.slice(2)
process.on('disconnect', () => process.exit())

/** Until it is told something. */
const told = async () => (await once(process, 'message'))[0]
const say = (message) => process.send(message)

/** @type {Record<string, () => Promise<unknown>>} */
const roles = {
  /** Works until nothing is left: which jobs it ran, and when it had run the last. */
  async drain() {
    const queue = await openFolder(directory)
    const ran = []
    const executor = queue.createExecutor({
      concurrency: 100,
      handlers: [work.handler(async (_payload, { job }) => void ran.push(job.id))],
    })
    say('ready')
    await told()
    await executor.start()
    await executor.processUntilIdle()
    const ended = monotonic()
    await queue.close()
    return { ran, ended }
  },

  /** Runs jobs that carry the moment of their enqueue: how long each took to begin, ms. */
  async wait() {
    const queue = await openFolder(directory)
    const spans = []
    const executor = queue.createExecutor({
      handlers: [
        work.handler(
          (payload) => void spans.push((Number(process.hrtime.bigint()) - Number(payload.enqueuedAt)) / 1e6),
        ),
      ],
    })
    await executor.start()
    say('ready')
    await told()
    await queue.idle()
    await queue.close()
    return spans
  },

  /** Works for as long as it is told, ms: when each job started, monotonic ms. */
  async starts() {
    const queue = await openFolder(directory)
    const starts = []
    const run = () => void starts.push(monotonic())
    const executor = queue.createExecutor({ concurrency: 50, handlers: [limited.handler(run)] })
    say('ready')
    const span = await told()
    await executor.start()
    await sleep(span)
    await queue.close()
    return starts
  },

  /** Begins jobs that never end, two at once: says which and when, monotonic ms. */
  async hang() {
    const queue = await openFolder(directory)
    const executor = queue.createExecutor({
      concurrency: 2,
      handlers: [
        work.handler(({ name }, { signal }) => {
          say({ name, at: monotonic() })
          return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
        }),
      ],
    })
    say('ready')
    await executor.start()
    await told()
  },

  /** How long it took until the folder was open and its jobs were counted, ms. */
  async reopen() {
    say('ready')
    await told()
    const started = performance.now()
    const queue = await openFolder(directory)
    const { pending } = await queue.counts()
    const span = performance.now() - started
    const { rss } = process.memoryUsage()
    await queue.close()
    return { span, pending, rss }
  },

  /** The share of one CPU that a process with an idle executor takes. */
  async idle() {
    const queue = await openFolder(directory)
    const executor = queue.createExecutor({ handlers: [work.handler(() => undefined)] })
    await executor.start()
    await sleep(3000)
    say('ready')
    await told()
    const [began, before] = [performance.now(), process.cpuUsage()]
    await sleep(20_000)
    const { user, system } = process.cpuUsage(before)
    const share = (user + system) / 1000 / (performance.now() - began)
    await queue.close()
    return share
  },
}

say(await roles[role]())
