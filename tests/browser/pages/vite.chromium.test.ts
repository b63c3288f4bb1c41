// A fresh application of Vite with the packed package, its workers and jobs in TypeScript, under a strict policy.
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build, createServer, type InlineConfig, preview } from 'vite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { removeFolder } from '../../../scripts/remove-folder.mjs'
import { pack, root } from '../../package/built-package.ts'
import { type Chromium, startChromium } from './chromium.ts'
import { freshProfile, type Profile } from './profile.ts'

const policy = `default-src 'self'; script-src 'self'; worker-src 'self'; require-trusted-types-for 'script'`

let project: string
let profile: Profile
let browser: Chromium
let config: InlineConfig

beforeAll(async () => {
  profile = await freshProfile()
  browser = await startChromium({ profile })
  project = await mkdtemp(join(tmpdir(), 'holdfast-vite-'))
  const modules = join(project, 'node_modules')
  await mkdir(join(modules, 'holdfast'), { recursive: true })
  // What `npm install` does with it is seen in tests/package/tarball.test.ts.
  await promisify(execFile)('tar', [
    '-xzf',
    await pack(project),
    '--strip-components=1',
    '-C',
    join(modules, 'holdfast'),
  ])
  for (const name of ['comlink', 'graphql', 'idb'])
    await symlink(join(root, 'node_modules', name), join(modules, name), 'junction')
  await cp(join(root, 'tests/package/consumer'), project, { recursive: true })
  await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'application', private: true, type: 'module' }))
  await writeFile(join(project, 'index.html'), '<!doctype html><script type="module" src="/page.ts"></script>')
  const server = { host: '127.0.0.1', port: 0, headers: { 'content-security-policy': policy } }
  config = { root: project, configFile: false, logLevel: 'silent', server, preview: server }
})
afterAll(async () => {
  await browser.close()
  await profile.remove()
  await removeFolder(project)
})

/** What the page says once its jobs have ended. */
async function said(address: string | undefined): Promise<unknown> {
  const tab = await browser.open(address ?? '')
  let text = ''
  await expect.poll(async () => (text = await tab.evaluate(() => document.body.textContent))).toContain('outcomes')
  await tab.close()
  return JSON.parse(text)
}

const done = {
  outcomes: [
    { status: 'failed', error: { code: 'HOLDFAST_TIMEOUT' } },
    { status: 'completed', result: 144 },
  ],
  violations: [],
}

test('jobs run in Web Workers as Vite serves them while one develops, and an endless loop ends', async () => {
  const server = await createServer(config)
  try {
    await server.listen()
    expect(await said(server.resolvedUrls?.local[0])).toMatchObject(done)
  } finally {
    await server.close()
  }
})

test('and as Vite builds them', async () => {
  await build(config)
  const server = await preview(config)
  try {
    expect(await said(server.resolvedUrls?.local[0])).toMatchObject(done)
  } finally {
    await server.close()
  }
})
