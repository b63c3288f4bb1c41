import { constants } from 'node:os'
import type { Span } from '../../core/options.ts'
import type { JobQueue } from '../../core/queue.ts'

export interface StopOnSignalsOptions {
  /** Which signals stop the queue. Default `SIGINT` (Ctrl-C) and `SIGTERM`. */
  readonly signals?: readonly NodeJS.Signals[]
  /** How long running jobs may take to end by themselves, ms or `'10s'`; then their signal aborts. Default `'10s'`. */
  readonly grace?: Span
  /** Called at the first signal, before the queue closes: to say so, or to close what else keeps the process alive. */
  readonly onStop?: (signal: NodeJS.Signals) => void
}

/** A terminal's Ctrl-C reaches a program under `npm` twice: once from the terminal, once handed on. ms */
const SAME_SIGNAL = 300

/** What a shell answers for a program that a signal ended: this and the signal's number. */
const SIGNAL_EXIT = 128

/**
 * Closes the queue at the first signal: no more claims, running jobs get `grace`, what is left is given back. The
 * process then ends by itself, once nothing else keeps it, with the exit code that stands for the signal (130 after
 * Ctrl-C). A second signal, at least 300 ms later, ends it at once; a storage that is durable loses nothing by that.
 *
 * Returns the function that takes the listeners away again.
 */
export function stopOnSignals(
  queue: Pick<JobQueue, 'close'>,
  { signals = ['SIGINT', 'SIGTERM'], grace = '10s', onStop }: StopOnSignalsOptions = {},
): () => void {
  let first: number | null = null
  const listener = (signal: NodeJS.Signals): void => {
    const code = SIGNAL_EXIT + constants.signals[signal]
    const now = performance.now()
    if (first !== null) {
      if (now - first >= SAME_SIGNAL) process.exit(code)
      return
    }
    first = now
    process.exitCode = code
    onStop?.(signal)
    queue.close({ grace }).then(remove, (error: unknown) => {
      remove()
      // As an error that nobody catches, which is what it is.
      queueMicrotask(() => {
        throw error
      })
    })
  }
  const remove = (): void => {
    for (const signal of signals) process.off(signal, listener)
  }
  for (const signal of signals) process.on(signal, listener)
  return remove
}
