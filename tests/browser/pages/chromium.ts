import { createInterface } from 'node:readline'
import puppeteer, { type Browser as Connection, type CDPSession, type Page } from 'puppeteer-core'
import { browserOf } from '../../../scripts/engines.mjs'
import { chromiumArguments } from '../engines/chromium-arguments.ts'
import { type Companion, startCompanion } from '../engines/companion.ts'
import type { Browser, OpenOptions, Tab } from './browser.ts'
import { INSECURE_HOST } from './page-server.ts'
import { clickIn } from './pointer.ts'
import type { Profile } from './profile.ts'

export interface ChromiumOptions {
  /** Where everything is kept, on the disk: Playwright's own contexts keep IndexedDB in memory. */
  readonly profile: Profile
  /** Further arguments of the command line. */
  readonly args?: readonly string[]
}

/**
 * Starts Chromium, headless, on a profile that outlives it. Started here and not by Playwright, which
 * keeps every tab visible, so that none can be frozen, switches off the throttling of timers and the back-forward cache,
 * and does not say which process to kill.
 */
export async function startChromium({ profile, args = [] }: ChromiumOptions): Promise<Chromium> {
  const companion = startCompanion(
    browserOf('chromium'),
    [
      ...chromiumArguments,
      '--headless=new',
      '--remote-debugging-port=0',
      `--user-data-dir=${profile.folder}`,
      `--host-resolver-rules=MAP ${INSECURE_HOST} 127.0.0.1`,
      ...args,
      'about:blank',
    ],
    // A group of its own, so that a kill reaches the browser's own children as well.
    { detached: true, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const browserWSEndpoint = await addressOf(companion)
  // A page may work for as long as the test that waits for it.
  const connection = await puppeteer.connect({ browserWSEndpoint, defaultViewport: null, protocolTimeout: 0 })
  return new Chromium(companion, connection)
}

export class Chromium implements Browser<ChromiumTab> {
  readonly engine = 'chromium'
  readonly #companion: Companion
  readonly #connection: Connection

  constructor(companion: Companion, connection: Connection) {
    this.#companion = companion
    this.#connection = connection
  }

  async open(url: string, { apart = false, before }: OpenOptions = {}): Promise<ChromiumTab> {
    const page = await this.#connection.newPage({ type: apart ? 'window' : 'tab' })
    page.setDefaultTimeout(0)
    if (before !== undefined) await page.evaluateOnNewDocument(before)
    await page.goto(url)
    return ChromiumTab.of(page)
  }

  /** SIGKILL to all its processes at once. Resolves when the browser is gone; its profile can be opened again. */
  async kill(): Promise<void> {
    const { pid } = this.#companion.process
    if (pid !== undefined && !this.#companion.hasEnded) process.kill(-pid, 'SIGKILL')
    await this.#companion.ended
  }

  async close(): Promise<void> {
    if (this.#companion.hasEnded) return
    await this.#connection.close()
    await this.#companion.ended
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

export class ChromiumTab implements Tab {
  /** Puppeteer's, for what is not wrapped here. */
  readonly page: Page
  readonly #session: CDPSession

  private constructor(page: Page, session: CDPSession) {
    this.page = page
    this.#session = session
  }

  static async of(page: Page): Promise<ChromiumTab> {
    return new ChromiumTab(page, await page.createCDPSession())
  }

  evaluate<Result>(run: () => Result): Promise<Awaited<Result>>
  evaluate<Argument, Result>(run: (argument: Argument) => Result, argument: Argument): Promise<Awaited<Result>>
  evaluate(run: (argument: unknown) => unknown, argument?: unknown): Promise<unknown> {
    return this.page.evaluate(run, argument)
  }

  click<Argument>(find: (argument: Argument) => Element | null | undefined, argument: Argument): Promise<void> {
    return clickIn(this.page, find, argument)
  }

  async reload(): Promise<void> {
    await this.page.reload()
  }

  close(): Promise<void> {
    return this.page.close()
  }

  /** Kills the process that runs the page, workers and all. The tab stays, with a sad face, until it is closed. */
  async crash(): Promise<void> {
    const crashed = new Promise<void>((resolve) => this.#session.once('Inspector.targetCrashed', () => resolve()))
    // Its answer would come from the process that it ends.
    void this.#session.send('Page.crash').catch(() => undefined)
    await crashed
  }

  /**
   * What happens to a tab in the background: it is hidden, `freeze` is fired, then no timer of it runs any more, nor of
   * its workers. Ask nothing of it until `resume`.
   */
  async freeze(): Promise<void> {
    await this.#session.send('Page.setWebLifecycleState', { state: 'frozen' })
  }

  /** Back from `freeze`. */
  async resume(): Promise<void> {
    await this.#session.send('Page.setWebLifecycleState', { state: 'active' })
  }

  /** The quota of an origin, in bytes, for as long as the tab is open. */
  async limitStorage(origin: string, quotaSize: number): Promise<void> {
    await this.#session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize })
  }

  /** What a user does who clears the data of a site. */
  async clearStorage(origin: string): Promise<void> {
    await this.#session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' })
  }
}

/** Chromium says on standard error where it can be spoken to. */
async function addressOf({ process: { stderr }, ended }: Companion): Promise<string> {
  if (stderr === null) throw new Error('Chromium was started without standard error')
  const said: string[] = []
  const address = new Promise<string>((resolve) => {
    createInterface(stderr).on('line', (line) => {
      said.push(line)
      const found = /^DevTools listening on (ws:\S+)/.exec(line)?.[1]
      if (found !== undefined) resolve(found)
    })
  })
  const failed = ended.then(() => Promise.reject(new Error(`Chromium ended at once:\n${said.join('\n')}`)))
  return Promise.race([address, failed])
}
