/**
 * Keeps every segment of a journal, whole, while the queue retires them: a thread that looks every few milliseconds,
 * opens each segment as it appears (an open file outlives its name) and copies what is appended into a folder outside.
 */
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { segmentPath, segmentsIn } from './segments.mjs'

const LOOK_EVERY = 3

/** Segments this far behind the newest are sealed for long: nothing that is still appended to them counts. */
const BEHIND = 4

export class Follower {
  #archive
  #stop = new Int32Array(new SharedArrayBuffer(4))
  #worker
  /** @type {Promise<void>} */
  #ended

  /** @param {{ directory: string, archive: string }} folders */
  constructor({ directory, archive }) {
    this.#archive = archive
    this.#worker = new Worker(fileURLToPath(import.meta.url), { workerData: { directory, archive, stop: this.#stop } })
    this.#ended = new Promise((resolve, reject) => this.#worker.once('error', reject).once('exit', () => resolve()))
    this.#ended.catch(() => undefined)
  }

  /** Ends when everything was copied that is in the journal now. */
  async stop() {
    Atomics.store(this.#stop, 0, 1)
    Atomics.notify(this.#stop, 0)
    await this.#ended
  }

  /** Every segment there was, by its number. */
  segments() {
    return segmentsIn(this.#archive).map((number) => ({
      number,
      bytes: readFileSync(segmentPath(this.#archive, number)),
    }))
  }
}

/** @param {{ directory: string, archive: string, stop: Int32Array }} work */
function follow({ directory, archive, stop }) {
  /** @type {Map<number, { from: number, to: number, position: number }>} */
  const open = new Map()
  const buffer = Buffer.alloc(2 ** 20)
  let highest = 0
  for (let last = false; ; ) {
    for (const number of segmentsIn(directory).filter((found) => found > highest)) {
      const from = openSync(segmentPath(directory, number), 'r')
      open.set(number, { from, to: openSync(segmentPath(archive, number), 'a', 0o600), position: 0 })
      highest = number
    }
    for (const [number, copy] of open) {
      for (let read = -1; read !== 0; copy.position += read) {
        read = readSync(copy.from, buffer, 0, buffer.length, copy.position)
        writeSync(copy.to, buffer, 0, read)
      }
      if (number > highest - BEHIND && !last) continue
      closeSync(copy.from)
      closeSync(copy.to)
      open.delete(number)
    }
    if (last) return
    // Stopped: once more from the start, so that what was there at that moment is copied too.
    last = Atomics.wait(stop, 0, 0, LOOK_EVERY) !== 'timed-out'
  }
}

if (!isMainThread) follow(workerData)
