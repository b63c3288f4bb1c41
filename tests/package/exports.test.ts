import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { entries, filesIn, pack, read, root } from './built-package.ts'

describe('exports', () => {
  let folder: string
  let tarball: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-exports-'))
    tarball = await pack(folder)
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test('publint finds nothing, suggestions included', async () => {
    const { buffer } = await readFile(tarball)
    const { messages } = await publint({ pack: { tarball: buffer }, strict: true })
    const manifest = JSON.parse(read('package.json')) as Record<string, unknown>
    expect(messages.map((message) => formatMessage(message, manifest))).toEqual([])
  })

  test('every entry resolves to the right types in every mode that loads ESM', async () => {
    const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js')
    // It ends with an error, its table in the message, when it finds a problem.
    await promisify(execFile)(process.execPath, [attw, tarball, '--profile', 'esm-only', '--format', 'ascii'])
  })

  test.each(entries)('$specifier has a script and declarations', ({ script, declarations }) => {
    expect([script, declarations].filter((file) => !existsSync(join(root, file)))).toEqual([])
  })

  test('every entry that was built is exported', () => {
    const built = filesIn('dist', '.js').filter((file) => file.endsWith('/index.js'))
    expect(entries.map((entry) => entry.script).sort()).toEqual(built)
  })
})
