import { setTimeout as sleep } from 'node:timers/promises'
import { performance } from 'node:perf_hooks'
import { type Browser, pageOf, type Remote, type Tab } from './browser.ts'
import type { Span } from '../../../src/index.ts'
import { Chromium, ChromiumTab } from './chromium.ts'
import type { Started } from './elsewhere.page.ts'
import { type PageServer, servePages } from './page-server.ts'

type Page = Remote<typeof import('./elsewhere.page.ts')>

/** What ends a tab whose job is then to run in another. */
export type End = 'closed' | 'crashed' | 'reloaded' | 'frozen' | 'frozen with its worker'

export interface Handover {
  /** From the end of the tab to the start of its job in the other one, ms. */
  readonly took: number
  /** Who started the job, in this order. */
  readonly startedBy: readonly string[]
  readonly status: string
  readonly interruptions: number
  /** Whether the tab was known to be gone, and not only silent for too long. */
  readonly hadProof: boolean
}

/** Two tabs on one queue, and how long things take from one to the other. The benchmark measures by it as well. */
export class TwoTabs implements AsyncDisposable {
  readonly #browser: Browser
  readonly #server: PageServer
  readonly #origin: string
  readonly #starts: Started[]
  readonly #heard: Set<() => void>
  #jobs = 0

  private constructor(browser: Browser, server: PageServer, origin: string, starts: Started[], heard: Set<() => void>) {
    this.#browser = browser
    this.#server = server
    this.#origin = origin
    this.#starts = starts
    this.#heard = heard
  }

  /** @param origin the one of the server: `insecureOrigin` has neither Web Locks nor `crypto.randomUUID` */
  static async open(browser: Browser, origin: 'origin' | 'insecureOrigin' = 'origin'): Promise<TwoTabs> {
    const starts: Started[] = []
    const heard = new Set<() => void>()
    const server = await servePages({
      scripts: {
        '/page.js': new URL('elsewhere.page.ts', import.meta.url),
        '/worker.js': new URL('elsewhere.worker.ts', import.meta.url),
      },
      posts: {
        '/started': (text) => {
          starts.push(JSON.parse(text) as Started)
          for (const listener of heard) listener()
          return ''
        },
      },
    })
    return new TwoTabs(browser, server, server[origin], starts, heard)
  }

  /** From the call of `enqueue` in one tab, which runs no jobs, to the job's start in another, ms, so many times. */
  async startsElsewhere(times: number): Promise<readonly number[]> {
    const [one, enqueuing] = await this.#open(null)
    const [other] = await this.#open('other')
    const took: number[] = []
    for (let time = 0; time < times; time++) {
      const id = this.#newId()
      const from = await enqueuing.enqueue('brief', id)
      took.push((await this.#started(id, 'other')).at - from)
    }
    await one.close()
    await other.close()
    return took
  }

  /** Ends a tab in which a job of this lease runs; one that is frozen goes on when the job has started elsewhere. */
  async handover(end: End, leaseDuration: Span = '2s'): Promise<Handover> {
    const runsInWorker = end === 'frozen with its worker'
    const [dying, page] = await this.#open(runsInWorker ? null : 'dying')
    if (runsInWorker) await page.runInWorker('dying')
    const id = this.#newId()
    await page.enqueue('stuck', id, leaseDuration)
    await this.#started(id, 'dying')
    const [heir, inherits] = await this.#open('heir')
    const started = this.#started(id, 'heir')
    const before = performance.timeOrigin + performance.now()
    if (end === 'closed') await dying.close()
    else if (end === 'crashed' && dying instanceof ChromiumTab) await dying.crash()
    else if (end !== 'reloaded' && dying instanceof ChromiumTab) await freeze(dying, inherits, started)
    else await dying.reload()
    const { at } = await started
    if (end.startsWith('frozen') && dying instanceof ChromiumTab) await dying.resume()
    const { status, interruptions } = await inherits.result(id)
    const hadProof = await inherits.hadProof()
    await heir.close()
    if (end !== 'closed') await dying.close()
    const startedBy = this.#starts.filter((start) => start.id === id).map(({ by }) => by)
    return { took: at - before, startedBy, status, interruptions, hadProof }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server.close()
  }

  /** In a window of its own: timers of a tab that another one hides are slower. */
  async #open(runsAs: string | null): Promise<[Tab, Page]> {
    const tab =
      this.#browser instanceof Chromium
        ? await this.#browser.open(this.#origin, { apart: true })
        : await this.#browser.open(this.#origin)
    const page: Page = pageOf(tab)
    await page.open(runsAs)
    return [tab, page]
  }

  #newId(): string {
    return `job-${++this.#jobs}`
  }

  async #started(id: string, by: string): Promise<Started> {
    for (;;) {
      const found = this.#starts.find((start) => start.id === id && start.by === by)
      if (found !== undefined) return found
      await new Promise<void>((resolve) => {
        const listener = (): void => {
          this.#heard.delete(listener)
          resolve()
        }
        this.#heard.add(listener)
      })
    }
  }
}

/**
 * Freezes a tab until the other has started its job, and once more whenever its worker, which stands still a little later
 * than its page, does so in the middle of a transaction: that keeps all others waiting (decision 47).
 */
async function freeze(dying: ChromiumTab, other: Page, started: Promise<unknown>): Promise<void> {
  await dying.freeze()
  const hasStarted = started.then(() => true)
  while (!(await Promise.race([hasStarted, sleep(500, false)]))) {
    if (await other.canWrite()) continue
    await dying.resume()
    await dying.freeze()
  }
}

/** The value below which a share of all is. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}
