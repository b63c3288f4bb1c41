// The quickstart as a user runs it, on the built package: in a copy of its folder, so that nobody's own run is touched.
import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { root } from './built-package.ts'

const FILES = 120

let home: string
let folder: string
let reference: string

const work = (): string => join(home, '.holdfast', 'quickstart')
const out = (): string => join(work(), 'out')
const brake = (): string => join(home, 'brake')
const manifest = (): string => readFileSync(join(work(), 'manifest.json'), 'utf8')
const done = (): number => (existsSync(out()) ? readdirSync(out()).length : 0)

/**
 * Runs go on until so many files are compressed, or a few more that were under way, and no further until `release`;
 * `folder`: they do not even look what files there are.
 */
function brakeAt(files: number | 'folder'): void {
  writeFileSync(brake(), String(files))
}

function release(): void {
  rmSync(brake(), { force: true })
}

/**
 * Leases in the copy are longer than any test: whatever a killed process held runs again by proof of its death. How soon,
 * `npm run bench -- node-fs-restart` measures.
 */
function lengthenLeases(): void {
  const file = join(home, 'quickstart/jobs.mjs')
  const definitions = readFileSync(file, 'utf8').split('= defineJob({')
  expect(definitions).toHaveLength(3)
  writeFileSync(file, definitions.join("= defineJob({ leaseDuration: '1h',"))
}

/** Text that does not repeat itself, so that compressing it takes its time. */
function fileText(at: number): string {
  let text = ''
  for (let line = 0; line < 4000; line++) text += createHash('sha256').update(`${at} ${line}`).digest('base64')
  return text
}

/** The rows of the table at the end of a run. */
function tableIn(output: string): Record<string, string> {
  const rows = [...output.matchAll(/^│ (.+?) +│ (.*?) +│$/gm)]
  return Object.fromEntries(rows.map(([, name = '', value = '']) => [name, value]))
}

const runs: Run[] = []

class Run {
  readonly child: ChildProcess
  output = ''
  readonly #closed: Promise<unknown[]>

  constructor(args: readonly string[] = [folder], options: SpawnOptions = {}, program = 'main.mjs') {
    const NODE_OPTIONS = `--import=${new URL('quickstart-brake.mjs', import.meta.url).href}`
    const env = { ...process.env, NODE_OPTIONS, BRAKE: brake(), OUT: out() }
    this.child = spawn(process.execPath, [join(home, 'quickstart', program), ...args], { env, ...options })
    const collect = (chunk: Buffer): void => void (this.output += chunk.toString())
    this.child.stdout?.on('data', collect)
    this.child.stderr?.on('data', collect)
    this.#closed = once(this.child, 'close')
    runs.push(this)
  }

  /** Its exit code, `null` when a signal ended it. */
  async ended(): Promise<unknown> {
    const [code] = await this.#closed
    return code
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.#closed
  }

  async said(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      if (this.child.exitCode !== null) throw new Error(`ended before it said '${text}': ${this.output}`)
      await sleep(5)
    }
  }

  /** So many files are compressed. */
  async until(files: number): Promise<void> {
    while (done() < files) {
      if (this.child.exitCode !== null) throw new Error(`ended before ${files} files were done: ${this.output}`)
      await sleep(5)
    }
  }
}

beforeAll(async () => {
  mkdirSync(join(root, '.holdfast'), { recursive: true })
  // Inside the repository, where `holdfast` names the package itself.
  home = mkdtempSync(join(root, '.holdfast', 'quickstart-test-'))
  for (const part of ['quickstart', 'scripts/alone.mjs'])
    cpSync(join(root, part), join(home, part), { recursive: true })
  lengthenLeases()
  folder = mkdtempSync(join(tmpdir(), 'holdfast-quickstart-'))
  for (let at = 0; at < FILES; at++) writeFileSync(join(folder, `file-${at}.txt`), fileText(at))
  expect(await new Run().ended()).toBe(0)
  reference = manifest()
})

afterAll(() => {
  // Those that a failed test has left.
  for (const { child } of runs) child.kill('SIGKILL')
  rmSync(home, { recursive: true, force: true })
  rmSync(folder, { recursive: true, force: true })
})

beforeEach(() => {
  release()
  rmSync(work(), { recursive: true, force: true })
})

interface Manifest {
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[]
  readonly failed: readonly { readonly path: string; readonly error: string }[]
}

test('its manifest names every file, with its size and its sum', () => {
  const { files, failed } = JSON.parse(reference) as Manifest
  expect(files).toHaveLength(FILES)
  expect(failed).toEqual([])
  for (const { path, bytes, sha256 } of files) {
    const content = readFileSync(join(folder, path))
    expect({ bytes, sha256 }).toEqual({
      bytes: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
    })
  }
})

test('each file comes back from its compressed form, which tells no time; what cannot be read is listed, exit code 1', async () => {
  const other = mkdtempSync(join(tmpdir(), 'holdfast-quickstart-'))
  try {
    writeFileSync(join(other, 'a.txt'), 'a')
    symlinkSync('nowhere', join(other, 'dangling'))
    for (const name of ['.git', 'node_modules', '.holdfast', 'dist']) {
      mkdirSync(join(other, name))
      writeFileSync(join(other, name, 'left-out.txt'), 'left out')
    }
    const run = new Run([other])
    expect(await run.ended()).toBe(1)
    const { files, failed } = JSON.parse(manifest()) as Manifest
    expect(files.map(({ path }) => path)).toEqual(['a.txt'])
    expect(failed).toEqual([{ path: 'dangling', error: 'ENOENT: no such file or directory' }])
    expect(run.output).toContain('1 failed:\n  dangling  ENOENT: no such file or directory (4 attempts)\n')
    const { 'bytes out': bytesOut, 'jobs per second': speed, 'enqueue to start': waits, ...rows } = tableIn(run.output)
    // Attempts: one of the file, four of the link, which was tried again three times.
    const jobs = { 'jobs, with the manifest': '2 completed, 1 failed', attempts: '5' }
    expect(rows).toEqual({ files: '2', 'bytes in': '1', ...jobs })
    expect(bytesOut).toMatch(/^2\d \(2\d00 %\)$/)
    expect(speed).toMatch(/^\d+$/)
    expect(waits).toMatch(/^p50 [\d,]+ ms, p99 [\d,]+ ms$/)
    const compressed = readFileSync(join(out(), 'a.txt.gz'))
    expect(gunzipSync(compressed).toString()).toBe('a')
    expect(compressed.subarray(4, 8)).toEqual(Buffer.alloc(4))
  } finally {
    rmSync(other, { recursive: true })
  }
})

test('killed five times on the way it carries on each time, and ends with the same manifest', async () => {
  for (let kill = 1; kill <= 5; kill++) {
    brakeAt((kill * FILES) / 6)
    const run = new Run()
    await run.until((kill * FILES) / 6)
    await run.kill()
    expect(existsSync(join(work(), 'manifest.json'))).toBe(false)
    expect(run.output).toContain(kill === 1 ? 'Compressing' : 'Carrying on')
  }
  release()
  const last = new Run()
  expect(await last.ended()).toBe(0)
  expect(last.output).toContain('Carrying on')
  expect(manifest()).toBe(reference)
  expect(done()).toBe(FILES)
})

test('several processes end with the same manifest, also when the one that started them was killed', async () => {
  brakeAt(FILES / 3)
  const first = new Run([folder, '--workers', '3'])
  await first.until(FILES / 3)
  await first.kill()
  release()
  const second = new Run([folder, '--workers', '2'])
  expect(await second.ended()).toBe(0)
  expect(second.output).toContain('Carrying on')
  expect(manifest()).toBe(reference)
})

test('worker processes that are not needed any more before they are ready end without a word', async () => {
  const few = mkdtempSync(join(tmpdir(), 'holdfast-quickstart-'))
  try {
    for (let at = 0; at < 10; at++) writeFileSync(join(few, `${at}.txt`), fileText(at))
    // How far they have got by then is left to chance: each time a little further or less.
    for (const workers of ['4', '6', '8']) {
      const run = new Run([few, '--workers', workers])
      expect(await run.ended()).toBe(0)
      expect(run.output).not.toMatch(/Error|worker process ended/)
    }
  } finally {
    rmSync(few, { recursive: true })
  }
})

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s stops it in good order, and the same command carries on', async (signal, code) => {
  brakeAt(FILES / 3)
  const first = new Run()
  await first.until(FILES / 3)
  first.child.kill(signal)
  await first.said('Stopping')
  release()
  expect(await first.ended()).toBe(code)
  expect(first.output).toMatch(/Interrupted with \d+ of \d+ files done/)
  const second = new Run()
  expect(await second.ended()).toBe(0)
  expect(manifest()).toBe(reference)
  // Nothing was cut short, so nothing was run twice.
  expect(second.output).toMatch(new RegExp(`attempts +│ ${FILES} `))
})

test('Ctrl-C reaches all processes at once: they stop in good order, which is told once, and the same command carries on', async () => {
  brakeAt(FILES / 3)
  // A process group of its own, as a terminal gives it to each command.
  const first = new Run([folder, '--workers', '3'], { detached: true })
  await first.until(FILES / 3)
  process.kill(-(first.child.pid ?? 0), 'SIGINT')
  await first.said('Stopping')
  release()
  // Its output ends with the last process of the group.
  expect(await first.ended()).toBe(130)
  expect(() => process.kill(-(first.child.pid ?? 0), 0)).toThrow('ESRCH')
  expect(first.output.match(/Stopping|Interrupted with|worker process ended/g)).toEqual([
    'Stopping',
    'Interrupted with',
  ])
  const second = new Run([folder, '--workers', '3'])
  expect(await second.ended()).toBe(0)
  expect(second.output).toContain('Carrying on')
  expect(manifest()).toBe(reference)
  expect(second.output).toMatch(new RegExp(`attempts +│ ${FILES} `))
})

test('when all is done the same command begins anew', async () => {
  expect(await new Run().ended()).toBe(0)
  const again = new Run()
  expect(await again.ended()).toBe(0)
  expect(again.output).toContain('Compressing')
  expect(manifest()).toBe(reference)
})

test('another folder has to wait for a run that is under way, which goes on undisturbed', async () => {
  brakeAt(1)
  const first = new Run()
  await first.until(1)
  // A process that stands still is not gone.
  first.child.kill('SIGSTOP')
  const refused = new Run([join(root, 'quickstart')])
  expect(await refused.ended()).toBe(2)
  expect(refused.output).toBe(`quickstart: the run below ${folder} is under way in another process\n`)
  first.child.kill('SIGCONT')
  release()
  expect(await first.ended()).toBe(0)
  expect(manifest()).toBe(reference)
})

test('a run that was killed gives way to another folder', async () => {
  brakeAt(1)
  const first = new Run()
  await first.until(1)
  await first.kill()
  release()
  const second = new Run([join(root, 'quickstart')])
  expect(await second.ended()).toBe(0)
  expect(second.output).toContain(`The run below ${folder} was not finished and is given up`)
  expect(readdirSync(out()).sort()).toEqual(
    readdirSync(join(root, 'quickstart'), 'utf8')
      .map((name) => `${name}.gz`)
      .sort(),
  )
})

test('two that start at once on a finished folder do the work together, or one after the other', async () => {
  const few = mkdtempSync(join(tmpdir(), 'holdfast-quickstart-'))
  try {
    for (let at = 0; at < 10; at++) writeFileSync(join(few, `${at}.txt`), fileText(at))
    expect(await new Run([few]).ended()).toBe(0)
    const expected = manifest()
    for (let round = 0; round < 4; round++) {
      const both = [new Run([few]), new Run([few])]
      const codes = await Promise.all(both.map((run) => run.ended()))
      expect({ codes, output: both.map(({ output }) => output) }).toMatchObject({ codes: [0, 0] })
      expect(manifest()).toBe(expected)
      expect(done()).toBe(10)
    }
  } finally {
    rmSync(few, { recursive: true })
  }
})

test('one that starts while another has stored nothing yet waits for that, however long it takes', async () => {
  const few = mkdtempSync(join(tmpdir(), 'holdfast-quickstart-'))
  try {
    for (let at = 0; at < 10; at++) writeFileSync(join(few, `${at}.txt`), fileText(at))
    brakeAt('folder')
    const first = new Run([few])
    await first.said('Compressing')
    const second = new Run([few])
    await second.said('Waiting for another process')
    release()
    expect([await first.ended(), await second.ended()]).toEqual([0, 0])
    expect(done()).toBe(10)
  } finally {
    rmSync(few, { recursive: true })
  }
})

test('a worker process whose jobs cannot be opened ends without a word: the one that started it tells of that', async () => {
  mkdirSync(work(), { recursive: true })
  writeFileSync(join(work(), 'jobs'), 'a file where their folder should be')
  const worker = new Run([], {}, 'worker.mjs')
  expect(await worker.ended()).toBe(0)
  expect(worker.output).toBe('')
})

test('a run whose jobs are deleted under it ends with one sentence, and so do its workers: exit code 1', async () => {
  brakeAt(1)
  const run = new Run([folder, '--workers', '2'])
  await run.until(1)
  // In one step: what is emptied name by name gets new files meanwhile, and is then not empty.
  const deleted = join(home, 'deleted')
  renameSync(work(), deleted)
  rmSync(deleted, { recursive: true })
  // Its output ends with the last of its processes.
  expect(await run.ended()).toBe(1)
  expect(run.output).toContain('quickstart: The journal was removed while it was open')
  expect(run.output).not.toMatch(/^ +at /m)
})

test('when nobody reads any more what it says it ends at once, without a word', async () => {
  brakeAt(1)
  const first = new Run()
  await first.until(1)
  first.child.stdout?.destroy()
  release()
  // As a shell calls it that SIGPIPE ended a program.
  expect(await first.ended()).toBe(141)
  expect(first.output).not.toContain('Error')
  expect(await new Run().ended()).toBe(0)
  expect(manifest()).toBe(reference)
})

test('a folder without files has no speed, and one with many is counted in thousands throughout', async () => {
  const other = mkdtempSync(join(tmpdir(), 'holdfast-quickstart-'))
  try {
    const empty = new Run([other])
    expect(await empty.ended()).toBe(0)
    expect(empty.output).toMatch(/^Compressing .*\n\n┌/)
    expect(tableIn(empty.output)).toMatchObject({ files: '0', 'jobs per second': '-' })
    for (let at = 0; at < 1200; at++) writeFileSync(join(other, `${at}`), '')
    const many = new Run([other])
    expect(await many.ended()).toBe(0)
    expect(many.output).toMatch(/^1,200 of 1,200 files$/m)
    expect(tableIn(many.output)).toMatchObject({ files: '1,200' })
  } finally {
    rmSync(other, { recursive: true })
  }
})

test.each([
  ['--workers=0', '--workers has to be an integer from 1 to 64'],
  ['--workers=many', '--workers has to be an integer from 1 to 64'],
  ['--fast', "Unknown option '--fast'"],
  ['no-such-folder', 'does not exist'],
  ['package.json', 'is not a folder'],
  ['', 'FOLDER is empty'],
])('the argument %s is refused, exit code 2', async (argument, reason) => {
  const run = new Run([argument])
  expect(await run.ended()).toBe(2)
  expect(run.output).toContain(reason)
  expect(existsSync(work())).toBe(false)
})

test('where it writes is no FOLDER, and a second one is none either', async () => {
  mkdirSync(work(), { recursive: true })
  const [inside, two] = [new Run([join(work(), '..')]), new Run([folder, folder])]
  expect([await inside.ended(), await two.ended()]).toEqual([2, 2])
  expect(inside.output).toContain('is where the quickstart writes')
  expect(two.output).toContain('expected one FOLDER, got 2')
})

test('a place where nothing can be written is told in one sentence, exit code 1', async () => {
  mkdirSync(join(work(), '..'), { recursive: true })
  writeFileSync(work(), 'a file where its folder should be')
  const run = new Run()
  expect(await run.ended()).toBe(1)
  expect(run.output).toMatch(/^quickstart: E[A-Z]+: .*\.holdfast\/quickstart.*\n$/)
})

test('--help says what there is', async () => {
  const run = new Run(['--help'])
  expect(await run.ended()).toBe(0)
  expect(run.output).toContain('npm start [-- FOLDER] [--workers N]')
})
