// Where the measurements of node-fs keep their jobs, and what they share.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openQueue } from 'holdfast'
import { nodeFs } from 'holdfast/node-fs'
import { limited, work } from './work.mjs'

/** Nothing goes by retention while it is counted. */
const KEPT = { maxAge: Infinity, maxCount: Infinity }

/** A folder of its own, gone when `use` has ended. @template T @param {(folder: string) => Promise<T>} use */
export async function inFolder(use) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @param {string} directory @param {Partial<import('holdfast/node-fs').NodeFsOptions>} [options] */
export function openFolder(directory, options = {}) {
  const retention = { completed: KEPT, failed: KEPT, cancelled: KEPT }
  return openQueue({ storage: nodeFs({ directory, ...options }), jobs: [work, limited], retention })
}

/** ms, by the clock that all processes of the machine share. */
export function monotonic() {
  return Number(process.hrtime.bigint()) / 1e6
}

/** Segments of the journal, by name, rising. @param {string} directory */
export function segments(directory) {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.journal'))
    .sort()
    .map((name) => ({ name, bytes: statSync(join(directory, name)).size }))
}

/** A process that does one thing with a folder, as bench/node-fs-process.mjs knows it. */
export class Process {
  #child

  /** @param {string} role @param {string} directory */
  constructor(role, directory) {
    const program = fileURLToPath(new URL('node-fs-process.mjs', import.meta.url))
    this.#child = fork(program, [role, directory], { serialization: 'advanced' })
  }

  /** What it says next. @returns {Promise<any>} */
  async says() {
    const [message] = await once(this.#child, 'message')
    return message
  }

  /** kill -9. */
  async kill() {
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exit
  }

  /** @param {unknown} message */
  tell(message) {
    this.#child.send(message)
  }

  async stop() {
    if (this.#child.exitCode !== null) return
    const exit = once(this.#child, 'exit')
    this.#child.disconnect()
    await exit
  }
}
