import type { Job } from 'holdfast'

/** The width of one point of the chart, s. */
const WIDTH = 0.1

/** After so long without an end here it is asked whether all jobs are over, ms. */
const ASKED_EVERY = 500

/** Seconds since the start, jobs per second, and the median time from storing to starting in ms; one row each. */
export type Points = readonly [number[], number[], (number | null)[]]

/** Counts jobs as they end, by tenths of a second. */
export class Measurement {
  readonly #began = performance.now()
  readonly #waits: number[][] = []
  #done = 0
  #wanted = Infinity
  #reached = (): void => undefined

  add({ createdAt, startedAt }: Pick<Job, 'createdAt' | 'startedAt'>): void {
    const slot = Math.floor(this.elapsed() / 1000 / WIDTH)
    ;(this.#waits[slot] ??= []).push(Math.max(0, (startedAt ?? createdAt) - createdAt))
    this.#done += 1
    if (this.#done >= this.#wanted) this.#reached()
  }

  /** How many have ended in this tab. */
  get done(): number {
    return this.#done
  }

  /** ms */
  elapsed(): number {
    return performance.now() - this.#began
  }

  /** Resolves when so many jobs have ended in this tab, or `areOver` says that all have: other tabs run them, too. */
  until(wanted: number, areOver: () => Promise<boolean>): Promise<void> {
    return new Promise((resolve, reject) => {
      let before = -1
      const failed = (error: Error): void => {
        clearInterval(timer)
        reject(error)
      }
      const timer = setInterval(() => {
        if (this.#done === before) void areOver().then((over) => over && this.#reached(), failed)
        before = this.#done
      }, ASKED_EVERY)
      this.#wanted = wanted
      this.#reached = () => {
        clearInterval(timer)
        resolve()
      }
      if (this.#done >= wanted) this.#reached()
    })
  }

  points(): Points {
    const slots = Array.from({ length: this.#waits.length }, (_, slot) => this.#waits[slot] ?? [])
    return [
      slots.map((_, slot) => slot * WIDTH),
      slots.map((waits) => waits.length / WIDTH),
      slots.map((waits) => [...waits].sort((a, b) => a - b)[waits.length >> 1] ?? null),
    ]
  }
}
