import { HoldfastError } from '../../core/errors.ts'
import type { Log, LogHealth, LogReplica, PayloadStore, Presence, Receipt, Reserve } from '../../core/storage/log.ts'
import type { StorageStatus } from '../../core/storage/contract.ts'
import { NoLog } from './no-log.ts'

/**
 * A log that keeps nothing where the page may not store anything: for users who would rather have jobs that live as long
 * as the page than none. `queue.health()` says so. [tests/browser/indexeddb-failures.test.ts]
 */
export class FallbackLog implements Log {
  readonly payloads: PayloadStore
  readonly #inner: Log
  #log: Log
  /** Why there is no other. */
  #reason: Error | null = null

  constructor(inner: Log) {
    this.#inner = inner
    this.#log = inner
    const above = (): number => (this.isInMemory ? Number.POSITIVE_INFINITY : (inner.payloads?.above ?? 0))
    this.payloads = {
      get above() {
        return above()
      },
      read: async (keys) => this.#log.payloads?.read(keys) ?? new Map(),
    }
  }

  get isInMemory(): boolean {
    return this.#reason !== null
  }

  get presence(): Presence | undefined {
    return this.#log.presence
  }

  get reserve(): Reserve | undefined {
    return this.#log.reserve
  }

  async open(replica: LogReplica): Promise<void> {
    // What was kept in memory stays there for as long as the page lives.
    if (!this.isInMemory) {
      try {
        await this.#inner.open(replica)
        return
      } catch (error) {
        if (!HoldfastError.is(error, 'HOLDFAST_STORAGE_UNAVAILABLE')) throw error
        this.#reason = error
        this.#log = new NoLog()
      }
    }
    await this.#log.open(replica)
  }

  close(): Promise<void> {
    return this.#log.close()
  }

  exchange(...exchange: Parameters<Log['exchange']>): Promise<Receipt> {
    return this.#log.exchange(...exchange)
  }

  watch(listener: () => void): () => void {
    return this.#log.watch(listener)
  }

  health(): LogHealth {
    const health = this.#log.health?.() ?? { damaged: 0, problem: null }
    return this.#reason === null ? health : { ...health, degraded: this.#reason }
  }

  watchHealth(listener: () => void): void {
    this.#inner.watchHealth?.(listener)
  }

  async status(): Promise<StorageStatus> {
    return (await this.#inner.status?.()) ?? { persisted: null, usage: null, quota: null }
  }

  async requestPersistence(): Promise<boolean | null> {
    return (await this.#inner.requestPersistence?.()) ?? null
  }
}
