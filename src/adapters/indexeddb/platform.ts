import type { BrowserStorage } from './browser-storage.ts'

export interface Events {
  addEventListener?(type: string, listener: () => void): void
  removeEventListener?(type: string, listener: () => void): void
}

/** `navigator.locks`, as far as it is used. */
export interface Locks {
  request(
    name: string,
    options: { readonly mode: 'exclusive' | 'shared'; readonly signal: AbortSignal },
    granted: () => Promise<void> | undefined,
  ): Promise<unknown>
}

export interface Channel {
  onmessage: ((event: { readonly data: unknown }) => void) | null
  postMessage(message: unknown): void
  close(): void
  /** Node's alone, for tests on an emulation: there an open channel would keep the process alive. */
  unref?(): void
}

/**
 * What this storage reads of the global object. All but the timers may be missing: `navigator.locks` is
 * only in secure contexts, workers have no `document`, and neither have service workers the events of a page.
 */
export interface Platform extends Events {
  readonly navigator?: { readonly locks?: Locks; readonly storage?: BrowserStorage }
  readonly indexedDB?: IDBFactory
  readonly document?: Events & { readonly visibilityState?: string }
  readonly BroadcastChannel?: new (name: string) => Channel
  setTimeout(run: () => void, delay: number): unknown
  clearTimeout(timer: unknown): void
}

/** The global object, to be asked for when a storage is made and never at import. */
export function thisPlatform(): Platform {
  return globalThis as unknown as Platform
}
