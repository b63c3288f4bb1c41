// The platform's own that the core may use: present in every browser, worker, edge runtime and Node. It is not part of
// the language's library, so it is declared here, as narrowly as it is used; a package that imports the core's
// declarations sees its own platform's. Clocks, timers and randomness are not here: see environment.ts.

interface AbortSignal {
  readonly aborted: boolean
  readonly reason: unknown
  throwIfAborted(): void
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

interface AbortController {
  readonly signal: AbortSignal
  abort(reason?: unknown): void
}

declare const AbortController: new () => AbortController
declare const TextEncoder: new () => { encode(text: string): Uint8Array }
declare function structuredClone<T>(value: T, options?: { readonly transfer: readonly object[] }): T
