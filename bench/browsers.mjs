// Browsers as the tests start them: the same TypeScript, bundled for this process.
import { mkdirSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
// As deep below the root as the sources, which name folders from where they are.
const folder = `${root}.holdfast/bench/browsers/`
mkdirSync(folder, { recursive: true })
const outfile = `${folder}browsers-${process.pid}.mjs`
await build({
  stdin: {
    contents: ['browser', 'page-server', 'profile', 'start', 'chromium']
      .map((file) => `export * from './${file}.ts'`)
      .join('\n'),
    resolveDir: `${root}tests/browser/pages`,
  },
  outfile,
  bundle: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  logLevel: 'error',
})
const { freshProfile, pageOf, servePages, startBrowser, startChromium } = await import(pathToFileURL(outfile).href)

const SCRIPTS = { '/page.js': new URL('indexeddb.page.mjs', import.meta.url) }

/**
 * Runs `measure` with a browser on a profile of its own, on the disk, whose pages load `/page.js`. `open` opens one and
 * answers its functions and the tab.
 */
export async function inBrowser(engine, measure, scripts = SCRIPTS) {
  const profile = await freshProfile()
  const server = await servePages({ scripts })
  const memory = ['--enable-precise-memory-info', '--js-flags=--expose-gc']
  const browser = await (engine === 'chromium'
    ? startChromium({ profile, args: memory })
    : startBrowser(engine, profile))
  const open = async (options) => {
    const tab = await browser.open(server.origin, options)
    return { tab, page: pageOf(tab) }
  }
  try {
    return await measure({ open, profile })
  } finally {
    await browser.close()
    await server.close()
    await profile.remove()
  }
}

/** The best of some rounds: what else runs on the machine only ever takes time away. */
export async function best(rounds, measure) {
  let most = 0
  for (let round = 0; round < rounds; round++) most = Math.max(most, await measure())
  return most
}
