/**
 * `npm run playground`: builds the page and serves it to this machine alone, until Ctrl-C. Exit code 2: it was called in a
 * way that cannot work.
 */
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

const HOST = '127.0.0.1'
const USUAL_PORT = 5173

/** @param {string} text @returns {never} */
function refuse(text) {
  console.error(`holdfast: ${text}`)
  process.exit(2)
}

if (process.argv.length > 2)
  refuse(`the playground takes no arguments, got ${process.argv.slice(2).join(' ')}; PORT=8000 says where`)
const wanted = process.env['PORT']
if (wanted !== undefined && !(/^\d{1,5}$/.test(wanted) && Number(wanted) <= 65_535))
  refuse(`PORT has to be a port from 0 (any that is free) to 65535, got \`${wanted}\``)
if (wanted !== undefined) {
  const probe = createServer().listen(Number(wanted), HOST)
  await once(probe, 'listening').catch((/** @type {NodeJS.ErrnoException} */ { code, message }) =>
    refuse(
      `port ${wanted} ${code === 'EADDRINUSE' ? 'is taken' : `cannot be used: ${message}`}; PORT=0 takes one that is free`,
    ),
  )
  probe.close()
  await once(probe, 'close')
}

// Loading it and building take a while: what was asked has to make sense first.
const { build, preview } = await import('vite')

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
// Where nobody asked for a port and the usual one is taken, the next one that is free.
const server = await preview({
  ...shared,
  preview: { host: HOST, port: Number(wanted ?? USUAL_PORT), strictPort: wanted !== undefined },
}).catch((/** @type {Error} */ { message }) => refuse(message))
console.log(`holdfast: the playground is at ${server.resolvedUrls?.local[0]} (Ctrl-C ends it)`)
