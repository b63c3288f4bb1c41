import type { CancelTimer, Environment } from './environment.ts'
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
  wait(id: string, signal?: AbortSignal): Promise<JobResult> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      const abandon = (): void => {
        this.#end(id, [waiter])
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the reason is the caller's own
        reject(signal?.reason)
      }
      const waiter: Waiter = {
        resolve: (result) => {
          signal?.removeEventListener('abort', abandon)
          resolve(result)
        },
        reject,
      }
      signal?.addEventListener('abort', abandon, { once: true })
      this.#waiters.set(id, (this.#waiters.get(id) ?? new Set()).add(waiter))
      this.#start()
      void this.#look([id])
    })
  }

  /** Whoever still waits is told so: a closed queue can give no answer. */
  close(error: Error): void {
    for (const [id, waiters] of this.#waiters) {
      for (const { reject } of waiters) reject(error)
      this.#end(id, waiters)
    }
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
      void this.#look([...this.#waiters.keys()])
    }
    sleep()
    this.#stop = () => {
      unsubscribe?.()
      cancel()
    }
  }

  #heard({ changes, gap }: Hint): void {
    const ended = changes.filter(({ id, kind }) => this.#waiters.has(id) && kind !== 'started' && kind !== 'updated')
    void this.#look(gap ? [...this.#waiters.keys()] : ended.map(({ id }) => id))
  }

  async #look(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    // While the storage is away nothing is known; the next poll asks again.
    const jobs = await this.#storage.get(ids).catch(() => [])
    for (const [at, job] of jobs.entries()) {
      const end = endOf(job)
      const id = ids[at] as string
      const waiters = this.#waiters.get(id)
      if (end === null || waiters === undefined) continue
      for (const { resolve } of waiters) resolve(end)
      this.#end(id, waiters)
    }
  }

  /** Forgets who waited, and goes to sleep when nobody is left. */
  #end(id: string, ended: Iterable<Waiter>): void {
    const waiters = this.#waiters.get(id)
    for (const waiter of ended) waiters?.delete(waiter)
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
