import type { CancelTimer, Environment } from './environment.ts'
import type { ServiceErrors } from './service-errors.ts'

export interface TickerOptions {
  readonly environment: Environment
  /** ms from the end of one run to the start of the next. Read anew each time. */
  readonly interval: () => number
  /** Delay of the first run. */
  readonly first: number
  readonly run: () => Promise<unknown>
  readonly errors: ServiceErrors
}

/** Runs a service again and again, never twice at once. An error is told and the service goes on. */
export class Ticker {
  readonly #options: TickerOptions
  #cancel: CancelTimer | null = null
  #running: Promise<void> | null = null
  #stopped = false
  /** Asked for while a run was under way, which may have looked already. */
  #again = false

  constructor(options: TickerOptions) {
    this.#options = options
    this.#schedule(options.first)
  }

  /** Runs now instead of at the next tick; while a run is under way, once more after it. */
  now(): Promise<void> {
    this.#cancel?.()
    this.#again = this.#running !== null
    this.#running ??= this.#run()
    return this.#running
  }

  /** Resolves when a run under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel?.()
    await this.#running
  }

  get #isAskedFor(): boolean {
    return this.#again && !this.#stopped
  }

  #schedule(delay: number): void {
    if (this.#stopped) return
    this.#cancel = this.#options.environment.startTimer(() => void this.now(), delay, true)
  }

  async #run(): Promise<void> {
    const { run, errors } = this.#options
    do {
      this.#again = false
      try {
        if (!this.#stopped) {
          await run()
          errors.over()
        }
      } catch (error) {
        errors.again(error)
      }
    } while (this.#isAskedFor)
    this.#running = null
    this.#schedule(this.#options.interval())
  }
}
