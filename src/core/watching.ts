import type { Environment } from './environment.ts'
import type { JobChange, StorageAdapter } from './storage/contract.ts'

/** A change of a job anywhere, or `gap`: some were missed. */
export type ChangeEvent =
  | { readonly name: JobChange['kind']; readonly id: string; readonly type: string }
  | { readonly name: 'gap' }

/** Hints make `idle` prompt; this look makes it certain. ms */
const POLL = 1000

/** A reader that falls behind by more than this many changes gets a `gap` in their place. */
const MOST_BUFFERED = 10_000

export async function untilIdle(
  storage: StorageAdapter,
  environment: Environment,
  signal: AbortSignal | undefined,
  includeScheduled: boolean,
): Promise<void> {
  for (;;) {
    signal?.throwIfAborted()
    const hint = nextHint(storage, environment, signal)
    const { pending, scheduled, running } = await storage.counts({ now: environment.now() })
    if (pending + running + (includeScheduled ? scheduled : 0) === 0) {
      hint.cancel()
      return
    }
    await hint.came
  }
}

/** Resolves at the next hint, at the poll, or when the signal aborts. */
function nextHint(
  storage: StorageAdapter,
  environment: Environment,
  signal: AbortSignal | undefined,
): { came: Promise<void>; cancel: () => void } {
  let cancel = (): void => undefined
  const came = new Promise<void>((resolve) => {
    const end = (): void => {
      unsubscribe?.()
      stopTimer()
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const unsubscribe = storage.notifier?.subscribe(end)
    const stopTimer = environment.startTimer(end, POLL, false)
    signal?.addEventListener('abort', end)
    cancel = end
  })
  return { came, cancel }
}

/**
 * Changes as they come, from when this was made. Reading it to its end, leaving the iteration, aborting the signal or
 * closing the queue ends it; until then it keeps what was not read yet, up to a bound.
 */
export class ChangeStream implements AsyncIterableIterator<ChangeEvent> {
  readonly #end: () => void
  #buffer: ChangeEvent[] = []
  #readers: ((result: IteratorResult<ChangeEvent>) => void)[] = []
  #ended = false

  constructor(storage: StorageAdapter, signal: AbortSignal | undefined, onEnd: (stream: ChangeStream) => void) {
    const unsubscribe = storage.notifier?.subscribe((hint) => {
      if (hint.gap) this.#add({ name: 'gap' })
      for (const { kind, id, type } of hint.changes) this.#add({ name: kind, id, type })
    })
    const abort = (): void => void this.return()
    signal?.addEventListener('abort', abort)
    this.#end = () => {
      unsubscribe?.()
      signal?.removeEventListener('abort', abort)
      onEnd(this)
    }
    if (signal?.aborted === true) abort()
  }

  next(): Promise<IteratorResult<ChangeEvent>> {
    const event = this.#buffer.shift()
    if (event !== undefined) return Promise.resolve({ done: false, value: event })
    if (this.#ended) return Promise.resolve(DONE)
    return new Promise((resolve) => this.#readers.push(resolve))
  }

  return(): Promise<IteratorResult<ChangeEvent>> {
    if (!this.#ended) {
      this.#ended = true
      this.#buffer = []
      this.#end()
      for (const read of this.#readers.splice(0)) read(DONE)
    }
    return Promise.resolve(DONE)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #add(event: ChangeEvent): void {
    const read = this.#readers.shift()
    if (read !== undefined) read({ done: false, value: event })
    else if (this.#buffer.length < MOST_BUFFERED) this.#buffer.push(event)
    else this.#buffer = [{ name: 'gap' }]
  }
}

const DONE: IteratorResult<ChangeEvent> = { done: true, value: undefined }
