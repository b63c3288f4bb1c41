import puppeteer, { type Browser as Connection, type Page } from 'puppeteer-core'
import { browserOf } from '../../../scripts/engines.mjs'
import type { Browser, Tab } from './browser.ts'
import type { Profile } from './profile.ts'

export interface FirefoxOptions {
  /** Where everything is kept from one start to the next. */
  readonly profile: Profile
}

/** Starts Firefox, headless, driven by WebDriver BiDi. */
export async function startFirefox({ profile }: FirefoxOptions): Promise<Firefox> {
  const connection = await puppeteer.launch({
    browser: 'firefox',
    executablePath: browserOf('firefox'),
    headless: true,
    userDataDir: profile.folder,
    // A page may work for as long as the test that waits for it.
    protocolTimeout: 0,
    // Over plain HTTP Firefox has no service workers otherwise, not even from the loopback device.
    extraPrefsFirefox: { 'dom.serviceWorkers.testing.enabled': true },
  })
  return new Firefox(connection)
}

export class Firefox implements Browser {
  readonly engine = 'firefox'
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  async open(url: string): Promise<Tab> {
    const page = await this.#connection.newPage()
    await page.goto(url)
    return new FirefoxTab(page)
  }

  /** SIGKILL. Resolves when the browser is gone; its profile can be opened again. */
  async kill(): Promise<void> {
    const child = this.#connection.process()
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    // The processes of its tabs notice that it is gone and end by themselves.
    child.kill('SIGKILL')
    await ended
  }

  async close(): Promise<void> {
    if (this.#connection.connected) await this.#connection.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

class FirefoxTab implements Tab {
  readonly #page: Page

  constructor(page: Page) {
    this.#page = page
  }

  evaluate<Result>(run: () => Result): Promise<Awaited<Result>>
  evaluate<Argument, Result>(run: (argument: Argument) => Result, argument: Argument): Promise<Awaited<Result>>
  evaluate(run: (argument: unknown) => unknown, argument?: unknown): Promise<unknown> {
    return this.#page.evaluate(run, argument)
  }

  async reload(): Promise<void> {
    await this.#page.reload()
  }

  close(): Promise<void> {
    return this.#page.close()
  }
}
