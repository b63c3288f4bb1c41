/**
 * `npm test`: lint, types, package tests, unit tests and the tests in browsers, all of them even when one fails, and a
 * count of everything as the last line. With arguments (`npm test -- -t 'serial queue'`, `npm test -- tests/core`) only
 * the test runner runs, on Node, and gets them, since whoever names a test wants that one.
 */
import { bootstrap } from './bootstrap.mjs'
import { browserTests } from './browser-tests.mjs'
import { engines } from './engines.mjs'
import { atLeastOne, check, step, testRun, together, vitest } from './test-steps.mjs'

const usage = `npm test [-- TESTS]

Lint, types, package tests, unit tests and the tests in browsers. With TESTS only these, on Node: parts of the names of files,
-t PATTERN for the names of tests, and whatever else npx vitest --help tells of.`

const namedTests = process.argv.slice(2)
if (namedTests.includes('--help')) {
  console.log(usage)
  process.exit()
}
const onNode = ['unit', 'apart', 'types', 'emulated'].flatMap((project) => ['--project', project])

await testRun(async () => {
  await bootstrap()
  if (namedTests.length > 0) {
    const projects = namedTests.some((word) => word.startsWith('--project')) ? [] : [...onNode, '--project', 'package']
    const nobody = 'none of these tests ran: no test has this name, or all that have it are skipped'
    await step('named tests', async () => atLeastOne(await vitest([...projects, ...namedTests]), nobody))
    return
  }
  // The sources were checked by the build.
  await step('lint, types and package tests', () =>
    together([check('lint'), check('typecheck:tests'), vitest(['--project', 'package'], { quiet: true })]),
  )
  // As many files at once as CI has cores; the runner itself would leave one of them idle.
  await step('unit tests', () => vitest([...onNode, '--maxWorkers=2']))
  await step('browser tests', () => browserTests(engines))
})
