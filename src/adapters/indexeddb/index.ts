import type { StorageAdapter, StorageTraits } from '../../core/storage/contract.ts'
import { LoggedStorage } from '../../core/storage/logged-storage.ts'
import { FallbackLog } from './fallback-log.ts'
import { BroadcastHints } from './hints.ts'
import { IndexedDbLog } from './log.ts'
import { watchStorageOfPage } from './page-storage.ts'
import { checkedOptions, type IndexedDbOptions } from './options.ts'
import { type Platform, thisPlatform } from './platform.ts'
import { WebLockPresence } from './presence.ts'

export type { Durability, IndexedDbOptions } from './options.ts'

/** Between looks at what other tabs wrote, ms. */
const POLL = 1000

const IN_DATABASE: StorageTraits = /* @__PURE__ */ Object.freeze({
  durable: true,
  scope: 'origin',
  payload: 'structured-clone',
  transactions: false,
})

const IN_MEMORY: StorageTraits = /* @__PURE__ */ Object.freeze({ ...IN_DATABASE, durable: false, scope: 'instance' })

const WITHOUT_BLOBS: StorageTraits = /* @__PURE__ */ Object.freeze({ ...IN_DATABASE, blobs: false })

/**
 * Jobs in the browser's own database, shared by all tabs, workers and service workers of an origin. There is no leader
 * among them: each may enqueue and execute. An acknowledged write survives the end of the tab and of the browser and,
 * by default, a power cut.
 *
 * @throws HoldfastError `HOLDFAST_INVALID_OPTION` at once; what is wrong with the database when the queue is opened
 */
export function indexedDb(options: IndexedDbOptions = {}): StorageAdapter {
  const { factory, fallback, ...rest } = checkedOptions(options)
  const { name } = rest
  const platform = thisPlatform()
  const writer = randomName()
  const inDatabase = new IndexedDbLog({
    presence: new WebLockPresence({ database: name, writer, platform }),
    ...rest,
    writer,
    poll: POLL,
    factory: () => factory ?? platform.indexedDB,
    newIdentity: randomName,
    openSignal: () => openHints(name, platform),
    watchPage: (page) => watchStorageOfPage(platform, page),
    browserStorage: () => platform.navigator?.storage,
  })
  const log = fallback === 'memory' ? new FallbackLog(inDatabase) : inDatabase
  const traits = (): StorageTraits => {
    if (log instanceof FallbackLog && log.isInMemory) return IN_MEMORY
    return inDatabase.keepsBlobs ? IN_DATABASE : WITHOUT_BLOBS
  }
  return new LoggedStorage({ name: 'indexeddb', traits, log, writer })
}

function openHints(database: string, platform: Platform): BroadcastHints {
  const hints = new BroadcastHints({ database, platform })
  hints.open()
  return hints
}

/** 72 bits. `crypto.randomUUID` is missing on insecure origins, `getRandomValues` is everywhere. */
function randomName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(36).padStart(2, '0')).join('')
}
