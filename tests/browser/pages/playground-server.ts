import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { removeFolder } from '../../../scripts/remove-folder.mjs'

const root = fileURLToPath(new URL('../../..', import.meta.url))

export interface Playground extends AsyncDisposable {
  readonly address: string
  /** Ends it as Ctrl-C does. Answers the exit code. */
  interrupt(): Promise<number | null>
}

/** `npm run playground` without the set-up, since tests have made it: on a free port from `port` on. */
export async function startPlayground(port = 0): Promise<Playground> {
  const server = start('playground/serve.mjs', { PORT: String(port) })
  const said: string[] = []
  const address = await new Promise<string>((resolve, reject) => {
    for (const stream of [server.stdout, server.stderr])
      createInterface(stream).on('line', (line) => {
        said.push(line)
        const found = /the playground is at (\S+)/.exec(line)?.[1]
        if (found !== undefined) resolve(found)
      })
    server.once('close', () => reject(new Error(`The playground ended:\n${said.join('\n')}`)))
  })
  const interrupt = async (): Promise<number | null> => {
    if (server.exitCode === null) {
      const ended = once(server, 'close')
      server.kill('SIGINT')
      await ended
    }
    return server.exitCode
  }
  return {
    address,
    interrupt,
    [Symbol.asyncDispose]: async () => {
      await interrupt()
    },
  }
}

/** `npm run playground:build`, and its files on a server that knows of files only. */
export async function serveStaticFiles(): Promise<{ address: string } & AsyncDisposable> {
  // A folder of its own: the tests of another browser build and serve at the same time.
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-playground-'))
  const building = start('playground/build.mjs', {}, [folder])
  building.stdout.resume()
  building.stderr.resume()
  const [code] = (await once(building, 'close')) as [number]
  if (code !== 0) throw new Error(`The build of the playground ended with ${code}`)
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://any')
    const name = pathname.endsWith('/') ? `${pathname}index.html` : pathname
    readFile(join(folder, name.replace(/^\/some\/folder/, ''))).then(
      (file) => response.writeHead(200, { 'content-type': TYPES[extname(name)] ?? 'text/plain' }).end(file),
      () => response.writeHead(404).end(),
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async (): Promise<void> => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
    await removeFolder(folder)
  }
  // Not at the root: the files have to work wherever they are put.
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/some/folder/`,
    [Symbol.asyncDispose]: close,
  }
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}

function start(program: string, env: Readonly<Record<string, string>>, args: readonly string[] = []) {
  // Vitest's own NODE_ENV would build a page for tests.
  const { NODE_ENV: _, ...own } = process.env
  return spawn(process.execPath, [join(root, program), ...args], {
    cwd: root,
    env: { ...own, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}
