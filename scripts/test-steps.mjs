/** A test run: its steps with their headings, what each of them counted, and Vitest as the runner of most. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { root, run, say, Stopped } from './bootstrap.mjs'

/** @typedef {{ passed: number, failures: string[], skipped: number }} Counts `failures`: what each says of itself */
/** @typedef {{ status: string, fullName: string, failureMessages: string[] }} TestResult */
/** @typedef {{ name: string, status: string, message: string, assertionResults: TestResult[] }} TestFile */

/** @type {Counts} */
const total = { passed: 0, failures: [], skipped: 0 }

/**
 * Runs the steps and prints, whatever happens, what failed, for whoever sees only the last lines, and as the last line the
 * count of everything. The exit code says whether all of it held.
 * @param {() => Promise<void>} steps
 */
export async function testRun(steps) {
  try {
    await steps()
    process.exitCode = total.failures.length > 0 ? 1 : 0
  } catch (error) {
    const stopped = error instanceof Stopped
    console.error(stopped ? `holdfast: ${error.message}` : error)
    total.failures.push(stopped ? error.message : String(error))
    process.exitCode = stopped ? error.exitCode : 1
  }
  for (const failure of total.failures) console.log(`\nFAILED  ${failure}`)
  console.log(`${total.passed} passed, ${total.failures.length} failed, ${total.skipped} skipped`)
}

/** @param {string} name @param {() => Promise<Counts>} work */
export async function step(name, work) {
  console.log(`\n── ${name} ${'─'.repeat(76 - name.length)}`)
  const started = performance.now()
  const counts = await work()
  add(total, counts)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  say(`${name} ${counts.failures.length === 0 ? 'passed' : 'FAILED'} in ${seconds} s`)
}

/** @param {Counts} sum @param {Counts} counts */
export function add(sum, { passed, failures, skipped }) {
  sum.passed += passed
  sum.failures.push(...failures)
  sum.skipped += skipped
}

/**
 * A selection that selects nothing proves nothing: it counts as a failure.
 * @param {Counts} counts @param {string} otherwise what is said then @returns {Counts}
 */
export function atLeastOne(counts, otherwise) {
  if (counts.passed + counts.failures.length > 0) return counts
  say(otherwise)
  return { ...counts, failures: [otherwise] }
}

/** Does all at once, and counts them together. @param {readonly Promise<Counts>[]} works @returns {Promise<Counts>} */
export async function together(works) {
  /** @type {Counts} */
  const sum = { passed: 0, failures: [], skipped: 0 }
  for (const counts of await Promise.all(works)) add(sum, counts)
  return sum
}

/**
 * An npm script that either holds or does not: one check.
 * @param {string} script @returns {Promise<Counts>}
 */
export async function check(script) {
  const { exitCode, output } = await run(['npm', 'run', '--silent', script], { quiet: true })
  if (output !== '') console.log(output.trimEnd())
  return exitCode === 0
    ? { passed: 1, failures: [], skipped: 0 }
    : { passed: 0, failures: [`npm run ${script}`], skipped: 0 }
}

/**
 * @param {readonly string[]} selection arguments of Vitest
 * @param {{ env?: Record<string, string>, quiet?: boolean }} [options] env: variables that it gets besides those of this
 *   process; quiet: what it prints comes whole at its end, since others print meanwhile
 * @returns {Promise<Counts>}
 */
export async function vitest(selection, { env = {}, quiet = false } = {}) {
  const reports = mkdtempSync(join(tmpdir(), 'holdfast-reports-'))
  try {
    const report = join(reports, 'vitest.json')
    const program = [process.execPath, join(root, 'scripts/vitest.mjs'), 'run']
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    const { exitCode, output } = await run([...program, ...selection, ...reporters], { env, quiet })
    if (quiet) console.log(output.trimEnd())
    const counts = countsIn(report)
    // A rejection that nobody handles and a runner that crashes are no test's failure, and must not pass as none.
    if (exitCode !== 0 && counts.failures.length === 0)
      counts.failures.push(`vitest ${selection.join(' ')}: exit code ${exitCode}, with no test that failed`)
    return counts
  } finally {
    rmSync(reports, { recursive: true, force: true })
  }
}

/** What a runner reported. @param {string} report @returns {Counts} */
function countsIn(report) {
  // A runner that crashed has written none, and its exit code says so.
  if (!existsSync(report)) return { passed: 0, failures: [], skipped: 0 }
  const { numPassedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(readFileSync(report, 'utf8'))
  /** @type {TestFile[]} */
  const files = testResults
  return { passed: numPassedTests, failures: files.flatMap(failuresOf), skipped: numPendingTests + numTodoTests }
}

/** @param {TestFile} file @returns {string[]} */
function failuresOf({ name, status, message, assertionResults }) {
  const file = relative(root, name)
  // It could not be loaded.
  if (status === 'failed' && assertionResults.length === 0) return [`${file}\n${message}`]
  const failed = assertionResults.filter((result) => result.status === 'failed')
  return failed.map(({ fullName, failureMessages }) => `${file} > ${fullName}\n${failureMessages.join('\n')}`)
}
