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
  { signal, includeScheduled = false }: { signal?: AbortSignal; includeScheduled?: boolean },
): Promise<void> {
  for (;;) {
    if (signal?.aborted === true) throw signal.reason
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

/** Listens from the call on. The iteration must be read to its end or left, or the signal aborted, to end that. */
export function changes(storage: StorageAdapter, signal: AbortSignal | undefined): AsyncIterableIterator<ChangeEvent> {
  let buffer: ChangeEvent[] = []
  let wake = (): void => undefined
  const aborted = (): boolean => signal?.aborted === true
  const unsubscribe = storage.notifier?.subscribe((hint) => {
    if (hint.gap) buffer.push({ name: 'gap' })
    for (const { kind, id, type } of hint.changes) buffer.push({ name: kind, id, type })
    if (buffer.length > MOST_BUFFERED) buffer = [{ name: 'gap' }]
    wake()
  })
  const abort = (): void => {
    unsubscribe?.()
    wake()
  }
  signal?.addEventListener('abort', abort)
  return (async function* read(): AsyncIterableIterator<ChangeEvent> {
    try {
      while (!aborted()) {
        const ready = buffer
        buffer = []
        yield* ready
        if (buffer.length === 0 && !aborted()) await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      unsubscribe?.()
      signal?.removeEventListener('abort', abort)
    }
  })()
}
