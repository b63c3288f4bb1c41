// What of the platform is used, as narrowly as it is used: the library compiles without the DOM's types, and tests pass
// their own.

/** A `ServiceWorkerRegistration`. */
export interface WorkerRegistration {
  readonly active: { postMessage(message: unknown): void } | null
  /** Absent where the browser has no Background Sync; where it is switched off, registering rejects. */
  readonly sync?: { register(tag: string): Promise<void> }
}

interface EventSource {
  addEventListener(type: string, listener: () => void): void
  removeEventListener(type: string, listener: () => void): void
}

/** What a page has: the global object of a window. */
export interface PagePlatform extends Partial<EventSource> {
  readonly navigator?: { readonly serviceWorker?: { readonly ready: Promise<WorkerRegistration> } }
  readonly document?: EventSource & { readonly visibilityState: string }
}

/** An `ExtendableMessageEvent`. */
export interface WorkerMessageEvent {
  readonly data: unknown
  waitUntil(work: Promise<unknown>): void
}
