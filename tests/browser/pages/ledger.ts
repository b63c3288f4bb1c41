import type { SeededRandom } from '../../../torture/seeded-random.mjs'
import type { Errand, Finding } from './errands.ts'

/** A job that a page is asked to enqueue. */
export interface Order {
  readonly id: string
  readonly errand: Errand
}

/** What pages and workers tell. */
export type Report =
  | { readonly what: 'asked' }
  | { readonly what: 'acknowledged'; readonly ids: readonly string[] }
  | { readonly what: 'refused'; readonly ids: readonly string[]; readonly text: string }
  | { readonly what: 'started' | 'ended' | 'accepted'; readonly id: string; readonly fence: number }
  | { readonly what: 'problem'; readonly text: string }

interface Start {
  readonly id: string
  readonly fence: number
  readonly context: string
}

/** Rules that were broken, each with its cases. */
export interface Findings {
  readonly lost: readonly string[]
  readonly notCompleted: readonly string[]
  /** Completed, and nobody told that it ran under the fence of its outcome. */
  readonly neverRan: readonly string[]
  readonly acceptedTwice: readonly string[]
  readonly startedAfterwards: readonly string[]
  readonly fenceReused: readonly string[]
  readonly unasked: readonly string[]
  /** Rejections in pages that nobody handled. */
  readonly unhandled: readonly string[]
}

/** Records outside of the browser what pages asked for, were told and did. */
export class Ledger {
  readonly #jobs: number
  readonly #random: SeededRandom
  /** How many jobs may be ordered by now. */
  readonly #released: () => number
  #made = 0
  /** To be ordered again: the page that was asked ended, or got no answer. */
  readonly #again: Order[] = []
  readonly #underway = new Map<string, { readonly order: Order; readonly context: string }>()
  readonly #gone = new Set<string>()
  readonly acknowledged = new Set<string>()
  readonly starts: Start[] = []
  readonly #ordered = new Set<string>()
  readonly #accepted = new Map<string, Set<string>>()
  /** How often each problem was told. */
  readonly problems = new Map<string, number>()

  constructor(jobs: number, random: SeededRandom, released: () => number) {
    this.#jobs = jobs
    this.#random = random
    this.#released = released
  }

  get isAllAcknowledged(): boolean {
    return this.acknowledged.size === this.#jobs
  }

  get isAllAccepted(): boolean {
    return this.#accepted.size === this.#jobs
  }

  get reruns(): number {
    return this.starts.length - new Set(this.starts.map(({ id }) => id)).size
  }

  /** A page has ended: what it was asked to do and did not acknowledge is ordered again. */
  end(context: string): void {
    this.#gone.add(context)
    for (const { order, context: asked } of this.#underway.values()) if (asked === context) this.#orderAgain(order)
  }

  /** Takes a report, as it was posted, and answers what the page reads. */
  take(text: string): string {
    const report = JSON.parse(text) as Report & { readonly context: string }
    switch (report.what) {
      case 'asked':
        return JSON.stringify(this.#orders(report.context))
      case 'acknowledged':
        for (const id of report.ids) {
          this.acknowledged.add(id)
          this.#underway.delete(id)
        }
        return ''
      case 'refused':
        this.#count(report.text)
        for (const id of report.ids) this.#orderAgain(this.#underway.get(id)?.order)
        return ''
      case 'started':
        this.starts.push({ id: report.id, fence: report.fence, context: report.context })
        return ''
      case 'ended':
        return ''
      case 'accepted': {
        const by = this.#accepted.get(report.id) ?? new Set()
        this.#accepted.set(report.id, by.add(`${report.fence} in ${report.context}`))
        return ''
      }
      case 'problem':
        this.#count(report.text)
        return ''
    }
  }

  /** Compares what was told with what the database holds in the end. */
  check(found: readonly Finding[]): Findings {
    const jobs = new Map(found.map((job) => [job.id, job]))
    const claims = this.starts.map(({ id, fence }) => `${id} under ${fence}`)
    const started = new Set(claims)
    return {
      lost: [...this.acknowledged].filter((id) => !jobs.has(id)),
      notCompleted: found.filter(({ status }) => status !== 'completed').map(({ id, status }) => `${id} is ${status}`),
      neverRan: found.flatMap(({ id, status, fence }) => {
        const claim = `${id} under ${fence}`
        return status !== 'completed' || started.has(claim) ? [] : [claim]
      }),
      acceptedTwice: [...this.#accepted].flatMap(([id, by]) => acceptedTwice(id, by, jobs.get(id))),
      startedAfterwards: this.starts.flatMap(({ id, fence }) => {
        const accepted = jobs.get(id)
        return accepted !== undefined && fence > accepted.fence ? `${id} under ${fence} after ${accepted.fence}` : []
      }),
      fenceReused: claims.filter((claim, at) => claims.indexOf(claim) !== at),
      unasked: found.filter(({ id }) => !this.#ordered.has(id)).map(({ id }) => id),
      unhandled: [...this.problems.keys()].filter((problem) => problem.startsWith('unhandled')),
    }
  }

  #orders(context: string): readonly Order[] | null {
    if (this.isAllAcknowledged || this.#gone.has(context)) return null
    // Whoever asks with orders under way did not get the answer.
    const unheard = [...this.#underway.values()].filter((each) => each.context === context).map(({ order }) => order)
    if (unheard.length > 0) return unheard
    const count = this.#random.chance(0.5) ? 1 : this.#random.whole(2, 12)
    const orders = this.#again.splice(0, count)
    const released = Math.min(this.#jobs, this.#released())
    while (orders.length < count && this.#made < released) orders.push(this.#newOrder())
    for (const order of orders) this.#underway.set(order.id, { order, context })
    return orders
  }

  #newOrder(): Order {
    const id = `job-${++this.#made}`
    this.#ordered.add(id)
    // Some outlast the lease.
    const takes = this.#random.chance(0.8)
      ? 0
      : this.#random.chance(0.8)
        ? this.#random.whole(10, 200)
        : this.#random.whole(500, 3000)
    return { id, errand: { takes } }
  }

  #orderAgain(order: Order | undefined): void {
    if (order === undefined || !this.#underway.delete(order.id)) return
    this.#again.push(order)
  }

  #count(problem: string): void {
    this.problems.set(problem, (this.problems.get(problem) ?? 0) + 1)
  }
}

function acceptedTwice(id: string, by: ReadonlySet<string>, found: Finding | undefined): string[] {
  const all = [...by]
  if (all.length > 1) return [`${id}: ${all.join(', ')}`]
  if (found === undefined || all[0]?.startsWith(`${found.fence} `) === true) return []
  return [`${id}: ${all.join(', ')}, and ${found.fence} in the database`]
}
