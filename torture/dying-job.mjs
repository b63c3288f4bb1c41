/** A job that kills its process each time, under the default number of interruptions: it has to end, as failed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openQueue } from 'holdfast'
import { nodeFs } from 'holdfast/node-fs'
import { acksIn } from './acknowledgements.mjs'
import { deadly, harmless } from './deadly-jobs.mjs'

const WORKER = fileURLToPath(new URL('deadly-worker.mjs', import.meta.url))

/** The first run and one for each of the 3 interruptions that a job may have by default. */
const EXPECTED_STARTS = 4

/** Deaths are proven within seconds; a lease takes 30 s. ms */
const LIMIT = 60_000

/**
 * @returns {Promise<{ starts: number, status: string, reason: string, neighbour: string, holds: boolean }>} `starts`:
 * how often the job was begun; `neighbour`: what became of the job that waited behind it
 */
export async function dyingJob() {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-dying-job-'))
  const [directory, acks] = [join(folder, 'jobs'), join(folder, 'acks')]
  const queue = await openQueue({ storage: nodeFs({ directory }), jobs: [deadly, harmless] })
  const signal = AbortSignal.timeout(LIMIT)
  const workers = new Replaced([WORKER, directory, acks], signal)
  try {
    const { id } = await queue.enqueue(deadly, { text: 'deadly' })
    const neighbour = await queue.enqueue(harmless, { text: 'harmless' })
    const ended = await queue.result(id, { signal })
    const { status: neighbourStatus } = await queue.result(neighbour.id, { signal })
    const starts = acksIn(readFileSync(acks, 'utf8')).filter((ack) => ack.kind === 'started' && ack.id === id).length
    const job = await queue.get(id)
    const reason = ended.status === 'failed' ? ended.error.message : ''
    const holds =
      starts === EXPECTED_STARTS &&
      job?.attempts === EXPECTED_STARTS &&
      ended.status === 'failed' &&
      reason === 'worker died' &&
      neighbourStatus === 'completed'
    return { starts, status: ended.status, reason, neighbour: neighbourStatus, holds }
  } finally {
    await workers.stop()
    await queue.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** One process at a time: when it dies, another takes its place. */
class Replaced {
  #stopped = false
  #args
  #signal
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #child
  #running

  /** @param {string[]} args @param {AbortSignal} signal */
  constructor(args, signal) {
    this.#args = args
    this.#signal = signal
    this.#running = this.#run()
  }

  async stop() {
    this.#stopped = true
    this.#child?.kill('SIGKILL')
    await this.#running
  }

  async #run() {
    while (!this.#stopped && !this.#signal.aborted) {
      this.#child = spawn(process.execPath, this.#args, { stdio: 'inherit' })
      await once(this.#child, 'exit')
    }
  }
}
