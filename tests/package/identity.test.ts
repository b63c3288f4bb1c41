import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { entries, filesIn, read } from './built-package.ts'

/** The names of the error classes that a file defines: those that extend `Error` or a class called so. */
function errorClassesIn(file: string): string[] {
  const names: string[] = []
  function visit(node: ts.Node): void {
    if (ts.isClassLike(node)) {
      const base = node.heritageClauses?.find((clause) => clause.token === ts.SyntaxKind.ExtendsKeyword)?.types[0]
      // A bundler writes some as `var A = class _A extends Error`.
      const name = ts.isVariableDeclaration(node.parent) ? node.parent.name : node.name
      if (name !== undefined && base?.expression.getText().endsWith('Error')) names.push(name.getText())
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(file, read(file), ts.ScriptTarget.ES2022, true))
  return names
}

describe('one copy of every error class', () => {
  const defined = filesIn('src', '.ts').flatMap(errorClassesIn)
  const built = filesIn('dist', '.js').flatMap(errorClassesIn)

  test.each(defined)('%s is defined once in all that was built', (name) => {
    // A second copy in the same file would be called `HoldfastError2`.
    expect(built.filter((copy) => copy.replace(/\d+$/, '') === name)).toEqual([name])
  })

  test('entries that export the same error class export the same object', async () => {
    const modules = await Promise.all(entries.map(({ specifier }) => import(specifier) as Promise<object>))
    for (const name of defined) {
      const copies = modules.flatMap((module) => (name in module ? [module[name as keyof typeof module]] : []))
      expect(new Set(copies).size, name).toBeLessThanOrEqual(1)
    }
  })
})
