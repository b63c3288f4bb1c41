import { chmod, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { installMissing } from '../../scripts/browser-packages.mjs'
import { browserTests } from '../../scripts/browser-tests.mjs'

// A machine whose programs are those of one folder, and whose apt-get writes down what it was asked for.
let programs: string
let asRoot: boolean

beforeEach(async () => {
  programs = await mkdtemp(join(tmpdir(), 'holdfast-programs-'))
  asRoot = true
  await symlink('/usr/bin/env', join(programs, 'env'))
  vi.stubEnv('PATH', programs)
  vi.spyOn(process, 'getuid').mockImplementation(() => (asRoot ? 0 : 1000))
  for (const method of ['log', 'error'] as const) vi.spyOn(console, method).mockImplementation(() => undefined)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  await rm(programs, { recursive: true })
})

async function program(name: string, body = ''): Promise<void> {
  await writeFile(join(programs, name), `#!/bin/sh\n${body}\n`)
  await chmod(join(programs, name), 0o755)
}

const aptGet = (then: string): Promise<void> =>
  program('apt-get', `echo "$DEBIAN_FRONTEND $*" >> ${programs}/asked; ${then}`)
const asked = async (): Promise<string[]> => (await readFile(join(programs, 'asked'), 'utf8')).trim().split('\n')

test('where nothing is missing, nothing is asked of apt-get', async () => {
  await program('firefox-esr')
  await program('chromium')
  await aptGet('exit 1')
  expect(await installMissing(['chromium', 'firefox'])).toBe(null)
  await expect(asked()).rejects.toThrow()
})

test('only what is missing is installed, without questions', async () => {
  await program('chromium')
  await aptGet(`: > ${programs}/firefox-esr`)
  expect(await installMissing(['chromium', 'firefox'])).toBe(null)
  expect(await asked()).toEqual([
    'noninteractive update',
    'noninteractive install -y --no-install-recommends firefox-esr',
  ])
})

test('where apt-get fails, the message says how, and what to run', async () => {
  await aptGet('exit 100')
  const problem = await installMissing(['firefox'])
  expect(problem).toContain('`apt-get update` ended with exit code 100')
  expect(problem).toContain('apt-get update && apt-get install -y --no-install-recommends firefox-esr')
})

test('where the packages bring no browser, that is said', async () => {
  await aptGet('exit 0')
  expect(await installMissing(['firefox'])).toContain('firefox is not where it should be')
})

test('who is not root is told what to run as root', async () => {
  asRoot = false
  await aptGet('exit 0')
  expect(await installMissing(['firefox'])).toContain(
    'sudo apt-get update && sudo apt-get install -y --no-install-recommends firefox-esr',
  )
  await expect(asked()).rejects.toThrow()
})

test('an engine that cannot be had counts as failed', async () => {
  expect(await browserTests(['firefox', 'chromium'])).toEqual({
    passed: 0,
    failures: ['firefox: not run', 'chromium: not run'],
    skipped: 0,
  })
  expect(vi.mocked(console.error).mock.calls.flat().join('\n')).toContain('firefox, chromium cannot be tested')
})
