import type { CancelTimer, Environment } from '../../core/environment.ts'
import type { ServiceErrors } from '../../core/service-errors.ts'
import type { Connect, Port } from '../threads/port.ts'
import { marked, type ToThread, unmarked } from '../threads/protocol.ts'

/** How often a hidden page is told that time passes. ms */
const EVERY = 1000

/** When the last tick is older than that, they do not come any more. ms */
const CEASED = 5000

/** How long a ticker that has died is missed, if ticks are still needed then. ms */
const RESPAWN = 30_000

interface Timer {
  /** Monotonic ms. */
  readonly at: number
  readonly fire: () => void
}

/** An environment whose timers are on time in a hidden page too, as long as its ticks come. */
export interface TickedEnvironment extends Environment {
  /** Begins to tick while the page is hidden. Returns what ends it. */
  readonly beginTicks: (connect: Connect, errors: ServiceErrors) => () => void
}

/**
 * Timers of a hidden page stretch to a minute, and a session that beats so rarely is taken for dead. Those of workers do
 * not: one more worker of the user's file, which is given no jobs, posts ticks while the page is hidden, and each makes
 * due what the page's own timers are late with. A page whose ticks come is not hidden, as far as an executor cares.
 * [tests/runtimes/page-ticks.test.ts] [tests/browser/web-workers.engines.test.ts]
 */
export function ticked(own: Environment): TickedEnvironment {
  const timers = new TickedTimers(own)
  return {
    ...own,
    hidden: () => own.hidden() && !timers.ticks,
    startTimer: (run, delay, background) => timers.start(run, delay, background),
    onVisibilityChange: (listener) => {
      const [stop, stopOwn] = [timers.onTurn(listener), own.onVisibilityChange(listener)]
      return () => {
        stop()
        stopOwn()
      }
    },
    beginTicks: (connect, errors) => {
      const ticker = new TickerWorker({
        connect,
        tick: () => {
          errors.over()
          timers.tick()
        },
        every: () => (own.hidden() ? EVERY : 0),
        startTimer: own.startTimer,
        died: (cause) => {
          timers.cease()
          errors.again(cause)
        },
      })
      const unsubscribe = own.onVisibilityChange(() => ticker.look())
      ticker.look()
      return () => {
        unsubscribe()
        ticker.end()
      }
    },
  }
}

/** Timers that the platform fires, or a tick that comes before. */
class TickedTimers {
  readonly #own: Environment
  readonly #timers = new Set<Timer>()
  readonly #listeners = new Set<() => void>()
  #lastTick = -Infinity

  constructor(own: Environment) {
    this.#own = own
  }

  get ticks(): boolean {
    return this.#own.monotonic() - this.#lastTick <= CEASED
  }

  /** Tells when ticks begin, or end, while the page is hidden: it counts as another then, without a word of the platform. */
  onTurn(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  start(run: () => void, delay: number, background: boolean): CancelTimer {
    const cancel = (): void => {
      this.#timers.delete(timer)
      cancelOwn()
    }
    const fire = (): void => {
      cancel()
      run()
    }
    const timer = { at: this.#own.monotonic() + delay, fire }
    this.#timers.add(timer)
    const cancelOwn = this.#own.startTimer(fire, delay, background)
    return cancel
  }

  tick(): void {
    const begun = this.ticks
    this.#lastTick = this.#own.monotonic()
    if (!begun) this.#turn()
    for (const timer of [...this.#timers]) if (timer.at <= this.#lastTick && this.#timers.has(timer)) timer.fire()
  }

  cease(): void {
    this.#lastTick = -Infinity
    this.#turn()
  }

  #turn(): void {
    if (this.#own.hidden()) for (const listener of [...this.#listeners]) listener()
  }
}

interface TickerOptions extends Pick<Environment, 'startTimer'> {
  readonly connect: Connect
  readonly tick: () => void
  /** None come any more, until one that is spawned anew says the first. */
  readonly died: (cause: unknown) => void
  /** How far apart ticks are to come now, ms; 0: they are not needed. */
  readonly every: () => number
}

/** Started when ticks are needed for the first time, and again a while after it has died. */
class TickerWorker {
  readonly #options: TickerOptions
  #port: Port | null = null
  #ended = false

  constructor(options: TickerOptions) {
    this.#options = options
  }

  /** Whether ticks are needed may have changed. */
  look(): void {
    if (this.#port !== null) this.#tell()
    else if (this.#options.every() > 0 && !this.#ended) this.#start()
  }

  end(): void {
    this.#ended = true
    this.#let()
  }

  #let(): void {
    void this.#port?.terminate()
    this.#port = null
  }

  #died(cause: unknown): void {
    this.#let()
    this.#options.startTimer(() => this.look(), RESPAWN, true)
    this.#options.died(cause)
  }

  #start(): void {
    const { connect, tick } = this.#options
    try {
      this.#port = connect({
        message: (data) => {
          const kind = unmarked(data)?.kind
          // From here on it listens.
          if (kind === 'exposed') this.#tell()
          else if (kind === 'tick') tick()
        },
        died: (cause) => this.#died(cause),
      })
    } catch (error) {
      this.#died(error)
    }
  }

  #tell(): void {
    const message: ToThread = { kind: 'tick', every: this.#options.every() }
    this.#port?.post(marked(message))
  }
}
