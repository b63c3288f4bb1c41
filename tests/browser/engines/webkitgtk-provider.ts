import { defineBrowserProvider } from '@vitest/browser'
import type { BrowserProvider, BrowserProviderOption } from 'vitest/node'
import { WebKitSession } from './webkit-driver.ts'

/** Lets Vitest run tests in WebKitGTK: it only has to open the page that runs them. */
export function webkitgtk(): BrowserProviderOption {
  return defineBrowserProvider({
    name: 'webkitgtk',
    supportedBrowser: ['webkit'],
    providerFactory: () => new WebKitGtk(),
  })
}

class WebKitGtk implements BrowserProvider {
  readonly name = 'webkitgtk'
  readonly supportsParallelism = false
  #session: Promise<WebKitSession> | null = null

  getCommandsContext(): Record<string, unknown> {
    return {}
  }

  async openPage(_sessionId: string, url: string): Promise<void> {
    this.#session ??= WebKitSession.start()
    const session = await this.#session
    await session.command('url', { url })
  }

  async close(): Promise<void> {
    const session = await this.#session?.catch(() => null)
    this.#session = null
    await session?.close()
  }
}
