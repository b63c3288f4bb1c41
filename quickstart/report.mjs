// What the quickstart shows: a progress bar while jobs run, a table at the end. All of it comes from the queue's events.
import { Presets, SingleBar } from 'cli-progress'
import Table from 'cli-table3'
import { compressFile, reasonOf } from './jobs.mjs'

const MOST_LISTED = 20
const withoutLines = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' }
const number = new Intl.NumberFormat('en')

export class Report {
  failed = 0
  #files = 0
  #completed = 0
  #attempts = 0
  #bytesIn = 0
  #bytesOut = 0
  /** ms from enqueue to the first start of each job. @type {number[]} */
  #waits = []
  #startedAt = performance.now()
  /** Seconds until everything had ended. @type {number | undefined} */
  #elapsed
  #queue
  #bar

  /** @param {import('holdfast').JobQueue} queue */
  constructor(queue) {
    this.#queue = queue
    const format = process.stdout.isTTY ? '{bar} {value} of {total} files, {failed} failed' : '{value} of {total} files'
    // Without a terminal the bar would be a line per redraw; then it is one line every two seconds.
    const options = { format, stream: process.stdout, noTTYOutput: true, barsize: 30, etaBuffer: 1, fps: 20 }
    this.#bar = new SingleBar(options, Presets.shades_classic)
    const onFile = (/** @type {(event: any) => void} */ listener) => (/** @type {any} */ event) => {
      if (event.job.type === compressFile.type) listener(event)
    }
    queue.on(
      'started',
      onFile(({ job }) => this.#started(job)),
    )
    queue.on(
      'completed',
      onFile(({ job }) => this.#done(job.result)),
    )
    queue.on(
      'failed',
      onFile(() => this.#done(null)),
    )
  }

  /** More jobs were stored. @param {number} count */
  found(count) {
    this.#files += count
    if (this.#bar.isActive) this.#bar.setTotal(this.#files)
    else this.#bar.start(this.#files, this.#completed + this.failed, { failed: this.failed })
  }

  /** Ends the bar. Calling it again does nothing. */
  stop() {
    this.#elapsed ??= (performance.now() - this.#startedAt) / 1000
    if (this.#bar.isActive) this.#bar.stop()
  }

  /**
   * @param {{ out: string, manifest: string }} places
   * @param {import('holdfast').JobResult} manifest how the job that writes it ended
   */
  async print({ out, manifest: file }, manifest) {
    await this.#printFailures()
    const table = new Table({ chars: withoutLines, style: { border: [] } })
    table.push(
      ['files', number.format(this.#files)],
      ['bytes in', number.format(this.#bytesIn)],
      ['bytes out', `${number.format(this.#bytesOut)}${this.#share()}`],
      ['jobs, with the manifest', await this.#byStatus()],
      ['attempts', number.format(this.#attempts)],
      ['jobs per second', number.format(Math.round((this.#completed + this.failed) / (this.#elapsed ?? Infinity)))],
      ['enqueue to start', `p50 ${this.#wait(0.5)}, p99 ${this.#wait(0.99)}`],
    )
    console.log(table.toString())
    if (manifest.status === 'failed') console.log(`The manifest could not be written: ${reasonOf(manifest.error)}`)
    else console.log(`${file}\n${out}`)
  }

  async printInterrupted() {
    console.log(`Interrupted with ${number.format(this.#completed)} of ${number.format(this.#files)} files compressed.`)
    console.log(`Jobs: ${await this.#byStatus()}. Memory forgets what waits.`)
  }

  /** @param {import('holdfast').Job} job */
  #started({ attempts, startedAt, createdAt }) {
    this.#attempts += 1
    if (attempts === 1) this.#waits.push((startedAt ?? createdAt) - createdAt)
  }

  /** @param {{ bytes: number, gzipBytes: number } | null} result */
  #done(result) {
    if (result === null) this.failed += 1
    else {
      this.#completed += 1
      this.#bytesIn += result.bytes
      this.#bytesOut += result.gzipBytes
    }
    this.#bar.update(this.#completed + this.failed, { failed: this.failed })
  }

  async #printFailures() {
    if (this.failed === 0) return
    const where = { type: { eq: compressFile.type }, status: { eq: 'failed' } }
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

  #share() {
    return this.#bytesIn === 0 ? '' : ` (${Math.round((100 * this.#bytesOut) / this.#bytesIn)} %)`
  }

  /** @param {number} quantile */
  #wait(quantile) {
    const sorted = this.#waits.sort((a, b) => a - b)
    const wait = sorted[Math.ceil(quantile * sorted.length) - 1]
    return wait === undefined ? '-' : `${number.format(wait)} ms`
  }
}
