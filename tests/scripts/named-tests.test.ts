// `npm test` with arguments, in a clone that is set up already, with a Vitest that counts what a test tells it to.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Clone, type Ended } from './clone.ts'

let clone: Clone

beforeEach(() => {
  clone = new Clone(['scripts'])
  clone.program('npm', 'mkdir -p node_modules dist')
})
afterEach(() => clone[Symbol.dispose]())

/** `npm test -- -t NAME`, where so many tests have this name. */
function named(name: string, { passed = 0, failed = 0, skipped = 0 }): Promise<Ended> {
  const counts = { numPassedTests: passed, numPendingTests: skipped, numTodoTests: 0 }
  const broken = Array(failed).fill({ status: 'failed', fullName: 'broken', failureMessages: [] }) as unknown[]
  const testResults = [{ name: clone.path('a.test.ts'), status: 'failed', assertionResults: broken }]
  clone.write(
    'node_modules/vitest/vitest.mjs',
    `import { writeFileSync } from 'node:fs'
    const file = process.argv.find((word) => word.startsWith('--outputFile.json=')).split('=')[1]
    writeFileSync(file, ${JSON.stringify(JSON.stringify({ ...counts, testResults: failed === 0 ? [] : testResults }))})
    console.log('vitest got', ...process.argv.slice(2, -3))
    process.exitCode = ${failed > 0 ? 1 : 0}`,
  )
  return clone.run(process.execPath, ['scripts/test.mjs', '-t', name])
}

test('tests that are named run on Node, and only they', async () => {
  const { code, output, lines } = await named('serial queue', { passed: 3, skipped: 200 })
  expect(output).toMatch(/^vitest got run --project unit .*-t serial queue$/m)
  expect(lines.at(-1)).toBe('3 passed, 0 failed, 200 skipped')
  expect(code).toBe(0)
})

test('a name that no test has is a failure, which says so', async () => {
  const { code, lines } = await named('serial cue', { skipped: 203 })
  const reason = 'none of these tests ran: no test has this name, or all that have it are skipped'
  for (const said of ['holdfast:', 'FAILED ']) expect(lines).toContain(`${said} ${reason}`)
  expect(lines.at(-1)).toBe('0 passed, 1 failed, 203 skipped')
  expect(code).toBe(1)
})

test('tests that fail are counted as they are', async () => {
  const { code, lines } = await named('serial queue', { failed: 2, skipped: 1 })
  expect(lines.at(-1)).toBe('0 passed, 2 failed, 1 skipped')
  expect(code).toBe(1)
})

test('an argument that Vitest does not have is told in a sentence, and fails the run', async () => {
  // As Vitest says it, while it is loaded.
  clone.write(
    'node_modules/vitest/vitest.mjs',
    'throw Object.assign(new Error("Unknown option `--nope`"), { name: "CACError" })',
  )
  const { code, output, lines } = await clone.run(process.execPath, ['scripts/test.mjs', '--nope'])
  expect(output).toContain('holdfast: Vitest refuses its arguments: Unknown option `--nope`')
  expect(output).not.toMatch(/^ +at /m)
  expect(lines.at(-1)).toBe('0 passed, 1 failed, 0 skipped')
  expect(code).toBe(1)
})

test('what else goes wrong while Vitest is loaded is shown whole', async () => {
  clone.write('node_modules/vitest/vitest.mjs', 'throw new TypeError("broken")')
  const { code, output } = await clone.run(process.execPath, ['scripts/test.mjs', 'tests/core'])
  expect(output).toMatch(/TypeError: broken\n +at /)
  expect(code).toBe(1)
})

test('--help says what there is, and runs nothing', async () => {
  const { code, output } = await clone.run(process.execPath, ['scripts/test.mjs', '--help'])
  expect(output).toContain('npm test [-- TESTS]')
  expect([code, clone.asked()]).toEqual([0, []])
})
