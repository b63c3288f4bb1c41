import type { CancelTimer, Environment } from '../core/environment.ts'
import { integerFrom, listOf, momentToMs, name, readOptions, type Span, spanToMs } from '../core/options.ts'

export interface ManualClockOptions {
  /** Where the wall clock begins, epoch ms. Default 2027-01-01T00:00:00Z. */
  readonly start?: number
  /** Seed of the random numbers, an integer. Default 1. */
  readonly seed?: number
}

interface Timer {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** A turn of the platform's own loop: when it has passed, all that promises alone could do is done. */
// eslint-disable-next-line no-restricted-globals -- the one place where a test's time touches the platform's
const platform = globalThis as unknown as {
  setTimeout(run: () => void, delay: number): unknown
  setImmediate?(run: () => void): unknown
}

/** An environment whose time passes only when it is told to. Wall clock and monotonic clock can be set apart. */
export class ManualClock implements Environment {
  #monotonic = 0
  #wall: number
  #random: number
  #order = 0
  #conditions: readonly string[] = ['online']
  readonly #timers = new Set<Timer>()
  readonly #listeners = new Set<() => void>()
  #hidden = false
  #frozen = false
  readonly #watchers = new Set<() => void>()
  /** Errors nobody listened to. */
  readonly reported: unknown[] = []

  /** @throws HOLDFAST_INVALID_OPTION */
  constructor(options: ManualClockOptions = {}) {
    const checks = { start: momentToMs, seed: integerFrom(Number.MIN_SAFE_INTEGER) }
    const { start = Date.UTC(2027, 0, 1), seed = 1 } = readOptions('ManualClock', options, checks)
    this.#wall = start
    this.#random = seed
  }

  readonly now = (): number => this.#wall
  readonly monotonic = (): number => this.#monotonic

  /** mulberry32, by Tommy Ettinger (public domain). */
  readonly random = (): number => {
    this.#random = (this.#random + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#random ^ (this.#random >>> 15), 1 | this.#random)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  readonly startTimer = (run: () => void, delay: number): CancelTimer => {
    // Whole ms, as the platform's own timers: fractions would add up to moments that no clock shows.
    const timer: Timer = { at: this.#monotonic + Math.max(0, Math.ceil(delay)), order: ++this.#order, run }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  readonly conditions = (): readonly string[] => this.#conditions

  readonly onConditionsChange = (listener: () => void): CancelTimer => {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  readonly hidden = (): boolean => this.#hidden

  readonly frozen = (): boolean => this.#frozen

  readonly onVisibilityChange = (listener: () => void): CancelTimer => {
    this.#watchers.add(listener)
    return () => void this.#watchers.delete(listener)
  }

  readonly report = (error: unknown): void => void this.reported.push(error)

  /** Goes offline, online, and so on. */
  setConditions(conditions: readonly string[]): void {
    this.#conditions = listOf('conditions', conditions, (at, one) => name(at, one), 'an array of names of conditions')
    for (const listener of this.#listeners) listener()
  }

  /** Hides the page or shows it and tells so, also where it was so before: as a page that stood still and goes on. */
  setHidden(hidden: boolean): void {
    this.#hidden = hidden
    for (const watcher of this.#watchers) watcher()
  }

  /** Tells the page that it stands still from now on, or that it goes on. What comes between is `sleep`. */
  setFrozen(frozen: boolean): void {
    this.#frozen = frozen
    for (const watcher of this.#watchers) watcher()
  }

  /** Sets the wall clock alone, as a user or NTP would. */
  setWall(moment: number): void {
    this.#wall = momentToMs('moment', moment)
  }

  /**
   * Lets time pass: runs each timer at its moment, and after each all work that follows from it without waiting for
   * anything outside.
   */
  async advance(span: Span): Promise<void> {
    const end = this.#monotonic + spanToMs('span', span)
    await this.settle()
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      this.#timers.delete(timer)
      this.#moveTo(Math.max(timer.at, this.#monotonic))
      timer.run()
      await this.settle()
    }
    this.#moveTo(end)
    await this.settle()
  }

  /**
   * Time passes and nothing happens, as while a computer sleeps or a page stands still: timers that became due run with
   * the next `advance`. Where the monotonic clock stops in sleep only the wall clock moves: that is `setWall`.
   */
  sleep(span: Span): void {
    this.#moveTo(this.#monotonic + spanToMs('span', span))
  }

  /** Resolves when all that promises alone can do is done. */
  settle(): Promise<void> {
    return new Promise((resolve) => {
      if (platform.setImmediate === undefined) platform.setTimeout(resolve, 0)
      else platform.setImmediate(resolve)
    })
  }

  #moveTo(monotonic: number): void {
    this.#wall += monotonic - this.#monotonic
    this.#monotonic = monotonic
  }

  #next(end: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.at > end) continue
      if (next === undefined || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) next = timer
    }
    return next
  }
}
