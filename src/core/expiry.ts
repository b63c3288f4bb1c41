import type { Environment } from './environment.ts'

/** Waits for the first of some promises, but not for longer than so many ms. */
export async function waitAtMost(environment: Environment, most: number, ...promises: Promise<void>[]): Promise<void> {
  const expiry = new Expiry(environment, most)
  await Promise.race([...promises, expiry.reached])
  expiry.cancel()
}

/** A moment that is waited for, and can be given up. */
export class Expiry {
  passed: boolean
  readonly reached: Promise<void>
  cancel: () => void = () => undefined

  constructor(environment: Environment, after: number) {
    this.passed = after <= 0
    this.reached = new Promise((resolve) => {
      const pass = (): void => {
        this.passed = true
        resolve()
      }
      if (this.passed) resolve()
      else if (after !== Infinity) this.cancel = environment.startTimer(pass, after, false)
    })
  }
}
