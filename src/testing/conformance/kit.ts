import type { StorageAdapter } from '../../core/storage/contract.ts'
import type { Site } from './site.ts'

/** What a case or a mode needs of a storage beyond the contract. */
export type Need = 'two handles' | 'structured-clone'
export const NEEDS: readonly Need[] = ['two handles', 'structured-clone']

/** Makes unique, isolated storages. */
export interface StorageUnderTest {
  readonly name: string
  /** What the storage has of the needs. A run that needs something else is skipped with that reason. Default: nothing. */
  readonly offers?: readonly Need[]
  /** Makes a storage nobody else uses. */
  create(): Promise<IsolatedStorage>
  /** Cases (`area: sentence`) this storage cannot run, each with the reason. */
  readonly skip?: Readonly<Record<string, string>>
  /**
   * Lets a handle catch up with another between two reads. Told how many reads of a check have shown too little, from 1 to
   * 200, so that it may wait longer each time. Default: a few turns of the microtask queue.
   */
  readonly pause?: (reads: number) => Promise<void>
}

export interface IsolatedStorage {
  /**
   * Makes a handle that is not open yet. Called again (only where `two handles` is offered) it makes another handle on
   * the same jobs. A storage that is not durable keeps its jobs from `close` to `open` of the same handle.
   */
  handle(): Promise<StorageAdapter>
  /** Called once, when all handles are closed. */
  destroy(): Promise<void>
}

/**
 * How the handle for each step of a case is chosen. `open`: always the same. `reopened`: closed and opened again before
 * each step. `two handles`: each write goes to the handle that did not do the last one, reads go to the other.
 */
export type Mode = 'open' | 'reopened' | 'two handles'
export const MODES: readonly Mode[] = ['open', 'reopened', 'two handles']

/** One guarantee. Resolves when the storage keeps it, throws when not. */
export interface ConformanceCase {
  readonly area: string
  /** The guarantee as a sentence. */
  readonly name: string
  readonly needs: readonly Need[]
  readonly run: (site: Site) => Promise<void>
}

/** One case in one mode on one storage: what a test runner registers as a test. */
export interface ConformanceRun {
  /** `area: sentence (mode)` */
  readonly name: string
  readonly needs: readonly Need[]
  /** Why the run must be skipped; `null` to run it. */
  readonly skip: string | null
  readonly run: () => Promise<void>
}

/** The cases of one area, written as sentence → proof. */
export function area(
  name: string,
  proofs: Readonly<Record<string, (site: Site) => Promise<void>>>,
  needs: readonly Need[] = [],
): readonly ConformanceCase[] {
  return Object.entries(proofs).map(([sentence, run]) => ({ area: name, name: sentence, needs, run }))
}
