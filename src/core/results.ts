import { onAbort } from './abort-listeners.ts'
import type { CancelTimer, Environment } from './environment.ts'
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

  constructor(storage: StorageAdapter, environment: Environment) {
    this.#storage = storage
    this.#environment = environment
  }

  /** Rejects with the signal's reason when it aborts. */
  async wait(id: string, signal?: AbortSignal): Promise<JobResult> {
    signal?.throwIfAborted()
    let forget = (): void => undefined
    try {
      return await new Promise((resolve, reject) => {
        const waiter = { resolve, reject }
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the reason is the caller's own
        const ignore = onAbort(signal, () => reject(signal?.reason))
        this.#waiters.set(id, (this.#waiters.get(id) ?? new Set()).add(waiter))
        this.#start()
        forget = () => {
          ignore()
          this.#forget(id, waiter)
        }
        this.#look([id])
      })
    } finally {
      forget()
    }
  }

  /** Whoever still waits is told so: a closed queue can give no answer. */
  close(error: unknown): void {
    for (const waiters of this.#waiters.values()) for (const { reject } of waiters) reject(error)
  }

  #start(): void {
    if (this.#stop !== null) return
    const unsubscribe = this.#storage.notifier?.subscribe((hint) => this.#heard(hint))
    let cancel: CancelTimer
    const sleep = (): void => {
      cancel = this.#environment.startTimer(poll, POLL, false)
    }
    const poll = (): void => {
      sleep()
      this.#look([...this.#waiters.keys()])
    }
    sleep()
    this.#stop = () => {
      unsubscribe?.()
      cancel()
    }
  }

  #heard({ changes, gap }: Hint): void {
    const ended = changes.filter(({ id, kind }) => this.#waiters.has(id) && kind !== 'started' && kind !== 'updated')
    this.#look(gap ? [...this.#waiters.keys()] : ended.map(({ id }) => id))
  }

  /** While the storage is away nothing is known; the next poll asks again. One that was closed does not come back. */
  #look(ids: readonly string[]): void {
    if (ids.length === 0) return
    this.#settle(ids).catch((error: unknown) => {
      if (HoldfastError.is(error, 'HOLDFAST_STORAGE_CLOSED')) this.close(error)
    })
  }

  async #settle(ids: readonly string[]): Promise<void> {
    for (const [at, job] of (await this.#storage.get(ids)).entries()) {
      const end = endOf(job)
      if (end !== null) for (const { resolve } of this.#waiters.get(ids[at] as string) ?? []) resolve(end)
    }
  }

  /** Goes to sleep when nobody is left. */
  #forget(id: string, waiter: Waiter): void {
    const waiters = this.#waiters.get(id)
    waiters?.delete(waiter)
    if (waiters?.size === 0) this.#waiters.delete(id)
    if (this.#waiters.size > 0) return
    this.#stop?.()
    this.#stop = null
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
