import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { npm, pack, root } from './built-package.ts'

const runNode = (args: readonly string[], cwd: string) => promisify(execFile)(process.execPath, args, { cwd })

/** What ./consumer/threads.ts says. */
const outcomes = [
  { status: 'failed', error: { code: 'HOLDFAST_TIMEOUT' } },
  { status: 'completed', result: 144 },
]

describe('the packed package in another project', () => {
  let project: string

  beforeAll(async () => {
    project = await mkdtemp(join(tmpdir(), 'holdfast-consumer-'))
    await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }))
    // What the set-up has brought in already is not asked for again: the registry may be away.
    const options = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund']
    await npm(['install', ...options, await pack(project)], project)
    await cp(join(root, 'tests/package/consumer'), project, { recursive: true })
    // What an application brings itself is taken from here: this is no test of the registry.
    await mkdir(join(project, 'node_modules/@types'), { recursive: true })
    for (const name of ['zod', '@types/node', 'undici-types']) {
      await symlink(join(root, 'node_modules', name), join(project, 'node_modules', name), 'junction')
    }
  })
  afterAll(() => rm(project, { recursive: true, force: true }))

  async function compile(options: Record<string, unknown>, files = ['main.ts']): Promise<void> {
    const compilerOptions = { target: 'ES2022', strict: true, exactOptionalPropertyTypes: true, ...options }
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
    // tsc writes its findings to standard output, and a failure of it says only that there are some.
    await runNode([join(root, 'node_modules/typescript/lib/tsc.js')], project).catch((error: unknown) => {
      throw new Error((error as { stdout: string }).stdout)
    })
  }

  // Declarations of the libraries are checked as well, so ours must stand in a project with any of these surroundings.
  test('type-checks for a bundler, in a page', async () => {
    await compile({ module: 'preserve', lib: ['ES2022', 'ESNext.Disposable', 'DOM'], types: [], noEmit: true })
  })

  test('type-checks for Node and runs there', async () => {
    await compile({ module: 'nodenext', lib: ['ES2022', 'ESNext.Disposable'], types: ['node'] })
    const { stdout } = await runNode(['main.js'], project)
    expect(JSON.parse(stdout)).toMatchObject({ status: 'completed', result: { greeting: 'hello world' } })
  })

  test('runs handlers in worker_threads, ends one that does not end, and then by itself', async () => {
    const files = ['threads.ts', 'jobs.worker.ts']
    await compile({ module: 'nodenext', lib: ['ES2022', 'ESNext.Disposable'], types: ['node'] }, files)
    const { stdout } = await runNode(['threads.js'], project)
    expect(JSON.parse(stdout)).toMatchObject(outcomes)
  })

  test('so does what tsup makes of the same sources', async () => {
    const tsup = join(root, 'node_modules/tsup/dist/cli-default.js')
    await runNode([tsup, 'threads.ts', 'jobs.worker.ts', '--format', 'esm', '--out-dir', 'built'], project)
    const { stdout } = await runNode(['built/threads.js'], project)
    expect(JSON.parse(stdout)).toMatchObject(outcomes)
  })
})
