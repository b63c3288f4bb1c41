import { HoldfastError } from '../errors.ts'
import type { StorageHealth } from './contract.ts'
import type { Log, LogHealth } from './log.ts'
import type { Replica } from './replica.ts'

const NO_TROUBLE: LogHealth = { damaged: 0, problem: null }

/** How a storage over a log is, and who wants to know when that changes. [tests/browser/indexeddb-failures.test.ts] */
export class Condition {
  readonly #log: Log
  readonly #replica: Replica
  readonly #listeners = new Set<() => void>()
  #told: string

  constructor(log: Log, replica: Replica) {
    this.#log = log
    this.#replica = replica
    this.#told = said(this.health())
  }

  health(): StorageHealth {
    const { damaged, problem, degraded, isWeaker, resets } = this.#log.health?.() ?? NO_TROUBLE
    const cause = problem ?? this.#replica.problem ?? degraded ?? null
    const jobs = this.#replica.table.tables.jobs.size
    return { state: stateFor(cause, degraded), cause, damaged, jobs, weaker: isWeaker ?? false, resets: resets ?? 0 }
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Tells those that watch, if there is news. */
  publish(): void {
    if (this.#listeners.size === 0) return
    const now = said(this.health())
    if (now === this.#told) return
    this.#told = now
    for (const listener of this.#listeners) listener()
  }
}

function stateFor(cause: Error | null, degraded: Error | null | undefined): StorageHealth['state'] {
  if (cause === null) return 'ok'
  if (cause === degraded) return 'degraded'
  return HoldfastError.is(cause, 'HOLDFAST_STORAGE_NEWER') ? 'read-only' : 'failing'
}

/** What is news when it changes: not how many jobs there are, nor that another error has the same code. */
function said({ state, cause, damaged, weaker, resets }: StorageHealth): string {
  return [state, HoldfastError.is(cause) ? cause.code : cause?.name, damaged, weaker, resets].join()
}
