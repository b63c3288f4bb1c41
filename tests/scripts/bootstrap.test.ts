// What `npm start` and `npm test` do before anything else, in a clone whose npm only writes down what it was asked for.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Clone, type Ended, root } from './clone.ts'

const INSTALL = 'ci --include=dev --no-audit --no-fund'
const BUILD = 'run --silent build'
const MAKES_WHAT_IT_SHOULD = 'case "$1" in ci) mkdir -p node_modules;; run) mkdir -p dist;; esac'

let clone: Clone

beforeEach(() => {
  clone = new Clone(['alone', 'bootstrap', 'run', 'pack'].map((name) => `scripts/${name}.mjs`))
  for (const file of ['package.json', 'package-lock.json', 'src/index.ts']) clone.write(file, file)
  clone.write('program.mjs', `console.log('the program', ...process.argv.slice(2))\nprocess.exitCode = 3\n`)
  clone.program('npm', MAKES_WHAT_IT_SHOULD)
})
afterEach(() => clone[Symbol.dispose]())

const PROGRAM = ['scripts/run.mjs', 'program.mjs']
const start = (...args: string[]): Promise<Ended> => clone.run(process.execPath, [...PROGRAM, ...args])

/** What `npm run NAME` runs. */
function npmScript(name: string): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  return scripts[name]?.split(' ') ?? []
}

/** A clone that has been started once. */
async function started(): Promise<void> {
  await start()
  clone.asked()
}

test('a fresh clone is installed and built, which is said, and the program gets its arguments and gives its exit code', async () => {
  const { code, lines } = await start('a', '--b')
  expect(clone.asked()).toEqual([INSTALL, BUILD])
  expect(lines).toEqual([
    'holdfast: installing packages (node_modules is missing)',
    'holdfast: building (dist is missing)',
    'the program a --b',
  ])
  expect(code).toBe(3)
})

test('npm run pack in a fresh clone packs what was built', async () => {
  clone.program('npm', `${MAKES_WHAT_IT_SHOULD}; test "$1" != pack || ls`)
  const [name, ...args] = npmScript('pack')
  const { code, lines } = await clone.run(name === 'node' ? process.execPath : '', [...args, '--dry-run'])
  expect(clone.asked()).toEqual([INSTALL, BUILD, 'pack --dry-run'])
  expect(lines).toContain('dist')
  expect(code).toBe(0)
})

test('when nothing changed, nothing is done and nothing said', async () => {
  await started()
  expect((await start()).lines).toEqual(['the program'])
  expect(clone.asked()).toEqual([])
})

test.each([
  ['the lock file changed', () => clone.write('package-lock.json', 'newer'), [INSTALL, BUILD]],
  ['a source changed', () => clone.write('src/index.ts', 'newer'), [BUILD]],
  ['a source is new', () => clone.write('src/core/new.ts', ''), [BUILD]],
  ['a source is gone', () => clone.remove('src/index.ts'), [BUILD]],
  ['the packages are missing', () => clone.remove('node_modules'), [INSTALL]],
  ['something else put packages there', () => clone.remove('node_modules/.stamp'), [INSTALL]],
  ['the build is missing', () => clone.remove('dist'), [BUILD]],
  ['a file changed that nothing is made from', () => clone.write('README.md', 'newer'), []],
])('when %s, only what depends on it is done', async (_, change, asked) => {
  await started()
  change()
  const { lines } = await start()
  expect(clone.asked()).toEqual(asked)
  expect(lines.at(-1)).toBe('the program')
  await start()
  expect(clone.asked()).toEqual([])
})

test.each([
  ['installing packages', 'ci', 'npm ci --include=dev --no-audit --no-fund'],
  ['building', 'run', 'npm run --silent build'],
])(
  'when %s fails, its output and exit code are passed on, the program is not run, and the next start tries again',
  async (action, word, command) => {
    clone.program('npm', `if [ "$1" = ${word} ]; then echo why it failed; exit 5; fi; ${MAKES_WHAT_IT_SHOULD}`)
    const { code, lines } = await start()
    expect(code).toBe(5)
    expect(lines.slice(-2)).toEqual([
      'why it failed',
      `holdfast: ${action} failed: \`${command}\` ended with exit code 5`,
    ])
    clone.program('npm', MAKES_WHAT_IT_SHOULD)
    clone.asked()
    expect((await start()).code).toBe(3)
    expect(clone.asked()).toContain(word === 'ci' ? INSTALL : BUILD)
  },
)

test.each([
  ['20.18.3', 1],
  ['18.20.8', 1],
  ['20.19.0', 3],
  ['22.0.0', 3],
])('on Node %s it ends with %i: one that is too old is named before anything is done', async (version, exitCode) => {
  const versions = JSON.stringify({ ...process.versions, node: version })
  clone.write('older.mjs', `Object.defineProperty(process, 'versions', { value: ${versions} })`)
  const { code, lines } = await clone.run(process.execPath, [
    ...['--import', clone.path('older.mjs')],
    ...['scripts/run.mjs', 'program.mjs'],
  ])
  expect(code).toBe(exitCode)
  if (exitCode === 3) return
  expect(lines).toEqual([`holdfast: needs Node 20.19 or later, and this is Node ${version} (${process.execPath})`])
  expect(clone.asked()).toEqual([])
})

test('without npm it says what it could not start', async () => {
  clone.remove('programs')
  const node = JSON.stringify(process.execPath)
  const { code, output } = await clone.run('/bin/sh', ['-c', `PATH= exec ${node} scripts/run.mjs program.mjs`])
  expect(code).toBe(127)
  expect(output).toContain('holdfast: cannot start npm')
})

test('two starts at once install once: the second says that it waits', async () => {
  clone.program('npm', `until test -e waited-for; do sleep 0.05; done; ${MAKES_WHAT_IT_SHOULD}`)
  const heard = (output: string): void => {
    if (output.includes('waiting for another run to finish its set-up')) clone.write('waited-for', '')
  }
  const both = await Promise.all([1, 2].map(() => clone.run(process.execPath, PROGRAM, undefined, heard)))
  expect(both.map(({ code }) => code)).toEqual([3, 3])
  expect(clone.asked()).toEqual([INSTALL, BUILD])
})

test('the lock of a run that was killed is taken over', async () => {
  const { pid } = spawnSync(process.execPath, ['--version'])
  clone.write('.holdfast/bootstrap.lock', String(pid))
  expect((await start()).code).toBe(3)
  expect(clone.has('.holdfast/bootstrap.lock')).toBe(false)
})

test('a lock that a run was killed while making, and is empty, is taken over', async () => {
  clone.write('.holdfast/bootstrap.lock', '')
  const twoMinutesAgo = Date.now() / 1000 - 120
  utimesSync(clone.path('.holdfast/bootstrap.lock'), twoMinutesAgo, twoMinutesAgo)
  expect((await start()).code).toBe(3)
  expect(clone.has('.holdfast/bootstrap.lock')).toBe(false)
})

test('the lock of a run that was killed is taken over by one that has its number', async () => {
  const node = JSON.stringify(process.execPath)
  clone.write('.holdfast/bootstrap.lock', '')
  const { code } = await clone.run('/bin/sh', [
    '-c',
    `printf $$ > .holdfast/bootstrap.lock; exec ${node} ${PROGRAM.join(' ')}`,
  ])
  expect(code).toBe(3)
})

test('a lock that changes hands while it is looked at is left to whoever has it then', async () => {
  // The first look finds that the file is gone, and it is there again when that is known.
  clone.write(
    'hands.mjs',
    `import fs from 'node:fs'
    import { syncBuiltinESMExports } from 'node:module'
    const { readFileSync } = fs
    fs.readFileSync = (...args) => {
      if (!String(args[0]).endsWith('.lock')) return readFileSync(...args)
      fs.readFileSync = readFileSync
      syncBuiltinESMExports()
      throw Object.assign(new Error('gone'), { code: 'ENOENT' })
    }
    syncBuiltinESMExports()`,
  )
  clone.write('.holdfast/bootstrap.lock', String(process.pid))
  let held: boolean | undefined
  const heard = (output: string): void => {
    if (held !== undefined || !output.includes('waiting for another run')) return
    const lock = clone.path('.holdfast/bootstrap.lock')
    held = existsSync(lock) && readFileSync(lock, 'utf8') === String(process.pid)
    rmSync(lock, { force: true })
  }
  const args = ['--import', clone.path('hands.mjs'), ...PROGRAM]
  const { code } = await clone.run(process.execPath, args, undefined, heard)
  expect([held, code]).toEqual([true, 3])
})

test('npm start and npm test go this way', () => {
  const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    scripts: Record<string, string>
  }
  expect(scripts).toMatchObject({ start: 'node scripts/run.mjs quickstart/main.mjs', test: 'node scripts/test.mjs' })
})
