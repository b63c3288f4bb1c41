// plainjob on better-sqlite3: the other queue that keeps its jobs in files of this machine. better-sqlite3 is compiled
// when it is installed, which takes minutes; so it is no dependency of this repository, and is fetched and built only
// when a measurement asks for it, into .holdfast/bench-packages.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { inFolder } from './node-fs-place.mjs'
import { PAYLOAD } from './work.mjs'

export const PLAINJOB_MODES = ['FULL', 'NORMAL']

const PACKAGES = ['plainjob@0.0.14', 'better-sqlite3@12.9.0']
const home = fileURLToPath(new URL('../.holdfast/bench-packages', import.meta.url))
const binary = join(home, 'node_modules/better-sqlite3/build/Release/better_sqlite3.node')
const SKIPPED = 'not measured: HOLDFAST_BENCH_PEERS=0'
const LIMIT = 600_000
const JOBS = 20_000
const silent = { debug() {}, info() {}, warn() {}, error: console.error }

/** Why it cannot be measured; `null`: it can. */
function problemOf() {
  if (process.env.HOLDFAST_BENCH_PEERS === '0') return SKIPPED
  if (existsSync(binary)) return null
  console.error(
    `bench: fetching and compiling ${PACKAGES.join(', ')} into .holdfast/bench-packages; this takes some minutes, once`,
  )
  mkdirSync(home, { recursive: true })
  writeFileSync(join(home, 'package.json'), '{ "private": true }\n')
  const args = ['install', ...PACKAGES, '--ignore-scripts=false', '--no-audit', '--no-fund']
  const { status, stderr } = spawnSync('npm', args, { cwd: home, timeout: LIMIT, encoding: 'utf8' })
  if (status === 0 && existsSync(binary)) return null
  console.error(String(stderr).slice(-2000))
  return 'not measured: it could not be installed or compiled (see above)'
}

/**
 * Rates of plainjob with SQLite's `synchronous` at `mode`, jobs/s: FULL syncs each commit, NORMAL may lose the last ones
 * in a power cut. Its worker runs one job at a time.
 *
 * @param {string} mode @returns {Promise<{ add?: number, addMany?: number, drain?: number, problem?: string }>}
 */
export async function plainjob(mode) {
  const problem = problemOf()
  if (problem !== null) return { problem }
  const Database = createRequire(import.meta.url)(join(home, 'node_modules/better-sqlite3'))
  const entry = join(home, 'node_modules/plainjob/dist/plainjob.js')
  const { better, defineQueue, defineWorker, JobStatus } = await import(pathToFileURL(entry).href)
  return inFolder(async (folder) => {
    const database = new Database(join(folder, 'jobs.db'))
    const queue = defineQueue({ connection: better(database), logger: silent })
    // It sets NORMAL itself when it opens.
    database.pragma(`synchronous = ${mode}`)
    const add = timed(JOBS / 10, () => {
      for (let at = 0; at < JOBS / 10; at++) queue.add('work', PAYLOAD)
    })
    const addMany = timed(JOBS, () => {
      for (let at = 0; at < JOBS; at += 1000) queue.addMany('work', Array(1000).fill(PAYLOAD))
    })
    const total = JOBS + JOBS / 10
    const ran = new Set()
    const started = performance.now()
    await new Promise((resolve) => {
      const worker = defineWorker('work', ({ id }) => void ran.add(id), {
        queue,
        logger: silent,
        onCompleted() {
          if (ran.size === total) void worker.stop().then(resolve)
        },
      })
      void worker.start()
    })
    const drain = (total / (performance.now() - started)) * 1000
    const done = queue.countJobs({ status: JobStatus.Done })
    queue.close()
    if (done !== total) throw new Error(`plainjob completed ${done} of ${total} jobs`)
    return { add, addMany, drain }
  })
}

/** @param {number} count @param {() => void} deed */
function timed(count, deed) {
  const started = performance.now()
  deed()
  return (count / (performance.now() - started)) * 1000
}
