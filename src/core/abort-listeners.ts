interface Listeners {
  readonly all: Set<() => void>
  readonly tell: () => void
}

const listenersOf = new WeakMap<AbortSignal, Listeners>()

/**
 * Calls `listener` when the signal aborts, until the function that this returns is called. However many listen, the signal
 * itself has one listener: Node takes more than ten for a leak, and says so.
 */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (signal === undefined) return () => undefined
  const { all, tell } = listenersOf.get(signal) ?? listenTo(signal)
  all.add(listener)
  return () => {
    if (!all.delete(listener) || all.size > 0) return
    signal.removeEventListener('abort', tell)
    listenersOf.delete(signal)
  }
}

function listenTo(signal: AbortSignal): Listeners {
  const all = new Set<() => void>()
  const tell = (): void => {
    for (const listener of all) listener()
  }
  signal.addEventListener('abort', tell)
  const listeners = { all, tell }
  listenersOf.set(signal, listeners)
  return listeners
}
