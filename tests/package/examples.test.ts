// Every example of the documentation is a whole program: it compiles against the built package, runs on Node, and
// prints what its `// →` comments say, line by line. One for people who work on holdfast itself may import the sources,
// as a file that stands two folders deep does.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { filesIn, read, root } from './built-package.ts'

interface Fence {
  /** `docs/guarantees.md:12`, where the code begins. */
  readonly place: string
  /** What stands behind the backticks: the language and, for an example, `runnable`. */
  readonly info: string
  readonly code: string
}

function fencesIn(file: string): Fence[] {
  return [...read(file).matchAll(/^```([^\n]*)\n(.*?)^```$/gms)].map(({ 1: info = '', 2: code = '', index }) => {
    const line = read(file).slice(0, index).split('\n').length + 1
    return { place: `${file}:${line}`, info, code }
  })
}

const pages = ['README.md', ...filesIn('docs', '.md'), ...filesIn('src', '.md')]
const programs = pages.flatMap(fencesIn).filter(({ info }) => /^(ts|js|mts|mjs|typescript|javascript)\b/.test(info))

/** What a program says that it prints. */
function promisedLines(code: string): string[] {
  return [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, line = '']) => line.trim())
}

/** How a program is run, by what stands behind its backticks: one for browsers on an emulation of what Node lacks. */
const preloads: Readonly<Record<string, readonly string[]>> = {
  'ts runnable': [],
  'ts runnable in a browser': ['--import', 'fake-indexeddb/auto'],
}

describe('examples of the documentation', () => {
  let folder: string

  // Inside the repository, where `holdfast` names the package itself and resolves through its `exports`.
  beforeAll(() => {
    mkdirSync(join(root, '.holdfast'), { recursive: true })
    folder = mkdtempSync(join(root, '.holdfast', 'examples-'))
  })
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  test('the README has one', () => {
    expect(programs.some(({ place }) => place.startsWith('README.md'))).toBe(true)
  })

  test('each is marked as runnable', () => {
    expect(programs.filter(({ info }) => !(info in preloads)).map(({ place }) => place)).toEqual([])
  })

  test('all compile against the built package', () => {
    const files = programs.map(({ place, code }) => {
      const file = join(folder, `${place.replaceAll(/[^\w]/g, '-')}.mts`)
      writeFileSync(file, code)
      return { file, place }
    })
    const names = files.map(({ file }) => file)
    const diagnostics = ts.getPreEmitDiagnostics(ts.createProgram(names, compilerOptions))
    const findings = diagnostics.map(({ file, start, messageText }) => {
      const place = files.find((program) => program.file === file?.fileName)?.place ?? file?.fileName
      const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start ?? 0).line
      return `${place} +${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
    })
    expect(findings).toEqual([])
  })

  test.each(programs)('$place runs and prints what it says', async ({ place, code, info }) => {
    const script = join(folder, `${place.replaceAll(/[^\w]/g, '-')}.mjs`)
    await build({
      stdin: { contents: code, loader: 'ts', resolveDir: folder },
      outfile: script,
      bundle: true,
      packages: 'external',
      format: 'esm',
      platform: 'node',
      target: 'node20',
      logLevel: 'error',
    })
    const { stdout } = await promisify(execFile)(process.execPath, [...(preloads[info] ?? []), script], {
      cwd: folder,
      timeout: 30_000,
    })
    expect(stdout.split('\n').slice(0, -1)).toEqual(promisedLines(code))
  })
})

/** What a strict project of a user has. */
const compilerOptions: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  types: ['node'],
  allowImportingTsExtensions: true,
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noUnusedLocals: true,
  // Declarations of the tools are not ours to mend; ours are checked by ./tarball.test.ts.
  skipLibCheck: true,
  noEmit: true,
}
