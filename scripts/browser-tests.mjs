/**
 * The tests in browsers. Those in pages run in all engines at once; then those that drive a browser from outside, with
 * tabs and people in a hurry, have the machine for themselves, one engine after the other.
 */
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { say } from './bootstrap.mjs'
import { installMissing } from './browser-packages.mjs'
import { isInstalled, versionOf } from './engines.mjs'
import { quickFolder } from './quick-folder.mjs'
import { removeFolder } from './remove-folder.mjs'
import { add, atLeastOne, vitest } from './test-steps.mjs'

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
  const problem = await installMissing(engines)
  const installed = engines.filter(isInstalled)
  const missing = engines.filter((engine) => !isInstalled(engine))
  const summary = missing.map((engine) => `${engine}: not run`)
  const total = { passed: 0, failures: [...summary], skipped: 0 }
  const inPages = installed.map((engine) => testsOf(engine, selection, installed.length > 1))
  for (const [at, counts] of (await Promise.all(inPages)).entries()) {
    const engine = /** @type {Engine} */ (installed[at])
    add(counts, await testsOf(`${engine}-pages`, selection))
    add(total, counts)
    summary.push(`${engine} ${versionOf(engine)}: ${inWords(counts)}`)
  }
  if (problem !== null) console.error(`holdfast: ${problem}`)
  for (const line of summary) say(line)
  return atLeastOne(total, 'none of these tests exists in a browser')
}

/** @param {string} project @param {readonly string[]} selection @param {boolean} [quiet] */
async function testsOf(project, selection, quiet = false) {
  // What is selected may well exist in another engine only.
  const lenient = selection.length > 0 ? ['--passWithNoTests'] : []
  const temporary = mkdtempSync(join(quickFolder(), 'holdfast-browser-'))
  try {
    return await vitest(['--project', project, ...lenient, ...selection], { env: { TMPDIR: temporary }, quiet })
  } finally {
    await removeFolder(temporary)
  }
}

/** @param {Counts} counts */
function inWords({ passed, failures, skipped }) {
  const [ran, broke, left] = [passed, failures.length, skipped].map((count) => count.toLocaleString('en'))
  return `${ran} passed, ${broke} failed, ${left} skipped`
}
