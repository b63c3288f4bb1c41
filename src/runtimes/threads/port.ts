/** A worker that the user's `spawn` has made, as both platforms have it. */
export interface Port {
  /** Throws for what cannot be cloned. */
  post(message: unknown): void
  /** Whether the thread is to keep the process alive, where there is such a thing. */
  keep(alive: boolean): void
  /** Resolves when the thread has ended, as far as the platform tells. */
  terminate(): Promise<void>
}

export interface PortEvents {
  message(data: unknown): void
  /** It has ended, or something outside of handlers threw, after which nobody can rely on it. */
  died(cause: unknown): void
}

/** Spawns a worker and listens to it. */
export type Connect = (events: PortEvents) => Port
