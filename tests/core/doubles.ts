import { vi } from 'vitest'
import { HoldfastError } from '../../src/core/errors.ts'
import { type ServiceErrors, serviceErrors } from '../../src/core/service-errors.ts'
import type { StorageAdapter } from '../../src/core/storage/contract.ts'
import type { HandlerContext } from '../../src/index.ts'

/** A promise that the test settles. */
export class Gate<Value = void> {
  readonly promise: Promise<Value>
  #resolve: (value: Value) => void = () => undefined
  #reject: (error: unknown) => void = () => undefined

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  open(value: Value): void {
    this.#resolve(value)
  }

  fail(error: unknown): void {
    this.#reject(error)
  }
}

/** Handlers that run until the test ends them, by the ids of their jobs. */
export class Stage {
  readonly contexts: Map<string, HandlerContext> = new Map()
  /** Ids in the order of their starts. */
  readonly started: string[] = []
  /** The most that ran at once. */
  most = 0
  readonly #gates = new Map<string, Gate<unknown>>()

  get running(): readonly string[] {
    return [...this.#gates.keys()]
  }

  readonly run = async (_payload: unknown, context: HandlerContext): Promise<unknown> => {
    const { id } = context.job
    const gate = new Gate<unknown>()
    this.contexts.set(id, context)
    this.started.push(id)
    this.#gates.set(id, gate)
    this.most = Math.max(this.most, this.#gates.size)
    return gate.promise.finally(() => this.#gates.delete(id))
  }

  end(id: string, result: unknown = null): void {
    this.#gate(id).open(result)
  }

  fail(id: string, error: unknown): void {
    this.#gate(id).fail(error)
  }

  /** The code of the reason for which a job's signal was aborted; `null` while it is not. */
  abortedFor(id: string): string | null {
    const { signal } = this.contexts.get(id) ?? {}
    return signal?.aborted === true ? codeOf(signal.reason) : null
  }

  #gate(id: string): Gate<unknown> {
    const gate = this.#gates.get(id)
    if (gate === undefined) throw new Error(`${id} does not run`)
    return gate
  }
}

/** Ends as soon as its signal is aborted, by throwing the reason: what a good handler does. */
export function untilAborted(_payload: unknown, { signal }: HandlerContext): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error))
  })
}

export type Operation = Exclude<keyof StorageAdapter, 'contract' | 'name' | 'traits' | 'notifier'>
type Hook = (operation: Operation, request: unknown) => unknown

/** A storage with hooks before each call and after each answer. One that throws fails the call, one that waits delays it. */
export function hooked(
  inner: StorageAdapter,
  { before, after, silent = false }: { before?: Hook; after?: Hook; silent?: boolean },
): StorageAdapter {
  return new Proxy(inner, {
    get(target, key: keyof StorageAdapter) {
      const member: unknown = Reflect.get(target, key)
      // A storage that cannot signal has no notifier.
      if (key === 'notifier' && silent) return undefined
      if (typeof member !== 'function') return member
      // These two answer at once.
      if (key === 'health' || key === 'watchHealth') return member.bind(target) as unknown
      return async (request: unknown) => {
        await before?.(key as Operation, request)
        const answer: unknown = await (member as (request: unknown) => Promise<unknown>).call(target, request)
        await after?.(key as Operation, request)
        return answer
      }
    },
  })
}

/** A hook that fails the next `times` calls of one operation. */
export function failing(operation: Operation, times: number, error: unknown = new Error('The storage is away')): Hook {
  let left = times
  return (name) => {
    if (name === operation && left-- > 0) throw error
  }
}

export const never: Promise<never> = new Promise(() => undefined)

/** The errors of a service: all that were told, and what the logger hears, an error that is news and how many there were. */
export function notedErrors(): {
  readonly service: ServiceErrors
  readonly errors: unknown[]
  readonly log: unknown[]
} {
  const errors: unknown[] = []
  const log: unknown[] = []
  const service = serviceErrors(
    (error, isNews) => {
      errors.push(error)
      if (isNews) log.push(error)
    },
    (ended) => log.push(ended),
  )
  return { service, errors, log }
}

export function codeOf(error: unknown): string {
  return HoldfastError.is(error) ? error.code : String(error)
}

/** What a promise has come to; `waiting` until then. */
export function outcome<Value>(promise: Promise<Value>): { now: Value | string } {
  const state: { now: Value | string } = { now: 'waiting' }
  promise.then(
    (value) => (state.now = value),
    (error: unknown) => (state.now = codeOf(error)),
  )
  return state
}

/** Who listens to a signal from now on. */
export function listenersOf(signal: AbortSignal): () => readonly unknown[] {
  const added = vi.spyOn(signal, 'addEventListener')
  const removed = vi.spyOn(signal, 'removeEventListener')
  return () => {
    const gone = removed.mock.calls.map(([, listener]) => listener)
    return added.mock.calls.map(([, listener]) => listener).filter((listener) => !gone.includes(listener))
  }
}

/** What was wrong with a call: the code and the field it names. */
export async function problemOf(call: () => unknown): Promise<{ code: string; field: string | undefined }> {
  try {
    await call()
  } catch (error) {
    if (HoldfastError.is(error)) return { code: error.code, field: error.details.field }
    throw error
  }
  return { code: 'none', field: undefined }
}
