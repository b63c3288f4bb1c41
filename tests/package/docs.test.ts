// The documentation names codes, files and test cases: each of them has to exist.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cases } from 'holdfast/testing'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { crashCases } from '../adapters/node-fs-crash/cases.ts'
import { filesIn, read, root } from './built-package.ts'

const pages = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...filesIn('docs', '.md'),
  ...filesIn('src', '.md'),
]

/** The first group of each match, with the page it stands on. */
function found(pattern: RegExp): { page: string; text: string }[] {
  return pages.flatMap((page) => [...read(page).matchAll(pattern)].map(([, text = '']) => ({ page, text })))
}

/** The members of the union `ErrorCode`. */
function errorCodes(): string[] {
  const codes: string[] = []
  ts.forEachChild(ts.createSourceFile('errors.ts', read('src/core/errors.ts'), ts.ScriptTarget.ES2022), (node) => {
    if (!ts.isTypeAliasDeclaration(node) || node.name.text !== 'ErrorCode' || !ts.isUnionTypeNode(node.type)) return
    for (const member of node.type.types) {
      if (ts.isLiteralTypeNode(member) && ts.isStringLiteral(member.literal)) codes.push(member.literal.text)
    }
  })
  return codes
}

describe('documentation', () => {
  test('every error code has its heading in errors.md, and no other', () => {
    const headings = [...read('docs/errors.md').matchAll(/^## (HOLDFAST_\w+)$/gm)].map(([, code = '']) => code)
    expect(headings.sort()).toEqual(errorCodes().sort())
  })

  test('every error code that is named exists', () => {
    const codes = errorCodes()
    expect(found(/\b(HOLDFAST_[A-Z_]+)\b/g).filter(({ text }) => !codes.includes(text))).toEqual([])
  })

  test('every link to a file leads to one', () => {
    const links = found(/\]\((?!https?:|#)([^)#\s]+)(?:#[^)\s]*)?\)/g)
    expect(links.filter(({ page, text }) => !existsSync(join(root, dirname(page), text)))).toEqual([])
  })

  test('every command selects tests of the conformance kit or of the crash sweep', () => {
    const titles = [...cases.map(({ area, name }) => `${area}: ${name}`), ...crashCases.map(({ name }) => name)]
    // Each of the alternatives, or one that selects nothing would hide behind the others.
    const patterns = found(/npm test -- -t "([^"]+)"/g).flatMap(({ page, text }) =>
      (text.includes('(') ? [text] : text.split('|')).map((each) => ({ page, text: each })),
    )
    expect(patterns.filter(({ text }) => !titles.some((title) => new RegExp(text, 'i').test(title)))).toEqual([])
    expect(patterns).not.toEqual([])
  })

  test('every area of the kit is named by the description of the contract', () => {
    const page = read('docs/storage-contract.md')
    const areas = new Set(cases.map(({ area }) => `\`${area}\``))
    expect([...areas].filter((area) => !page.includes(area))).toEqual([])
  })

  test('decisions are numbered without gaps and say context, choice and consequences', () => {
    const decisions = filesIn('docs/decisions', '.md').filter((file) => !file.endsWith('/README.md'))
    expect(decisions.map((file) => Number(file.slice('docs/decisions/'.length).slice(0, 4)))).toEqual(
      decisions.map((_, index) => index + 1),
    )
    const headings = ['## Context', '## Choice', '## Consequences']
    expect(decisions.filter((file) => headings.some((heading) => !read(file).includes(heading)))).toEqual([])
  })
})
