// Browsers as the tests start them: the same TypeScript, bundled for this process.
import { mkdirSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
// As deep below the root as the sources, which name folders from where they are.
const folder = `${root}.holdfast/bench/browsers/`
mkdirSync(folder, { recursive: true })
await build({
  stdin: {
    contents: ['browser', 'page-server', 'profile', 'start', 'chromium']
      .map((file) => `export * from './${file}.ts'`)
      .join('\n'),
    resolveDir: `${root}tests/browser/pages`,
  },
  outfile: `${folder}browsers.mjs`,
  bundle: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  logLevel: 'error',
})
const { freshProfile, pageOf, servePages, startBrowser, startChromium } = await import(
  pathToFileURL(`${folder}browsers.mjs`).href
)

export { pageOf }

/**
 * Runs `measure` with a browser on a profile of its own, on the disk, and the address of a server whose pages load
 * `indexeddb.page.mjs`.
 */
export async function inBrowser(engine, measure, args = []) {
  await using profile = await freshProfile()
  await using server = await servePages({
    scripts: { '/page.js': new URL('indexeddb.page.mjs', import.meta.url) },
  })
  await using browser = await (engine === 'chromium' ? startChromium({ profile, args }) : startBrowser(engine, profile))
  return await measure(browser, server.origin, profile)
}
