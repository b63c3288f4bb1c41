/** `npm run playground`: builds the page and serves it to this machine alone, until Ctrl-C. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { build, preview } from 'vite'

if (process.argv.length > 2) {
  console.error(
    `holdfast: the playground takes no arguments, got ${process.argv.slice(2).join(' ')}; PORT=8000 says where`,
  )
  process.exit(2)
}
const port = Number(process.env['PORT'] ?? 5173)
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  console.error(`holdfast: PORT has to be a port from 0 to 65535, got ${process.env['PORT']}`)
  process.exit(2)
}

// A folder of its own for each run: another one may be serving from its own.
const outDir = join(import.meta.dirname, '..', '.holdfast', `playground-${process.pid}`)
process.on('exit', () => rmSync(outDir, { recursive: true, force: true }))
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.on(signal, () => process.exit(signal === 'SIGINT' ? 130 : 143))
}

const shared = {
  configFile: join(import.meta.dirname, 'vite.config.ts'),
  logLevel: /** @type {const} */ ('warn'),
  build: { outDir },
}
await build(shared)
// Where the port is taken, the next one that is free.
const server = await preview({ ...shared, preview: { port } })
console.log(`holdfast: the playground is at ${server.resolvedUrls?.local[0]} (Ctrl-C ends it)`)
