import type { Job } from 'holdfast'
import type { Ledger, Line } from './ledger.ts'

export interface Tally {
  readonly acknowledged: number
  readonly done: number
  /** Acknowledged, neither done nor removed by somebody, and not in the queue any more. */
  readonly lost: number
  /** Jobs whose end the queue accepted from two different claims. */
  readonly twice: number
}

/** How many open jobs one audit asks the queue for; the next one goes on from there. */
const MOST = 1000

/** Adds up the ledger and asks the queue for every job that the ledger does not know as done. */
export class Audit {
  readonly #ledger: Pick<Ledger, 'accepted' | 'readOn'>
  readonly #get: (id: string) => Promise<Job | null>
  readonly #acknowledged = new Set<string>()
  readonly #open = new Set<string>()
  readonly #fences = new Map<string, number>()
  readonly #twice = new Set<string>()
  readonly #removed = new Set<string>()
  /** Jobs that were not there when they were last asked for. */
  readonly #missing = new Set<string>()
  /** Those of them that were missing again. */
  readonly #lost = new Set<string>()

  constructor(ledger: Pick<Ledger, 'accepted' | 'readOn'>, get: (id: string) => Promise<Job | null>) {
    this.#ledger = ledger
    this.#get = get
  }

  async look(): Promise<Tally> {
    for (const line of await this.#ledger.readOn()) this.#enter(line)
    for (const id of [...this.#open].slice(0, MOST)) await this.#ask(id)
    return {
      acknowledged: this.#acknowledged.size,
      done: this.#fences.size,
      lost: this.#lost.size,
      twice: this.#twice.size,
    }
  }

  #enter(line: Line): void {
    if ('acknowledged' in line) {
      for (const id of line.acknowledged) {
        this.#acknowledged.add(id)
        // One that is removed at once may be written down as removed first.
        if (!this.#fences.has(id) && !this.#removed.has(id)) this.#open.add(id)
      }
    } else if ('removed' in line) {
      for (const id of line.removed) {
        this.#removed.add(id)
        this.#close(id)
      }
    } else for (const [id, fence] of line.accepted) this.#accepted(id, fence)
  }

  #accepted(id: string, fence: number): void {
    if ((this.#fences.get(id) ?? fence) !== fence) this.#twice.add(id)
    this.#fences.set(id, fence)
    this.#close(id)
  }

  /** What became of it is known. */
  #close(id: string): void {
    this.#open.delete(id)
    this.#missing.delete(id)
    this.#lost.delete(id)
  }

  async #ask(id: string): Promise<void> {
    const job = await this.#get(id)
    // To the end, so that all have their turn.
    if (this.#open.delete(id)) this.#open.add(id)
    if (job?.status === 'completed') {
      // The tab that saw it end was gone before it could write so.
      this.#ledger.accepted(id, job.fence)
      this.#accepted(id, job.fence)
    } else if (job !== null) {
      this.#missing.delete(id)
      this.#lost.delete(id)
    } else if (this.#missing.has(id) && this.#open.has(id)) this.#lost.add(id)
    // This tab may not have read yet what another one has just written: only who is missing twice is lost.
    else this.#missing.add(id)
  }
}
