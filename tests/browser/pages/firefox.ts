import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import puppeteer, { type Browser as Connection, type Page } from 'puppeteer-core'
import { browserOf } from '../../../scripts/engines.mjs'
import type { Browser, OpenOptions, Tab } from './browser.ts'
import { clickIn } from './pointer.ts'
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
    // The browser may take to start, and a page may work, for as long as the test that waits for it.
    timeout: 0,
    protocolTimeout: 0,
    extraPrefsFirefox: {
      // Over plain HTTP Firefox has no service workers otherwise, not even from the loopback device.
      'dom.serviceWorkers.testing.enabled': true,
      // Drawing in software, what moves for ever would take half a processor for each window.
      'ui.prefersReducedMotion': 1,
      // The back/forward cache, which Puppeteer switches off.
      'fission.bfcacheInParent': true,
    },
  })
  return new Firefox(connection, profile)
}

/** How long Puppeteer may take to put back the files of the profile that it had replaced, ms: a start replaces them again. */
const LONGEST_CLEANING = 30_000

export class Firefox implements Browser {
  readonly engine = 'firefox'
  readonly #connection: Connection
  readonly #profile: Profile
  readonly #turns = new Turns()

  constructor(connection: Connection, profile: Profile) {
    this.#connection = connection
    this.#profile = profile
  }

  async open(url: string, { apart = false, before }: OpenOptions = {}): Promise<Tab> {
    const page = await this.#turns.take(() => this.#connection.newPage({ type: apart ? 'window' : 'tab' }))
    page.setDefaultTimeout(0)
    if (before !== undefined) await page.evaluateOnNewDocument(before)
    await page.goto(url)
    return new FirefoxTab(page, this.#turns)
  }

  /** SIGKILL. Resolves when the browser is gone; its profile can be opened again. */
  async kill(): Promise<void> {
    const child = this.#connection.process()
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    // The processes of its tabs notice that it is gone and end by themselves.
    child.kill('SIGKILL')
    await ended
    const backups = ['user.js.puppeteer', 'prefs.js.puppeteer'].map((name) => join(this.#profile.folder, name))
    const limit = performance.now() + LONGEST_CLEANING
    while (backups.some((file) => existsSync(file)) && performance.now() < limit) await sleep(10)
  }

  async close(): Promise<void> {
    if (this.#connection.connected) await this.#connection.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** One after the other: a tab that is made while another closes is said to be gone (`no such frame`). */
class Turns {
  #last: Promise<unknown> = Promise.resolve()

  take<Result>(turn: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(turn)
    this.#last = result.catch(() => undefined)
    return result
  }
}

class FirefoxTab implements Tab {
  readonly #page: Page
  readonly #turns: Turns

  constructor(page: Page, turns: Turns) {
    this.#page = page
    this.#turns = turns
  }

  evaluate<Result>(run: () => Result): Promise<Awaited<Result>>
  evaluate<Argument, Result>(run: (argument: Argument) => Result, argument: Argument): Promise<Awaited<Result>>
  evaluate(run: (argument: unknown) => unknown, argument?: unknown): Promise<unknown> {
    return this.#page.evaluate(run, argument)
  }

  click<Argument>(find: (argument: Argument) => Element | null | undefined, argument: Argument): Promise<void> {
    return clickIn(this.#page, find, argument)
  }

  async reload(): Promise<void> {
    await this.#page.reload()
  }

  close(): Promise<void> {
    return this.#turns.take(() => this.#page.close())
  }
}
