import { constants } from 'node:os'
import { invalidOption } from '../../core/errors.ts'
import { callable, readOptions, type Span, spanToMs } from '../../core/options.ts'
import type { JobQueue } from '../../core/queue.ts'

export interface StopOnSignalsOptions {
  /** Which signals stop the queue. Default `SIGINT` (Ctrl-C) and `SIGTERM`. */
  readonly signals?: readonly NodeJS.Signals[]
  /** How long running jobs may take to end by themselves, ms or `'10s'`; then their signal aborts. Default `'10s'`. */
  readonly grace?: Span
  /**
   * Called at the first signal, before the queue closes: to say so, or to close what else keeps the process alive. What it
   * throws ends the process once the queue is closed.
   */
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
 *
 * @throws HOLDFAST_INVALID_OPTION
 */
export function stopOnSignals(queue: Pick<JobQueue, 'close'>, options: StopOnSignalsOptions = {}): () => void {
  callable('queue.close', (Object(queue) as Partial<JobQueue>).close)
  const checks = { signals: signalNames, grace: spanToMs, onStop: callable }
  const { signals = ['SIGINT', 'SIGTERM'], grace = 10_000, onStop } = readOptions('stopOnSignals', options, checks)
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
    // Whatever comes of the first, its jobs are given back.
    const told = new Promise((resolve) => resolve(onStop?.(signal as never)))
    void Promise.allSettled([told, queue.close({ grace })]).then((ends) => {
      remove()
      // As an error that nobody catches, which is what it is.
      for (const end of ends) if ('reason' in end) throw end.reason
    })
  }
  const remove = (): void => {
    for (const signal of signals) process.off(signal, listener)
  }
  for (const signal of signals) process.on(signal, listener)
  return remove
}

/** Of these no process is told. */
const UNHEARD: readonly unknown[] = ['SIGKILL', 'SIGSTOP']

function signalNames(field: string, value: unknown): readonly NodeJS.Signals[] {
  const isSignal = (name: string): boolean => Object.hasOwn(constants.signals, name) && !UNHEARD.includes(name)
  if (Array.isArray(value) && value.length > 0 && value.every(isSignal)) return value as NodeJS.Signals[]
  throw invalidOption(field, "an array of one or more names of signals that can be heard, as 'SIGTERM'", value)
}
