/** The tests in browsers: one run of Vitest per engine, so that each has the machine for itself and a count of its own. */
import { existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { say } from './bootstrap.mjs'
import { installMissing } from './browser-packages.mjs'
import { isInstalled, versionOf } from './engines.mjs'
import { add, vitest } from './test-steps.mjs'

/** @typedef {import('./engines.mjs').Engine} Engine */
/** @typedef {import('./test-steps.mjs').Counts} Counts */

/**
 * Installs what is missing, runs the tests, and says at the end what ran in which version of each engine. An engine that
 * cannot be had counts as a failure.
 * @param {readonly Engine[]} engines
 * @param {readonly string[]} [selection] further arguments of Vitest
 * @returns {Promise<Counts>}
 */
export async function browserTests(engines, selection = []) {
  const total = { passed: 0, failed: 0, skipped: 0 }
  const problem = await installMissing(engines)
  /** @type {string[]} */
  const summary = []
  for (const engine of engines) {
    const counts = isInstalled(engine) ? await testsIn(engine, selection) : { passed: 0, failed: 1, skipped: 0 }
    add(total, counts)
    summary.push(isInstalled(engine) ? `${engine} ${versionOf(engine)}: ${inWords(counts)}` : `${engine}: not run`)
  }
  if (problem !== null) console.error(`holdfast: ${problem}`)
  for (const line of summary) say(line)
  if (total.passed + total.failed > 0) return total
  say('none of these tests exists in a browser')
  return { ...total, failed: 1 }
}

/** @param {Engine} engine @param {readonly string[]} selection */
async function testsIn(engine, selection) {
  // What is selected may well exist in another engine only.
  const lenient = selection.length > 0 ? ['--passWithNoTests'] : []
  const temporary = mkdtempSync(join(isRoomInMemory() ? memory : tmpdir(), 'holdfast-browser-'))
  try {
    const projects = ['--project', engine, '--project', `${engine}-pages`]
    return await vitest([...projects, ...lenient, ...selection], { TMPDIR: temporary })
  } finally {
    rmSync(temporary, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

/**
 * There a run of the kit on IndexedDB in Firefox took 48 s instead of 208 s: each of its thousand cases makes a database
 * and deletes it. Tests of durability do not suffer, since `freshProfile` goes to the disk.
 */
const memory = '/dev/shm'

/** In containers it is often too small for a browser's profile. */
function isRoomInMemory() {
  if (!existsSync(memory)) return false
  const { bavail, bsize } = statfsSync(memory)
  return bavail * bsize > 2 ** 30
}

/** @param {Counts} counts */
function inWords({ passed, failed, skipped }) {
  const [ran, broke, left] = [passed, failed, skipped].map((count) => count.toLocaleString('en'))
  return `${ran} passed, ${broke} failed, ${left} skipped`
}
