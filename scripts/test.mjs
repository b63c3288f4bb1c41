/**
 * `npm test`: lint, types, unit tests and package tests, all of them even when one fails, and a count of everything as
 * the last line. With arguments (`npm test -- -t 'serial queue'`, `npm test -- tests/core`) only the test runner runs
 * and gets them, since whoever names a test wants that one.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bootstrap, root, run, say, Stopped } from './bootstrap.mjs'

const namedTests = process.argv.slice(2)
const reports = mkdtempSync(join(tmpdir(), 'holdfast-reports-'))
const total = { passed: 0, failed: 0, skipped: 0 }

try {
  await bootstrap()
  if (namedTests.length > 0) {
    await step('named tests', () => vitest(namedTests))
  } else {
    await step('lint', () => check('lint'))
    await step('types', () => check('typecheck'))
    await step('unit tests', () => vitest(['--project', 'unit', '--project', 'types']))
    await step('package tests', () => vitest(['--project', 'package']))
  }
  process.exitCode = total.failed > 0 ? 1 : 0
} catch (error) {
  if (!(error instanceof Stopped)) throw error
  console.error(`holdfast: ${error.message}`)
  total.failed += 1
  process.exitCode = error.exitCode
} finally {
  rmSync(reports, { recursive: true, force: true })
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)

/** @param {string} name @param {() => Promise<typeof total>} work */
async function step(name, work) {
  console.log(`\n── ${name} ${'─'.repeat(76 - name.length)}`)
  const started = performance.now()
  const counts = await work()
  total.passed += counts.passed
  total.failed += counts.failed
  total.skipped += counts.skipped
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  say(`${name} ${counts.failed === 0 ? 'passed' : 'FAILED'} in ${seconds} s`)
}

/** An npm script that either holds or does not: one check. @param {string} script */
async function check(script) {
  const { exitCode } = await run(['npm', 'run', '--silent', script])
  return { passed: exitCode === 0 ? 1 : 0, failed: exitCode === 0 ? 0 : 1, skipped: 0 }
}

/** @param {string[]} selection */
async function vitest(selection) {
  const report = join(reports, 'vitest.json')
  rmSync(report, { force: true })
  const { exitCode } = await run([
    process.execPath,
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    ...selection,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ])
  const counts = countsIn(report)
  // A rejection that nobody handles and a runner that crashes are no test's failure, and must not pass as none.
  if (exitCode !== 0 && counts.failed === 0) counts.failed = 1
  return counts
}

/** @param {string} report */
function countsIn(report) {
  // A runner that crashed has written none, and its exit code says so.
  if (!existsSync(report)) return { passed: 0, failed: 0, skipped: 0 }
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
    readFileSync(report, 'utf8'),
  )
  /** @type {{ status: string, assertionResults: unknown[] }[]} */
  const files = testResults
  const notLoaded = files.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length
  return { passed: numPassedTests, failed: numFailedTests + notLoaded, skipped: numPendingTests + numTodoTests }
}
