// How `npm test` counts, with a Vitest and an npm that report what a test tells them to.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Clone, type Ended } from './clone.ts'

let clone: Clone

beforeEach(() => {
  clone = new Clone(['scripts/alone.mjs', 'scripts/bootstrap.mjs', 'scripts/test-steps.mjs', 'scripts/vitest.mjs'])
  // The first argument of a selection is the report, the second the exit code.
  clone.write(
    'node_modules/vitest/vitest.mjs',
    `import { writeFileSync } from 'node:fs'
    const [report, exitCode] = process.argv.slice(3)
    const file = process.argv.find((word) => word.startsWith('--outputFile.json=')).split('=')[1]
    console.log('vitest says', process.env.MARK)
    if (report !== 'none') writeFileSync(file, report)
    process.exitCode = Number(exitCode)`,
  )
  clone.program('npm', 'echo "$3 says"; test "$3" != broken')
})
afterEach(() => clone[Symbol.dispose]())

function run(steps: string): Promise<Ended> {
  const imports = `import { check, step, testRun, together, vitest } from './scripts/test-steps.mjs'
  import { Stopped } from './scripts/bootstrap.mjs'`
  clone.write('steps.mjs', `${imports}\nawait testRun(async () => {\n${steps}\n})`)
  return clone.run(process.execPath, ['steps.mjs'])
}

interface Report {
  readonly passed?: number
  readonly failed?: number
  readonly skipped?: number
  readonly todo?: number
  /** Files that could not be loaded. */
  readonly notLoaded?: number
}

/** A call of `vitest` as it stands in a step. */
function vitest({ passed = 0, failed = 0, skipped = 0, todo = 0, notLoaded = 0 }: Report, exitCode = 0): string {
  const report = {
    ...{ numPassedTests: passed, numPendingTests: skipped, numTodoTests: todo },
    testResults: [
      { name: clone.path('good.test.ts'), status: 'passed', assertionResults: [{ status: 'passed' }] },
      ...Array.from({ length: failed }, (_, at) => ({
        name: clone.path('bad.test.ts'),
        status: 'failed',
        assertionResults: [
          { status: 'failed', fullName: `number ${at}`, failureMessages: [`expected ${at} to be right`] },
        ],
      })),
      ...Array.from({ length: notLoaded }, () => ({
        name: clone.path('broken.test.ts'),
        status: 'failed',
        message: 'Unexpected token',
        assertionResults: [],
      })),
    ],
  }
  return `vitest([${JSON.stringify(JSON.stringify(report))}, '${exitCode}'], { env: { MARK: 'this' }, quiet: true })`
}

test('the last line sums over all steps and runners', async () => {
  const { code, lines } = await run(`
    await step('checks', () => together([check('lint'), ${vitest({ passed: 10, skipped: 1 })}, check('types')]))
    await step('unit', () => ${vitest({ passed: 200, skipped: 2, todo: 4 })})`)
  expect(lines.at(-1)).toBe('212 passed, 0 failed, 7 skipped')
  expect(code).toBe(0)
  for (const said of ['lint says', 'types says', 'vitest says this']) expect(lines).toContain(said)
  expect(lines.filter((line) => /^holdfast: (checks|unit) passed in/.test(line))).toHaveLength(2)
  expect(clone.asked()).toEqual(['run --silent lint', 'run --silent types'])
})

test('what fails does not keep the steps after it from running, and the exit code tells of it', async () => {
  const { code, lines } = await run(`
    await step('checks', () => check('broken'))
    await step('unit', () => ${vitest({ passed: 5, failed: 2 }, 1)})
    await step('more', () => check('lint'))`)
  expect(lines.at(-1)).toBe('6 passed, 3 failed, 0 skipped')
  expect(code).toBe(1)
  expect(lines.filter((line) => /^holdfast: (checks|unit) FAILED in/.test(line))).toHaveLength(2)
})

test('what failed is said once more before the count', async () => {
  const { lines } = await run(`
    await step('checks', () => check('broken'))
    await step('unit', () => ${vitest({ passed: 5, failed: 2 }, 1)})
    await step('more', () => check('lint'))`)
  expect(lines.slice(lines.findIndex((line) => line.startsWith('holdfast: more passed')) + 1, -1)).toEqual([
    ...['', 'FAILED  npm run broken'],
    ...['', 'FAILED  bad.test.ts > number 0', 'expected 0 to be right'],
    ...['', 'FAILED  bad.test.ts > number 1', 'expected 1 to be right'],
  ])
})

test.each<[what: string, call: () => string, failure: string, count: string]>([
  [
    'a file that cannot be loaded',
    () => vitest({ passed: 3, notLoaded: 2 }, 1),
    'broken.test.ts',
    '3 passed, 2 failed, 0 skipped',
  ],
  [
    'a rejection that no test is blamed for',
    () => vitest({ passed: 3 }, 1),
    'exit code 1, with no test that failed',
    '3 passed, 1 failed, 0 skipped',
  ],
  [
    'a runner that crashes before it reports',
    () => `vitest(['none', '134'])`,
    'vitest none 134: exit code 134, with no test that failed',
    '0 passed, 1 failed, 0 skipped',
  ],
])('%s fails the run', async (_, call, failure, count) => {
  const { code, lines } = await run(`await step('unit', () => ${call()})`)
  expect(lines.filter((line) => line.startsWith('FAILED') && line.endsWith(failure))).not.toEqual([])
  expect(lines.at(-1)).toBe(count)
  expect(code).toBe(1)
})

test('a run that cannot go on counts what it has, one failure more, and ends with the reason and its exit code', async () => {
  const { code, lines } = await run(`
    await step('unit', () => ${vitest({ passed: 3 })})
    throw new Stopped('there is no network', 7)`)
  expect(lines).toContain('holdfast: there is no network')
  expect(lines).toContain('FAILED  there is no network')
  expect(lines.at(-1)).toBe('3 passed, 1 failed, 0 skipped')
  expect(code).toBe(7)
})

test('an error in the run itself is shown, and fails it', async () => {
  const { code, output, lines } = await run(`
    await step('unit', () => ${vitest({ passed: 3 })})
    throw new TypeError('a mistake')`)
  expect(output).toContain('TypeError: a mistake')
  expect(lines.at(-1)).toBe('3 passed, 1 failed, 0 skipped')
  expect(code).toBe(1)
})
