import { invalidOption, knownOptions } from '../../core/errors.ts'
import { isObject } from '../../core/storage/plain.ts'

/** `strict`: on the disk. `relaxed`: handed to the system, which may lose it when the power goes. */
export type Durability = 'strict' | 'relaxed'

export interface IndexedDbOptions {
  /** The database; pages and workers of one origin that open the same name share its jobs. Default `holdfast`. */
  readonly name?: string
  /**
   * What an acknowledged write survives. `strict` (default) asks the browser to have it on the disk first; `relaxed`
   * does not: faster on slow disks, and a power cut may take back what was acknowledged last. By kind: `writes` are
   * enqueues, outcomes and all that people do; `claims` are claims and heartbeats, `relaxed` unless asked for, since
   * losing one runs a job again at most. They share flushes, so `claims: 'strict'` makes the writes `strict` as well.
   * `queue.health()` tells when the browser does not honour it.
   */
  readonly durability?: Durability | { readonly writes?: Durability; readonly claims?: Durability }
  /**
   * How long the browser may take to open the database, or for one transaction, in ms. Default 10,000, at least 1. Some
   * never answer: then the connection is given up and another one opened.
   */
  readonly deadline?: number
  /**
   * `memory`: where the browser lets the page store nothing, keep the jobs in memory, for as long as the page lives, and
   * say so in `queue.health()`. Without it such a page gets `HOLDFAST_STORAGE_UNAVAILABLE`.
   */
  readonly fallback?: 'memory'
  /** In place of the page's own `indexedDB`. */
  readonly factory?: IDBFactory
  /** Changes after which the log is replaced by a snapshot, or twice its rows if that is more. Default 4,000. */
  readonly snapshotAfter?: number
}

export interface CheckedOptions {
  readonly name: string
  readonly durability: { readonly durable: Durability; readonly append: Durability }
  readonly deadline: number
  readonly fallback: 'memory' | undefined
  readonly factory: IDBFactory | undefined
  readonly snapshotAfter: number
}

const NAMES: readonly (keyof IndexedDbOptions)[] = [
  'name',
  'durability',
  'deadline',
  'fallback',
  'factory',
  'snapshotAfter',
]

/** @throws HoldfastError `HOLDFAST_INVALID_OPTION` */
export function checkedOptions(options: IndexedDbOptions): CheckedOptions {
  knownOptions('indexedDb', options, NAMES)
  const { name, durability, deadline, fallback, factory, snapshotAfter } = options as Readonly<Record<string, unknown>>
  if (name !== undefined && (typeof name !== 'string' || name === ''))
    throw invalidOption('name', 'the name of a database', name)
  if (fallback !== undefined && fallback !== 'memory') throw invalidOption('fallback', "'memory'", fallback)
  if (factory !== undefined && !(isObject(factory) && typeof factory['open'] === 'function'))
    throw invalidOption('factory', 'an IDBFactory', factory)
  return {
    name: name ?? 'holdfast',
    durability: durabilityOf(durability),
    deadline: wholeNumber('deadline', deadline) ?? 10_000,
    fallback,
    factory: factory as IDBFactory | undefined,
    snapshotAfter: wholeNumber('snapshotAfter', snapshotAfter) ?? 4000,
  }
}

function durabilityOf(value: unknown): CheckedOptions['durability'] {
  if (!isObject(value)) return { durable: strictOrRelaxed('durability', value) ?? 'strict', append: 'relaxed' }
  knownOptions('durability', value, ['writes', 'claims'])
  const writes = strictOrRelaxed('durability.writes', value['writes']) ?? 'strict'
  const append = strictOrRelaxed('durability.claims', value['claims']) ?? 'relaxed'
  return { durable: append === 'strict' ? append : writes, append }
}

function strictOrRelaxed(field: string, value: unknown): Durability | undefined {
  if (value === undefined || value === 'strict' || value === 'relaxed') return value
  throw invalidOption(field, "'strict' or 'relaxed'", value)
}

function wholeNumber(field: string, value: unknown): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= 1)) return value as number | undefined
  throw invalidOption(field, 'an integer from 1', value)
}
