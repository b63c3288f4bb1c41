import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

export interface PageServerOptions {
  /**
   * Scripts by the path that they are served at, each bundled with all that it imports; `holdfast/…` is what was built
   * into `dist`. `/page.js` is loaded by every page, and `pageOf` calls what it exports; others are for workers.
   */
  readonly scripts?: Readonly<Record<`/${string}.js`, URL>>
  /** The Content-Security-Policy of all answers. What breaks it is told to `violations`. Default: none. */
  readonly policy?: string
  /**
   * What the server does with a POST from a page: called with what was sent, resolves to the answer. For effects that
   * have to be recorded outside of the browser.
   */
  readonly posts?: Readonly<Record<`/${string}`, Answer>>
}

/** A report of the browser that a page did what its policy forbids. */
export interface Violation {
  /** `script-src-elem`, `require-trusted-types-for`, … */
  readonly directive: string
  /** A URL, or a word: `eval`, `inline`, … */
  readonly blocked: string
}

/**
 * A server on the loopback device, on a port of its own, so that each has a fresh origin. Any path that is no script
 * answers an empty page, with `/page.js` where there is one.
 */
export interface PageServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, which browsers take for secure. */
  readonly origin: string
  /** The same server by a name that browsers do not take for secure: no locks, no `crypto.randomUUID`. Chromium only. */
  readonly insecureOrigin: string
  /** In the order in which browsers told them, which is soon after they happened. */
  readonly violations: readonly Violation[]
  close(): Promise<void>
}

/** The host of insecure origins, which `startChromium` takes to the loopback device. */
export const INSECURE_HOST = 'insecure.test'

const VIOLATIONS = '/violations'

/** Bundles the scripts and serves them with pages around. */
export async function servePages({ scripts = {}, policy, posts = {} }: PageServerOptions = {}): Promise<PageServer> {
  const bundles = new Map(
    await Promise.all(Object.entries(scripts).map(async ([path, file]) => [path, await bundle(path, file)] as const)),
  )
  const page = `<!doctype html><meta charset="utf-8"><title>holdfast</title>${bundles.has('/page.js') ? '<script type="module" src="/page.js"></script>' : ''}`
  const violations: Violation[] = []
  const answers = { ...posts, [VIOLATIONS]: (text: string) => record(violations, text) }

  const server = createServer((request, response) => {
    if (policy !== undefined) response.setHeader('content-security-policy', `${policy}; report-uri ${VIOLATIONS}`)
    const path = new URL(request.url ?? '/', 'http://any').pathname
    if (request.method === 'POST') {
      void post(request, response, (answers as Readonly<Record<string, Answer>>)[path])
      return
    }
    const script = bundles.get(path)
    response.setHeader('content-type', script === undefined ? 'text/html' : 'text/javascript')
    response.end(script ?? page)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  const { port } = server.address() as AddressInfo
  const close = async (): Promise<void> => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    // Browsers keep connections open that nobody uses any more.
    server.closeAllConnections()
    await closed
  }
  return {
    origin: `http://127.0.0.1:${port}`,
    insecureOrigin: `http://${INSECURE_HOST}:${port}`,
    violations,
    close,
    [Symbol.asyncDispose]: close,
  }
}

type Answer = (text: string, bytes: Buffer) => string | Promise<string>

async function post(request: IncomingMessage, response: ServerResponse, answer: Answer | undefined): Promise<void> {
  try {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    if (answer === undefined) response.statusCode = 404
    const bytes = Buffer.concat(parts)
    response.end(await answer?.(bytes.toString(), bytes))
  } catch {
    // The tab that asked is gone, or the answer failed: either way it gets none.
    response.destroy()
  }
}

function record(violations: Violation[], text: string): string {
  const report = (JSON.parse(text) as { 'csp-report': Record<string, string> })['csp-report']
  violations.push({
    directive: report['effective-directive'] ?? report['violated-directive'] ?? '',
    blocked: report['blocked-uri'] ?? '',
  })
  return ''
}

async function bundle(path: string, file: URL): Promise<string> {
  const source = fileURLToPath(file)
  // The page's script leaves what it exports where `pageOf` looks for it.
  const page = {
    contents: `import * as page from './${basename(source)}'\nglobalThis.page = page\n`,
    resolveDir: dirname(source),
  }
  const { outputFiles } = await build({
    ...(path === '/page.js' ? { stdin: page } : { entryPoints: [source] }),
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    logLevel: 'error',
  })
  return outputFiles[0]?.text ?? ''
}
