import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { browserOf } from '../../../scripts/engines.mjs'
import { type Companion, startCompanion } from './companion.ts'
import { type VirtualDisplay, virtualDisplay } from './virtual-display.ts'

/** How long WebKitWebDriver may take to be ready, in ms. */
const PATIENCE = 30_000

/** WebKitGTK with one tab and a fresh profile that ends with it, driven by plain WebDriver. It is not Safari. */
export class WebKitSession {
  readonly version: string
  readonly #driver: Companion
  readonly #display: VirtualDisplay
  readonly #url: string

  private constructor(version: string, driver: Companion, display: VirtualDisplay, url: string) {
    this.version = version
    this.#driver = driver
    this.#display = display
    this.#url = url
  }

  static async start(): Promise<WebKitSession> {
    const browser = browserOf('webkit')
    const display = await virtualDisplay()
    const { driver, origin } = await startDriver(display)
    try {
      const browserOptions = { binary: browser, args: ['--automation'] }
      const capabilities = { alwaysMatch: { 'webkitgtk:browserOptions': browserOptions } }
      const session = (await command(`${origin}/session`, { capabilities })) as NewSession
      return new WebKitSession(
        session.capabilities.browserVersion,
        driver,
        display,
        `${origin}/session/${session.sessionId}`,
      )
    } catch (error) {
      driver.process.kill('SIGTERM')
      await display.close()
      throw error
    }
  }

  /** A WebDriver command of this session, `url` or `execute/async`, with its parameters. */
  command(path: string, parameters: object): Promise<unknown> {
    return command(`${this.#url}/${path}`, parameters)
  }

  async close(): Promise<void> {
    // A browser that is gone already has no session to end.
    await fetch(this.#url, { method: 'DELETE' }).catch(() => undefined)
    this.#driver.process.kill('SIGTERM')
    await this.#driver.ended
    await this.#display.close()
  }
}

interface NewSession {
  readonly sessionId: string
  readonly capabilities: { readonly browserVersion: string }
}

async function command(url: string, parameters: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(parameters) })
  const { value } = (await response.json()) as { value: unknown }
  if (response.ok) return value
  const { error, message } = value as { error: string; message: string }
  throw new Error(`WebKit answers ${error}: ${message}`)
}

/** Its port has to be named, and may be taken since it was found to be free: then the driver ends, and another is tried. */
async function startDriver(display: VirtualDisplay): Promise<{ driver: Companion; origin: string }> {
  const deadline = performance.now() + PATIENCE
  for (;;) {
    const port = await freePort()
    const origin = `http://127.0.0.1:${port}`
    const driver = startCompanion('WebKitWebDriver', [`--port=${port}`], {
      stdio: 'ignore',
      env: {
        ...process.env,
        DISPLAY: display.name,
        // There is no graphics card, and in a container no sandbox either.
        WEBKIT_DISABLE_COMPOSITING_MODE: '1',
        LIBGL_ALWAYS_SOFTWARE: '1',
        WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
      },
    })
    while (!driver.hasEnded) {
      if (await isReady(origin)) return { driver, origin }
      if (performance.now() > deadline) {
        driver.process.kill('SIGTERM')
        await display.close()
        throw new Error(`WebKitWebDriver is not ready after ${PATIENCE} ms`)
      }
      await sleep(50)
    }
  }
}

/** Whether a driver answers there, and not whoever else has the port. */
async function isReady(origin: string): Promise<boolean> {
  try {
    const { value } = (await (await fetch(`${origin}/status`)).json()) as { value?: { ready?: boolean } }
    return value?.ready === true
  } catch {
    return false
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
