// `.ci/run` beside an npm that says what a test run might say.
import { tmpdir } from 'node:os'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Clone } from './clone.ts'

const COUNT = '12 passed, 0 failed, 3 skipped'

let clone: Clone

beforeEach(() => {
  clone = new Clone(['.ci/run'])
})
afterEach(() => clone[Symbol.dispose]())

test('it calls npm test in the repository, from any folder, and says all that it says, of both streams', async () => {
  clone.program('npm', `pwd; echo a problem >&2; echo '${COUNT}'`)
  const { code, lines } = await clone.run(clone.path('.ci/run'), [], tmpdir())
  expect(clone.asked()).toEqual(['test'])
  expect(lines).toEqual([clone.folder, 'a problem', COUNT])
  expect(code).toBe(0)
})

test('the count is the last line alone, also when something follows it', async () => {
  clone.program('npm', `echo '${COUNT}'; echo; echo 'npm notice: a new version'; printf 'without an end'`)
  const { lines } = await clone.run(clone.path('.ci/run'))
  expect(lines).toEqual(['', 'npm notice: a new version', 'without an end', COUNT])
})

test('what only looks like a count is none', async () => {
  clone.program('npm', `echo 'unit: ${COUNT}'; echo '${COUNT}'; echo ' 1 passed, 2 failed, 3 skipped'`)
  const { lines } = await clone.run(clone.path('.ci/run'))
  expect(lines).toEqual([`unit: ${COUNT}`, ' 1 passed, 2 failed, 3 skipped', COUNT])
})

test.each([1, 3, 127])('when npm test ends with %i, so does it', async (exitCode) => {
  clone.program('npm', `echo '1 passed, 2 failed, 0 skipped'; exit ${exitCode}`)
  const { code, lines } = await clone.run(clone.path('.ci/run'))
  expect(lines.at(-1)).toBe('1 passed, 2 failed, 0 skipped')
  expect(code).toBe(exitCode)
})

test('a set-up that fails before anything was counted is one failure', async () => {
  clone.program('npm', `echo 'npm: no network' >&2; exit 7`)
  const { code, lines } = await clone.run(clone.path('.ci/run'))
  expect(lines).toEqual(['npm: no network', '0 passed, 1 failed, 0 skipped'])
  expect(code).toBe(7)
})
