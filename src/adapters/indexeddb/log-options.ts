import type { Presence } from '../../core/storage/log.ts'
import type { BrowserStorage } from './browser-storage.ts'
import type { DatabaseOptions } from './database.ts'

/** What tells other tabs that the log has grown: a hint, which may be lost. */
export interface Signal {
  tell(): void
  /** Returns what ends it. */
  listen(listener: () => void): () => void
  close(): void
}

export interface PageWatcher {
  /** The page may stand still from now on. */
  left(): void
  /** It goes on, or is shown again: the browser may have taken its connections meanwhile. */
  back(): void
}

export interface IndexedDbLogOptions extends Omit<DatabaseOptions, 'onLost' | 'onBlocked'> {
  readonly writer: string
  /** How durable what has to survive a power cut is asked to be, the rest being among it, and the rest alone. */
  readonly durability: { readonly durable: IDBTransactionDurability; readonly append: IDBTransactionDurability }
  /** Made at each opening; nothing where the platform has no such thing. */
  readonly openSignal: () => Signal | undefined
  readonly presence?: Presence & { open(): Promise<void>; close(): Promise<void> }
  readonly watchPage: (page: PageWatcher) => () => void
  readonly browserStorage: () => BrowserStorage | undefined
  /** Between looks at the end of the log, ms. */
  readonly poll: number
  /** Changes in the log that make a snapshot worth its writing. */
  readonly snapshotAfter: number
}
