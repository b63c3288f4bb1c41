/** Cancels a timer; calling it again, or after the timer fired, does nothing. */
export type CancelTimer = () => void

/**
 * What the core needs of the world, injected so that tests own time and chance. Every member has a default
 * (`systemEnvironment`); pass some of them to `openQueue({ environment })` to replace these.
 */
export interface Environment {
  /** Wall clock, epoch ms. May jump; decides only when delayed jobs start and what records show. */
  readonly now: () => number
  /** A clock in ms that never goes back. Its origin means nothing. */
  readonly monotonic: () => number
  /** In [0, 1). */
  readonly random: () => number
  /**
   * Calls `run` once after `delay` ms. `background`: the timer alone does not keep a process alive (where there is
   * such a thing).
   */
  readonly startTimer: (run: () => void, delay: number, background: boolean) => CancelTimer
  /** The conditions that hold now, of those a job may require: `online`, which is all that the default knows, or names of yours. */
  readonly conditions: () => readonly string[]
  /** Calls `listener` when `conditions` may have changed. Returns the function that ends it. */
  readonly onConditionsChange: (listener: () => void) => () => void
  /** Whether this is a page that nobody sees: its timers may stretch to a minute. */
  readonly hidden: () => boolean
  /**
   * Whether this page was told that nothing of it runs from now on: it is frozen, or kept in the back/forward cache. Known
   * as long as somebody listens to `onVisibilityChange`.
   */
  readonly frozen: () => boolean
  /** Calls `listener` when `hidden` or `frozen` may have changed. Returns what ends it. */
  readonly onVisibilityChange: (listener: () => void) => () => void
  /** Last resort for an error that nobody listens to. */
  readonly report: (error: unknown) => void
}

/** The longest delay that timers of all platforms accept; longer ones fire at once in some. */
const LONGEST_TIMER = 2 ** 31 - 1

interface Events {
  addEventListener?(type: string, listener: () => void): void
  removeEventListener?(type: string, listener: () => void): void
}

/** After which conditions may be others. Whoever slept while the page was hidden missed some, and looks again. */
const CHANGES = ['online', 'offline', 'visibilitychange', 'pageshow']

/** What this module reads of the global object. Any of it may be missing. */
interface Platform extends Events {
  readonly performance?: { now(): number }
  readonly crypto?: { getRandomValues(array: Uint32Array): Uint32Array }
  readonly navigator?: { readonly onLine?: boolean }
  readonly document?: Events & { readonly visibilityState?: string }
  readonly console?: { error(...values: unknown[]): void }
  setTimeout(run: () => void, delay: number): unknown
  clearTimeout(timer: unknown): void
}

/** The platform's own clocks, timers and randomness, looked up when the queue is opened, never at import. */
export function systemEnvironment(platform: Platform = globalThis as unknown as Platform): Environment {
  const clock = platform.performance
  const life = new PageLife(platform)
  return {
    now: () => Date.now(),
    monotonic: clock === undefined ? () => Date.now() : () => clock.now(),
    random: platform.crypto === undefined ? () => Math.random() : pooledRandom(platform.crypto),
    startTimer: (run, delay, background) => {
      const timer = platform.setTimeout(run, Math.min(Math.max(0, delay), LONGEST_TIMER))
      if (background) (timer as { unref?: () => void }).unref?.()
      return () => platform.clearTimeout(timer)
    },
    // Where nobody can tell, the network is taken to be there: a job that fails for want of it is retried anyway.
    conditions: () => (platform.navigator?.onLine === false ? [] : ['online']),
    onConditionsChange: (listener) => listen(platform, CHANGES, listener),
    hidden: () => life.hidden,
    frozen: () => life.frozen,
    onVisibilityChange: (listener) => life.watch(listener),
    report: (error) => platform.console?.error('holdfast:', error),
  }
}

/** What a page goes through. Contexts without such events (workers, Node) are never hidden and never told. */
class PageLife {
  frozen = false
  readonly #platform: Platform
  readonly #watching = new Set<object>()

  constructor(platform: Platform) {
    this.#platform = platform
  }

  get hidden(): boolean {
    return this.#platform.document?.visibilityState === 'hidden'
  }

  watch(listener: () => void): () => void {
    const heard = (frozen: () => boolean) => (): void => {
      this.frozen = frozen()
      listener()
    }
    const [stays, goes] = [heard(() => false), heard(() => true)]
    // Browsers that freeze pages without a word to the document show them again with this one.
    const shown = heard(() => this.frozen && this.hidden)
    const { document } = this.#platform
    const stops = [
      listen(document, ['visibilitychange'], shown),
      listen(document, ['freeze'], goes),
      listen(this.#platform, ['pagehide'], goes),
      listen(document, ['resume'], stays),
      listen(this.#platform, ['pageshow'], stays),
    ]
    this.#watching.add(stops)
    return () => {
      for (const stop of stops) stop()
      this.#watching.delete(stops)
      // Nobody would hear that the page goes on.
      if (this.#watching.size === 0) this.frozen = false
    }
  }
}

/** One call of the platform's generator serves many numbers: it costs more than all that is done with one of them. */
function pooledRandom(crypto: NonNullable<Platform['crypto']>): () => number {
  const pool = new Uint32Array(256)
  let used = pool.length
  return () => {
    if (used === pool.length) {
      crypto.getRandomValues(pool)
      used = 0
    }
    return (pool[used++] ?? 0) / 2 ** 32
  }
}

function listen(target: Events | undefined, types: readonly string[], listener: () => void): () => void {
  for (const type of types) target?.addEventListener?.(type, listener)
  return () => {
    for (const type of types) target?.removeEventListener?.(type, listener)
  }
}

/**
 * Makes ids: UUID version 7 (RFC 9562 §5.7), which sort by the time they were made; within one ms, by a counter.
 * 62 random bits each.
 */
export function idMaker({ now, random }: Pick<Environment, 'now' | 'random'>): () => string {
  let millisecond = 0
  let counter = 0
  /** The same for all ids of a millisecond. */
  let start = ''
  return () => {
    const time = now()
    if (time > millisecond) {
      millisecond = time
      counter = 0
    } else if (++counter > 0xfff) {
      millisecond += 1
      counter = 0
    }
    if (counter === 0) {
      const stamp = hex(millisecond, 12)
      start = `${stamp.slice(0, 8)}-${stamp.slice(8)}-`
    }
    const version = hex(0x7000 + counter, 4)
    const variant = hex(0x8000 + Math.floor(random() * 0x4000), 4)
    const tail = hex(Math.floor(random() * 2 ** 24), 6) + hex(Math.floor(random() * 2 ** 24), 6)
    return `${start}${version}-${variant}-${tail}`
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}
