// What the quickstart shows: a progress bar while jobs run, a table at the end. Jobs may run in any process, and may
// have run before this one was started: so what it shows is what the queue says, not what was seen here.
import { Presets, SingleBar } from 'cli-progress'
import Table from 'cli-table3'
import { compressFile, reasonOf } from './jobs.mjs'
import { places } from './places.mjs'

const MOST_LISTED = 20
const LOOK_EVERY = 100
const withoutLines = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' }
const number = new Intl.NumberFormat('en')
const files = { type: { eq: compressFile.type } }

export class Report {
  failed = 0
  #completed = 0
  #files
  #doneBefore
  #startedAt = performance.now()
  /** Seconds until everything had ended. @type {number | undefined} */
  #elapsed
  #queue
  #bar
  #timer

  /**
   * @param {import('holdfast').JobQueue} queue
   * @param {{ complete: boolean, total: number, done: number } | null} left by the processes before this one
   */
  constructor(queue, left) {
    this.#queue = queue
    this.#doneBefore = left?.done ?? 0
    // A folder that was not read to its end is read again, and its files are found again.
    this.#files = left?.complete ? left.total : 0
    const format = process.stdout.isTTY ? '{bar} {value} of {total} files, {failed} failed' : '{value} of {total} files'
    // Without a terminal the bar would be a line per redraw; then it is one line every two seconds.
    const options = {
      format,
      formatValue: number.format,
      stream: process.stdout,
      noTTYOutput: true,
      barsize: 30,
      etaBuffer: 1,
      fps: 20,
    }
    this.#bar = new SingleBar(options, Presets.shades_classic)
    this.#completed = this.#doneBefore
    this.#timer = setInterval(() => void this.#look().catch(() => undefined), LOOK_EVERY)
  }

  /** More jobs were stored. @param {number} count */
  found(count) {
    this.#files += count
    this.#show()
  }

  /** Ends the bar. Calling it again does nothing. */
  stop() {
    if (this.#elapsed !== undefined) return
    this.#elapsed = (performance.now() - this.#startedAt) / 1000
    clearInterval(this.#timer)
    if (this.#bar.isActive) this.#bar.stop()
    else console.log()
  }

  /** @param {import('holdfast').JobResult} manifest how the job that writes it ended */
  async print(manifest) {
    await this.#look()
    this.stop()
    await this.#printFailures()
    const { bytesIn, bytesOut, attempts, interruptions, waits } = await this.#sums()
    const here = this.#completed + this.failed - this.#doneBefore
    const speed = this.#files === 0 ? '-' : number.format(Math.round(here / (this.#elapsed ?? Infinity)))
    const table = new Table({ chars: withoutLines, style: { border: [] } })
    table.push(
      ['files', number.format(this.#files)],
      ['bytes in', number.format(bytesIn)],
      [
        'bytes out',
        `${number.format(bytesOut)}${bytesIn === 0 ? '' : ` (${Math.round((100 * bytesOut) / bytesIn)} %)`}`,
      ],
      ['jobs, with the manifest', await this.#byStatus()],
      ['attempts', `${number.format(attempts)}${interruptions === 0 ? '' : `, ${interruptions} of them cut short`}`],
      ['jobs per second', speed],
      ['enqueue to start', `p50 ${waitAt(waits, 0.5)}, p99 ${waitAt(waits, 0.99)}`],
    )
    console.log(table.toString())
    if (manifest.status === 'failed') console.log(`The manifest could not be written: ${reasonOf(manifest.error)}`)
    else console.log(`${places.manifest}\n${places.out}`)
  }

  /** The run was interrupted, and what is under way comes to its end. */
  stopping() {
    this.stop()
    console.log('Stopping: files under way have 10 s to be finished. Ctrl-C again ends at once.')
  }

  async #look() {
    const { completed, failed } = await this.#queue.counts()
    this.failed = failed
    this.#completed = completed
    this.#show()
  }

  #show() {
    if (this.#elapsed !== undefined || this.#files === 0) return
    // The manifest is a job too, and no file.
    const done = Math.min(this.#completed + this.failed, this.#files)
    if (!this.#bar.isActive) this.#bar.start(this.#files, done, { failed: this.failed })
    this.#bar.setTotal(this.#files)
    this.#bar.update(done, { failed: this.failed })
  }

  /** Over all processes that worked on this run. */
  async #sums() {
    const sums = { bytesIn: 0, bytesOut: 0, attempts: 0, interruptions: 0 }
    /** ms from enqueue to the start of each job that started once. @type {number[]} */
    const waits = []
    for await (const job of this.#queue.list({ where: files })) {
      sums.attempts += job.attempts
      sums.interruptions += job.interruptions
      if (job.attempts === 1) waits.push((job.startedAt ?? job.createdAt) - job.createdAt)
      if (job.status !== 'completed') continue
      sums.bytesIn += job.result.bytes
      sums.bytesOut += job.result.gzipBytes
    }
    return { ...sums, waits: waits.sort((a, b) => a - b) }
  }

  async #printFailures() {
    if (this.failed === 0) return
    const where = { ...files, status: { eq: 'failed' } }
    console.log(`${number.format(this.failed)} failed:`)
    for await (const { payload, error, attempts } of this.#queue.list({ where, limit: MOST_LISTED })) {
      // A name may hold a line break or control characters, which have no business on a terminal.
      console.log(`  ${JSON.stringify(payload.path).slice(1, -1)}  ${reasonOf(error)} (${attempts} attempts)`)
    }
    if (this.failed > MOST_LISTED)
      console.log(`  and ${number.format(this.failed - MOST_LISTED)} more, see the manifest`)
    console.log()
  }

  async #byStatus() {
    const counts = Object.entries(await this.#queue.counts()).filter(([, count]) => count > 0)
    return counts.map(([status, count]) => `${number.format(count)} ${status}`).join(', ')
  }
}

/** @param {number[]} waits sorted @param {number} quantile */
function waitAt(waits, quantile) {
  const wait = waits[Math.ceil(quantile * waits.length) - 1]
  return wait === undefined ? '-' : `${number.format(wait)} ms`
}
