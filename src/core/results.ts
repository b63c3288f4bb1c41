import type { Environment } from './environment.ts'
import { HoldfastError } from './errors.ts'
import type { ErrorData, Hint, JobRecord, StorageAdapter } from './storage/contract.ts'

/** How a job ended. `unknown`: no such job (never stored, removed, or gone by retention). */
export type JobResult =
  | { readonly status: 'completed'; readonly result: unknown }
  | { readonly status: 'failed'; readonly error: ErrorData }
  | { readonly status: 'cancelled'; readonly reason: string }
  | { readonly status: 'unknown' }

interface Waiter {
  readonly resolve: (result: JobResult) => void
  readonly reject: (error: unknown) => void
}

/** Hints make an answer prompt; this look makes it certain. */
const POLL = 1000

/**
 * Waits for jobs to end. One subscription and one timer serve all waiters; what is believed is always what the storage
 * says, so an answer comes whatever hint is lost, whoever ran the job, and after a reload as before.
 */
export class Results {
  readonly #storage: StorageAdapter
  readonly #environment: Environment
  readonly #waiters = new Map<string, Set<Waiter>>()
  #stop: (() => void) | null = null
  #looking = false
  #lookAgain = false
  #closed: Error | null = null

  constructor(storage: StorageAdapter, environment: Environment) {
    this.#storage = storage
    this.#environment = environment
  }

  /** Rejects with the signal's reason when it aborts. */
  async wait(id: string, signal?: AbortSignal): Promise<JobResult> {
    signal?.throwIfAborted()
    const [job] = await this.#storage.get([id])
    const now = endOf(job ?? null)
    if (now !== null) return now
    signal?.throwIfAborted()
    if (this.#closed !== null) throw this.#closed
    return new Promise((resolve, reject) => {
      const abandon = (): void => {
        this.#forget(id, waiter)
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the reason is the caller's own
        reject(signal?.reason)
      }
      const settle =
        <Value>(how: (value: Value) => void) =>
        (value: Value): void => {
          signal?.removeEventListener('abort', abandon)
          how(value)
        }
      const waiter: Waiter = { resolve: settle(resolve), reject: settle(reject) }
      signal?.addEventListener('abort', abandon, { once: true })
      const waiters = this.#waiters.get(id)
      if (waiters === undefined) this.#waiters.set(id, new Set([waiter]))
      else waiters.add(waiter)
      this.#start()
      // It may have ended between the look above and the subscription.
      void this.#look()
    })
  }

  /** Whoever still waits is told so: a closed queue can give no answer. */
  close(error: Error): void {
    this.#closed = error
    this.#abandon(error)
  }

  #abandon(error: unknown): void {
    for (const waiters of this.#waiters.values()) for (const { reject } of waiters) reject(error)
    this.#waiters.clear()
    this.#rest()
  }

  #rest(): void {
    this.#stop?.()
    this.#stop = null
  }

  #start(): void {
    if (this.#stop !== null) return
    const unsubscribe = this.#storage.notifier?.subscribe((hint) => this.#heard(hint))
    let cancel = (): void => undefined
    const poll = (): void => {
      cancel = this.#environment.startTimer(poll, POLL, false)
      void this.#look()
    }
    cancel = this.#environment.startTimer(poll, POLL, false)
    this.#stop = () => {
      unsubscribe?.()
      cancel()
    }
  }

  #heard({ changes, gap }: Hint): void {
    if (gap || changes.some(({ id, kind }) => this.#waiters.has(id) && kind !== 'started' && kind !== 'updated'))
      void this.#look()
  }

  async #look(): Promise<void> {
    this.#lookAgain = true
    if (this.#looking) return
    this.#looking = true
    while (this.#lookAgain) {
      this.#lookAgain = false
      const ids = [...this.#waiters.keys()]
      try {
        const jobs = await this.#storage.get(ids)
        for (const [at, id] of ids.entries()) this.#answer(id, endOf(jobs[at] ?? null))
      } catch (error) {
        // While the storage is away nothing is known; the next poll asks again. One that was closed does not come back.
        if (HoldfastError.is(error, 'HOLDFAST_STORAGE_CLOSED')) this.#abandon(error)
      }
    }
    this.#looking = false
    if (this.#waiters.size === 0) this.#rest()
  }

  #answer(id: string, end: JobResult | null): void {
    if (end === null) return
    for (const { resolve } of this.#waiters.get(id) ?? []) resolve(end)
    this.#waiters.delete(id)
  }

  #forget(id: string, waiter: Waiter): void {
    const waiters = this.#waiters.get(id)
    waiters?.delete(waiter)
    if (waiters?.size === 0) this.#waiters.delete(id)
    if (this.#waiters.size === 0) this.#rest()
  }
}

function endOf(job: JobRecord | null): JobResult | null {
  switch (job?.state) {
    case undefined:
      return { status: 'unknown' }
    case 'completed':
      return { status: 'completed', result: job.result }
    case 'failed':
      return { status: 'failed', error: job.error ?? { name: 'Error', message: '' } }
    case 'cancelled':
      return { status: 'cancelled', reason: job.cancelRequested ?? '' }
    default:
      return null
  }
}
