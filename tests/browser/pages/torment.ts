import { setTimeout as sleep } from 'node:timers/promises'
import { SeededRandom } from '../../../torture/seeded-random.mjs'
import { type Browser, pageOf, type Tab } from './browser.ts'
import { Chromium, ChromiumTab } from './chromium.ts'
import { type Findings, Ledger } from './ledger.ts'
import { servePages } from './page-server.ts'

type Errands = typeof import('./errands.page.ts')

const SEATS = 4

/** How long what is left may take when nothing happens to tabs any more, ms: leases have to run out first. */
const DRAIN_LIMIT = 120_000

const DEEDS = { chromium: ['close', 'crash', 'freeze', 'reload'], firefox: ['close', 'reload'] } as const
type Deed = (typeof DEEDS)['chromium'][number] | 'terminate'

export interface TormentOptions {
  readonly browser: Browser
  readonly seconds: number
  readonly jobs: number
  readonly seed: number
}

export interface Torment {
  readonly summary: string
  /** Jobs that a page was told are stored. */
  readonly acknowledged: number
  readonly findings: Findings
}

/**
 * Four tabs, one of them with a worker, enqueue and run jobs while they are closed, crashed, frozen and reloaded, and
 * opened anew, and the worker is terminated. Answers what was broken, by what they had told the server.
 */
export async function torment({ browser, seconds, jobs, seed }: TormentOptions): Promise<Torment> {
  const random = new SeededRandom(seed)
  let begin = Infinity
  const passed = (): number => (performance.now() - begin) / (1000 * seconds)
  // The last job is there to be had a little before the end.
  const ledger = new Ledger(jobs, random, () => Math.ceil((jobs * Math.max(0, passed())) / 0.9))
  await using server = await servePages({
    scripts: {
      '/page.js': new URL('errands.page.ts', import.meta.url),
      '/worker.js': new URL('errands.worker.ts', import.meta.url),
    },
    posts: { '/report': (text) => ledger.take(text) },
  })
  const seats = Array.from({ length: SEATS }, (_, number) => {
    const own = new SeededRandom(random.whole(0, 2 ** 32))
    return new Seat({ number, browser, url: server.origin, random: own, ledger })
  })
  await Promise.all(seats.map((seat) => seat.take()))
  begin = performance.now()
  await Promise.all(seats.map((seat) => seat.torment(() => passed() >= 1)))
  const quiet = performance.now()
  await untilTrue(() => ledger.isAllAcknowledged, DRAIN_LIMIT)
  const last = await browser.open(server.origin)
  const found = await pageOf<Errands>(last).finish('last')
  const drained = performance.now() - quiet
  // Reports may still be on their way.
  await untilTrue(() => ledger.isAllAccepted, 1000)
  const findings = ledger.check(found)
  const deeds = seats.map((seat) => seat.deeds)
  return {
    findings,
    acknowledged: ledger.acknowledged.size,
    summary: summaryOf({ browser, seconds, jobs, seed }, { ledger, deeds, findings, drained }),
  }
}

interface SeatOptions {
  readonly number: number
  readonly browser: Browser
  readonly url: string
  readonly random: SeededRandom
  readonly ledger: Ledger
}

/** One of the tabs: when it dies, another takes its place. */
class Seat {
  readonly deeds: Record<Deed, number> = { close: 0, crash: 0, freeze: 0, reload: 0, terminate: 0 }
  readonly #options: SeatOptions
  #lives = 0
  #workers = 0
  #tab: Tab | null = null

  constructor(options: SeatOptions) {
    this.#options = options
  }

  /** Opens its first tab. */
  async take(): Promise<void> {
    this.#tab = await this.#open()
  }

  async torment(isOver: () => boolean): Promise<void> {
    const { random, browser } = this.#options
    const deeds: Deed[] = [...(browser.engine === 'firefox' ? DEEDS.firefox : DEEDS.chromium)]
    if (this.#hasWorker) deeds.push('terminate')
    for (;;) {
      await sleep(random.between(100, 1500))
      if (isOver()) return
      const deed = random.pick(deeds)
      if (deed === undefined || this.#tab === null) return
      this.deeds[deed] += 1
      this.#tab = await this.#do(deed, this.#tab)
    }
  }

  async #do(deed: Deed, tab: Tab): Promise<Tab> {
    const { random, ledger } = this.#options
    if (deed === 'freeze' && tab instanceof ChromiumTab) {
      await tab.freeze()
      // Half of them longer than the lease.
      await sleep(random.between(500, 4000))
      await tab.resume()
      return tab
    }
    if (deed === 'terminate') {
      const ended = this.#worker
      this.#workers += 1
      await pageOf<Errands>(tab).replaceWorker(this.#worker)
      ledger.end(ended)
      return tab
    }
    if (deed === 'reload') await tab.reload()
    else if (deed === 'crash' && tab instanceof ChromiumTab) await tab.crash()
    else await tab.close()
    for (const context of this.#contexts()) ledger.end(context)
    if (deed === 'crash') await tab.close()
    if (deed !== 'reload') return this.#open()
    await this.#begin(tab)
    return tab
  }

  async #open(): Promise<Tab> {
    const { browser, random, url } = this.#options
    const apart = random.chance(0.5)
    const tab = browser instanceof Chromium ? await browser.open(url, { apart }) : await browser.open(url)
    await this.#begin(tab)
    return tab
  }

  async #begin(tab: Tab): Promise<void> {
    this.#lives += 1
    const [page = '', worker = null] = this.#contexts()
    await pageOf<Errands>(tab).begin(page, worker)
  }

  #contexts(): readonly string[] {
    const page = `tab ${this.#options.number}.${this.#lives}`
    return this.#hasWorker ? [page, this.#worker] : [page]
  }

  /** The first tab has one. */
  get #hasWorker(): boolean {
    return this.#options.number === 0
  }

  get #worker(): string {
    return `worker ${this.#lives}.${this.#workers}`
  }
}

interface Happened {
  readonly ledger: Ledger
  readonly deeds: readonly Readonly<Record<Deed, number>>[]
  readonly findings: Findings
  readonly drained: number
}

function summaryOf(
  { browser, seconds, jobs, seed }: TormentOptions,
  { ledger, deeds, findings, drained }: Happened,
): string {
  const count = new Intl.NumberFormat('en')
  const all = (deed: Deed, name: string): string => `${deeds.reduce((sum, each) => sum + each[deed], 0)} ${name}`
  const done = [
    ...[all('close', 'closes'), all('crash', 'crashes'), all('freeze', 'freezes'), all('reload', 'reloads')],
    all('terminate', 'workers terminated'),
  ]
  const broken = Object.entries(findings).map(([rule, cases]: [string, readonly string[]]) => `${rule} ${cases.length}`)
  const problems = [...ledger.problems].map(([problem, times]) => `${times} × ${problem}`)
  return [
    `Tabs in ${browser.engine}, ${seconds} s, seed ${seed}: ${count.format(jobs)} jobs`,
    `${count.format(ledger.acknowledged.size)} acknowledged`,
    done.join(', '),
    `${count.format(ledger.starts.length)} starts, ${ledger.reruns} re-runs`,
    `what was left done in ${(drained / 1000).toFixed(1)} s`,
    broken.join(', '),
    `told as errors: ${problems.join(', ') || 'none'}`,
  ].join('; ')
}

async function untilTrue(holds: () => boolean, limit: number): Promise<void> {
  const end = performance.now() + limit
  while (!holds() && performance.now() < end) await sleep(20)
}
