import { onAbort } from './abort-listeners.ts'
import type { Environment } from './environment.ts'
import type { QueueCore } from './queue-core.ts'
import type { JobChange, StorageAdapter } from './storage/contract.ts'

/** A change of a job anywhere, or `gap`: some were missed. */
export type ChangeEvent =
  | { readonly name: JobChange['kind']; readonly id: string; readonly type: string }
  | { readonly name: 'gap' }

/** Hints make `idle` prompt; this look makes it certain. ms */
const POLL = 1000

/** A reader that falls behind by more than this many changes gets a `gap` in their place. */
const MOST_BUFFERED = 10_000

/** What ends those that watch, by calling each. */
type Watchers = Set<() => void>

/** `open` throws once the queue is closed. */
export async function untilIdle(
  open: () => Pick<QueueCore, 'storage' | 'environment'>,
  watchers: Watchers,
  { signal, includeScheduled = false }: { signal?: AbortSignal; includeScheduled?: boolean },
): Promise<void> {
  for (;;) {
    signal?.throwIfAborted()
    const { storage, environment } = open()
    const hint = nextHint(storage, environment, watchers, signal)
    try {
      const { pending, scheduled, running } = await storage.counts({ now: environment.now() })
      if (pending + running + (includeScheduled ? scheduled : 0) === 0) return
      await hint.came
    } finally {
      hint.cancel()
    }
  }
}

/** Resolves at the next hint, at the poll, when the signal aborts or the queue is closed. */
function nextHint(
  storage: StorageAdapter,
  environment: Environment,
  watchers: Watchers,
  signal: AbortSignal | undefined,
): { came: Promise<void>; cancel: () => void } {
  let cancel = (): void => undefined
  const came = new Promise<void>((resolve) => {
    const end = (): void => {
      unsubscribe?.()
      stopTimer()
      ignore()
      watchers.delete(end)
      resolve()
    }
    const unsubscribe = storage.notifier?.subscribe(end)
    const stopTimer = environment.startTimer(end, POLL, false)
    const ignore = onAbort(signal, end)
    watchers.add(end)
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

  constructor(storage: StorageAdapter, watchers: Watchers, signal: AbortSignal | undefined) {
    const unsubscribe = storage.notifier?.subscribe((hint) => {
      if (hint.gap) this.#add({ name: 'gap' })
      for (const { kind, id, type } of hint.changes) this.#add({ name: kind, id, type })
    })
    const end = (): void => void this.return()
    const ignore = onAbort(signal, end)
    watchers.add(end)
    this.#end = () => {
      unsubscribe?.()
      ignore()
      watchers.delete(end)
    }
    if (signal?.aborted === true) end()
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
