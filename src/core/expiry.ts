import type { Environment } from './environment.ts'

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
