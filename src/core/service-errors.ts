import { toErrorData } from './errors.ts'

/** How a service tells of the errors that it meets and goes on. [tests/core/service-errors.test.ts] */
export interface ServiceErrors {
  /** One that is about itself alone. */
  readonly once: (error: unknown) => void
  /** A try failed, and another follows: news for each kind of error, until a try succeeds. */
  readonly again: (error: unknown) => void
  /** A try succeeded. */
  readonly over: () => void
}

/** An hour without a disk is not thousands of reports: `told` hears what is news, `ended` how many errors there were. */
export function serviceErrors(
  told: (error: unknown, isNews: boolean) => void,
  ended: (errors: number) => void,
): ServiceErrors {
  const kinds = new Set<string>()
  let errors = 0
  return {
    once: (error) => told(error, true),
    again(error) {
      const { code, name } = toErrorData(error)
      // Messages may vary with each try.
      const known = kinds.size
      errors += 1
      told(error, kinds.add(code ?? name).size > known)
    },
    over() {
      if (errors > 0) ended(errors)
      errors = 0
      kinds.clear()
    },
  }
}
