import { HoldfastError } from '../../core/errors.ts'

/** The inside of a worker, as both platforms have it. */
export interface Scope {
  /** Throws for what cannot be cloned. `moved` leaves this thread with the message, and is of no use here afterwards. */
  post(message: unknown, moved?: readonly unknown[]): void
  listen(listener: (data: unknown) => void): void
  /** Calls `listener` where something outside of handlers went wrong and the platform tells nobody outside. */
  onBroken(listener: (error: unknown) => void): void
}

interface NodePort {
  postMessage(message: unknown, moved?: readonly unknown[]): void
  on(event: 'message', listener: (data: unknown) => void): void
}

interface WebScope {
  postMessage?(message: unknown, moved?: readonly unknown[]): void
  addEventListener?(
    type: string,
    listener: (event: { readonly data?: unknown; readonly reason?: unknown }) => void,
  ): void
  close?(): void
  readonly document?: unknown
  readonly process?: { getBuiltinModule?(name: string): { readonly parentPort?: NodePort | null } | undefined }
}

/**
 * The scope that this runs in. Node's is asked for by `process.getBuiltinModule`, so that the same file needs no import
 * that a browser's bundler would stumble over. [docs/decisions/0035]
 *
 * @throws HOLDFAST_WORKER_NOT_READY outside of a worker
 */
export function workerScope(global: WebScope = globalThis as WebScope): Scope {
  const port = global.process?.getBuiltinModule?.('worker_threads')?.parentPort
  if (port !== null && port !== undefined) return nodeScope(port)
  if (global.document === undefined && global.postMessage !== undefined && global.addEventListener !== undefined)
    return webScope(global as Required<WebScope>)
  throw misplaced('exposeHandlers() is for workers, and this is none')
}

/** It was called where, or when, no handlers can be exposed. */
export function misplaced(message: string): HoldfastError {
  return new HoldfastError('HOLDFAST_WORKER_NOT_READY', message, { details: { field: 'exposeHandlers()' } })
}

/** Node ends a thread in which something is thrown or rejected that nobody catches, and tells its parent. */
function nodeScope(port: NodePort): Scope {
  return {
    post: (message, moved = []) => port.postMessage(message, moved),
    listen: (listener) => port.on('message', listener),
    onBroken: () => undefined,
  }
}

/** Browsers tell the page what is thrown; not what is rejected, nor that the worker has closed itself. */
function webScope(global: Required<WebScope>): Scope {
  return {
    post: (message, moved = []) => global.postMessage(message, moved),
    listen: (listener) => global.addEventListener('message', ({ data }) => listener(data)),
    onBroken: (listener) => {
      global.addEventListener('unhandledrejection', ({ reason }) => listener(reason))
      const close = global.close.bind(global)
      global.close = () => {
        listener(new Error('The worker closed itself'))
        close()
      }
    },
  }
}
