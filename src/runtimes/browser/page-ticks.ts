import type { Environment } from '../../core/environment.ts'
import type { Connect, Port } from '../threads/port.ts'
import { marked, type ToThread, unmarked } from '../threads/protocol.ts'

/** How often a hidden page is told that time passes. ms */
const EVERY = 1000

/** When the last tick is older than that, they do not come any more. ms */
const CEASED = 5000

interface Timer {
  /** Monotonic ms. */
  readonly at: number
  readonly fire: () => void
}

/** An environment whose timers are on time in a hidden page too, as long as its ticks come. */
export interface TickedEnvironment extends Environment {
  /** Begins to tick while the page is hidden. Returns what ends it. */
  readonly beginTicks: (connect: Connect, onError: (error: unknown) => void) => () => void
}

/**
 * Timers of a hidden page stretch to a minute, and a session that beats so rarely is taken for dead. Those of workers do
 * not: one more worker of the user's file, which is given no jobs, posts ticks while the page is hidden, and each makes
 * due what the page's own timers are late with. A page whose ticks come is not hidden, as far as an executor cares.
 * [tests/runtimes/page-ticks.test.ts] [tests/browser/web-workers.engines.test.ts]
 */
export function ticked(own: Environment): TickedEnvironment {
  const timers = new Set<Timer>()
  let lastTick = -Infinity
  const tick = (): void => {
    lastTick = own.monotonic()
    for (const timer of [...timers]) if (timer.at <= lastTick && timers.has(timer)) timer.fire()
  }
  return {
    ...own,
    hidden: () => own.hidden() && own.monotonic() - lastTick > CEASED,
    startTimer: (run, delay, background) => {
      const cancel = (): void => {
        timers.delete(timer)
        cancelOwn()
      }
      const fire = (): void => {
        cancel()
        run()
      }
      const timer = { at: own.monotonic() + delay, fire }
      timers.add(timer)
      const cancelOwn = own.startTimer(fire, delay, background)
      return cancel
    },
    beginTicks: (connect, onError) => {
      const ticker = new TickerWorker({ connect, onError, tick, every: () => (own.hidden() ? EVERY : 0) })
      const unsubscribe = own.onVisibilityChange(() => ticker.look())
      ticker.look()
      return () => {
        unsubscribe()
        ticker.end()
      }
    },
  }
}

interface TickerOptions {
  readonly connect: Connect
  readonly onError: (error: unknown) => void
  readonly tick: () => void
  /** How far apart ticks are to come now, ms; 0: they are not needed. */
  readonly every: () => number
}

/** Started when ticks are needed for the first time. One that has died is missed until they are needed anew. */
class TickerWorker {
  readonly #options: TickerOptions
  #port: Port | null = null

  constructor(options: TickerOptions) {
    this.#options = options
  }

  /** Whether ticks are needed may have changed. */
  look(): void {
    if (this.#port !== null) this.#tell()
    else if (this.#options.every() > 0) this.#start()
  }

  end(): void {
    void this.#port?.terminate()
    this.#port = null
  }

  #start(): void {
    const { connect, tick, onError } = this.#options
    try {
      this.#port = connect({
        message: (data) => {
          const kind = unmarked(data)?.kind
          // From here on it listens.
          if (kind === 'exposed') this.#tell()
          else if (kind === 'tick') tick()
        },
        died: (cause) => {
          this.end()
          onError(cause)
        },
      })
    } catch (error) {
      onError(error)
    }
  }

  #tell(): void {
    const message: ToThread = { kind: 'tick', every: this.#options.every() }
    this.#port?.post(marked(message))
  }
}
