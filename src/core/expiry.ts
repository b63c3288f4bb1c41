import type { CancelTimer, Environment } from './environment.ts'

/** Waits for the first of some promises, but not for longer than so many ms. */
export async function waitAtMost(environment: Environment, most: number, ...promises: Promise<void>[]): Promise<void> {
  const expiry = new Expiry(environment, most)
  await Promise.race([...promises, expiry.reached])
  expiry.cancel()
}

/** A moment that is waited for, can be brought forward, and can be given up. */
export class Expiry {
  passed = false
  readonly reached: Promise<undefined>
  readonly #environment: Environment
  #at = Infinity
  #pass: () => void = () => undefined
  #cancelTimer: CancelTimer | null = null

  constructor(environment: Environment, after: number) {
    this.#environment = environment
    this.reached = new Promise((resolve) => {
      this.#pass = () => {
        this.passed = true
        resolve(undefined)
      }
    })
    this.within(after)
  }

  /** Comes `after` ms from now at the latest. */
  within(after: number): void {
    const at = this.#environment.monotonic() + after
    if (at >= this.#at) return
    this.cancel()
    this.#at = at
    if (after <= 0) this.#pass()
    else this.#cancelTimer = this.#environment.startTimer(this.#pass, after, false)
  }

  cancel(): void {
    this.#cancelTimer?.()
  }
}
