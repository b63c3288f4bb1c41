import type { Attempt } from './attempt.ts'
import { runHandler } from './handlers.ts'
import type { BoundHandler } from './definition.ts'
import type { AttemptEnds, OpenRunner, Runner } from './runner.ts'
import { isThenable } from './thenable.ts'

/** Runs handlers in this thread, where nobody can stop them from outside. */
export function inline(handlers: ReadonlyMap<string, BoundHandler>): Runner {
  return { open: ({ ends }) => new InlineRunner(handlers, ends) }
}

class InlineRunner implements OpenRunner {
  readonly ready: Promise<void> = Promise.resolve()
  readonly places = Infinity
  readonly kills = false
  readonly #handlers: ReadonlyMap<string, BoundHandler>
  readonly #ends: AttemptEnds

  constructor(handlers: ReadonlyMap<string, BoundHandler>, ends: AttemptEnds) {
    this.#handlers = handlers
    this.#ends = ends
  }

  run(attempt: Attempt): void {
    const ends = this.#ends
    try {
      const returned = runHandler(this.#handlers.get(attempt.record.type) as BoundHandler, attempt)
      if (isThenable(returned)) {
        returned.then(
          (value) => ends.returned(attempt, value),
          (error: unknown) => ends.threw(attempt, error),
        )
      } else ends.returned(attempt, returned)
    } catch (error) {
      ends.threw(attempt, error)
    }
  }

  /** The handler's signal is the attempt's own. */
  abort(): void {
    return
  }

  kill(): void {
    return
  }

  close(): Promise<void> {
    return this.ready
  }
}
