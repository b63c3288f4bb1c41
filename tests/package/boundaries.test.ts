import { existsSync } from 'node:fs'
import { join, posix } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { filesIn, read, root } from './built-package.ts'

interface Import {
  readonly from: string
  /** A path from the root of the repository, or the name of a package. */
  readonly to: string
}

function importsIn(text: string, from: string): Import[] {
  return ts
    .preProcessFile(text)
    .importedFiles.map(({ fileName }) => fileName)
    .map((to) => ({ from, to: to.startsWith('.') ? posix.join(posix.dirname(from), to) : to }))
}

/** Every import, export-from and `import()`, of types too: a type that crosses a boundary ties the sides as well. */
function importsOf(from: string): Import[] {
  return importsIn(read(from), from)
}

/** Only what is left when the types are gone, which is what decides the order in which modules run. */
function importsAtRunTimeOf(from: string): Import[] {
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true }
  return importsIn(ts.transpileModule(read(from), { compilerOptions }).outputText, from)
}

const sources = filesIn('src', '.ts')
const imports = sources.flatMap(importsOf)

/** The part of the library that a file belongs to: `src/adapters/memory`, `src/runtimes/node`, `src/testing`. */
function partOf(path: string): string {
  return /^src\/(?:adapters|runtimes)\/[^/]+|^src\/[^/]+/.exec(path)?.[0] ?? path
}

function inside(folder: string): (edge: Import) => boolean {
  return ({ from }) => from.startsWith(`${folder}/`)
}

describe('who may import whom', () => {
  test('every relative import names a file that exists, with its ending', () => {
    expect(imports.filter(({ to }) => to.startsWith('src') && !sources.includes(to))).toEqual([])
  })

  test('core imports nothing outside core', () => {
    expect(imports.filter(inside('src/core')).filter(({ to }) => !to.startsWith('src/core/'))).toEqual([])
  })

  test('the front door re-exports core only', () => {
    expect(importsOf('src/index.ts').filter(({ to }) => !to.startsWith('src/core/'))).toEqual([])
  })

  test('an adapter imports of holdfast only core/storage, core/errors and its own folder', () => {
    const strays = imports
      .filter(inside('src/adapters'))
      .filter(({ to }) => to.startsWith('src/'))
      .filter(({ to }) => !to.startsWith('src/core/storage/') && to !== 'src/core/errors.ts')
      .filter(({ from, to }) => partOf(from) !== partOf(to))
    expect(strays).toEqual([])
  })

  test('a package is imported only where it is at home', () => {
    // The folder of each dependency; an adapter or runtime that needs another one adds its line here.
    const homes: Record<string, readonly string[]> = {
      'node:': ['src/adapters/node-fs/', 'src/runtimes/node/'],
      idb: ['src/adapters/indexeddb/'],
      comlink: ['src/runtimes/threads/'],
      graphql: ['src/aql/'],
    }
    const strays = imports
      .filter(({ to }) => !to.startsWith('src/'))
      .filter(({ from, to }) => {
        const folders = homes[to.startsWith('node:') ? 'node:' : (to.split('/')[0] ?? '')] ?? []
        return !folders.some((folder) => from.startsWith(folder))
      })
    expect(strays).toEqual([])
  })

  test.each(['src/testing', 'src/runtimes', 'src/aql', 'src/cron'])('%s imports of holdfast only core', (folder) => {
    const strays = imports
      .filter(inside(folder))
      .filter(({ to }) => to.startsWith('src/') && !to.startsWith('src/core/'))
      .filter(({ from, to }) => partOf(from) !== partOf(to))
      // What the threads of both platforms have in common, and is no entry.
      .filter(({ from, to }) => !(from.startsWith('src/runtimes/') && to.startsWith('src/runtimes/threads/')))
    expect(strays).toEqual([])
  })

  test('nothing that is shipped imports testing', () => {
    const strays = imports.filter((edge) => !inside('src/testing')(edge) && edge.to.startsWith('src/testing/'))
    expect(strays).toEqual([])
  })

  test('programs beside the library use it by its name, as its users do', () => {
    const programs = ['bench', 'playground', 'quickstart']
      .filter((folder) => existsSync(join(root, folder)))
      .flatMap((folder) => ['.ts', '.tsx', '.mjs', '.js'].flatMap((ending) => filesIn(folder, ending)))
    expect(programs.flatMap(importsOf).filter(({ to }) => /^(src|dist)\//.test(to))).toEqual([])
  })
})

describe('structure', () => {
  // Types may name one another (a queue its executor, a handler's context its queue); modules that run may not.
  test('no module of core imports itself by way of others', () => {
    expect(cyclesAmong(sources.flatMap(importsAtRunTimeOf).filter(inside('src/core')))).toEqual([])
  })

  test('file names say what a file holds', () => {
    const empty = /\/(utils?|helpers?|common|misc|managers?)(\.|\/)/
    expect(sources.filter((path) => empty.test(path))).toEqual([])
  })
})

/** The cycles a depth-first walk meets, each as the files along it. */
function cyclesAmong(edges: readonly Import[]): string[][] {
  const cycles: string[][] = []
  const done = new Set<string>()
  const path: string[] = []
  function visit(file: string): void {
    if (path.includes(file)) {
      cycles.push([...path.slice(path.indexOf(file)), file])
      return
    }
    if (done.has(file)) return
    path.push(file)
    for (const { to } of edges.filter(({ from }) => from === file)) visit(to)
    path.pop()
    done.add(file)
  }
  for (const { from } of edges) visit(from)
  return cycles
}
