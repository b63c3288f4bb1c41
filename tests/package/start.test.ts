// `npm start` as somebody types it in a fresh clone: the real npm, the real quickstart on the built package, and an npm for
// the set-up that puts the build there instead of making it.
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { find } from '../../scripts/engines.mjs'
import { Clone, type Ended } from '../scripts/clone.ts'
import { root } from './built-package.ts'

let clone: Clone
let folder: string

// Found before the clone's own, which comes first on its path.
const npm = find('npm') ?? 'npm'
const start = (...words: string[]): Promise<Ended> => clone.run(npm, ['start', '--silent', '--', ...words])

beforeAll(() => {
  mkdirSync(join(root, '.holdfast'), { recursive: true })
  // Inside the repository, where what the quickstart imports beside holdfast is found.
  clone = new Clone(['package.json', 'package-lock.json', 'scripts', 'quickstart'], join(root, '.holdfast'))
  clone.program(
    'npm',
    `case "$1" in ci) mkdir node_modules;; run) cp -R "${join(root, 'dist')}" dist; rm -f dist/.stamp;; esac`,
  )
  folder = clone.path('some-folder')
  clone.write('some-folder/deep/a.txt', 'a')
})
afterAll(() => clone[Symbol.dispose]())

test('in a fresh clone it installs, builds, and compresses the folder: exit code 0', async () => {
  const { code, output } = await start(folder)
  expect(output).toMatch(/^holdfast: installing packages .*\nholdfast: building .*\n/)
  expect(output).toMatch(/│ jobs, with the manifest +│ 2 completed +│/)
  expect(code).toBe(0)
  expect(existsSync(clone.path('.holdfast/quickstart/out/deep/a.txt.gz'))).toBe(true)
  expect(existsSync(clone.path('.holdfast/quickstart/manifest.json'))).toBe(true)
})

test('the next time there is nothing to set up, and a link to nowhere is listed: exit code 1', async () => {
  symlinkSync('nowhere', join(folder, 'dangling'))
  clone.asked()
  const { code, output } = await start(folder)
  expect(clone.asked()).toEqual([])
  expect(output).not.toContain('holdfast: ')
  expect(output).toContain('dangling  ENOENT: no such file or directory (4 attempts)')
  expect(code).toBe(1)
})

test.each(['--unknown', 'no-such-folder'])('%s is refused: exit code 2', async (word) => {
  const { code, output } = await start(word)
  expect(output).toContain(word)
  expect(code).toBe(2)
})

test.each([['--workers', '2'], ['--workers=2']])(
  '%s without `--` before it is taken by npm, which is said: exit code 2',
  async (...words) => {
    const { code, output } = await clone.run(npm, ['start', '--silent', ...words])
    expect(output).toContain('npm start -- --workers N')
    expect(code).toBe(2)
  },
)

test('without a folder it takes the repository, without what is left out', async () => {
  clone.remove('some-folder')
  writeFileSync(clone.path('node_modules/left-out.txt'), '')
  const { code, output } = await start()
  expect(code).toBe(0)
  expect(output).toMatch(/│ files +│ \d+ /)
  for (const name of ['node_modules', 'dist', '.holdfast'])
    expect(existsSync(clone.path(`.holdfast/quickstart/out/${name}`))).toBe(false)
  expect(existsSync(clone.path('.holdfast/quickstart/out/package.json.gz'))).toBe(true)
})
