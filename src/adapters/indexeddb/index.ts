import type { StorageAdapter } from '../../core/storage/contract.ts'
import { LoggedStorage } from '../../core/storage/logged-storage.ts'
import { BroadcastHints } from './hints.ts'
import { IndexedDbLog } from './log.ts'
import { checkedOptions, type IndexedDbOptions } from './options.ts'
import { type Platform, thisPlatform } from './platform.ts'
import { WebLockPresence } from './presence.ts'

export type { Durability, IndexedDbOptions } from './options.ts'

/** Between looks at what other tabs wrote, ms. */
const POLL = 1000

/**
 * Jobs in the browser's own database, shared by all tabs, workers and service workers of an origin. There is no leader
 * among them: each may enqueue and execute. An acknowledged write survives the end of the tab and of the browser and,
 * by default, a power cut.
 *
 * @throws HoldfastError `HOLDFAST_INVALID_OPTION` at once; what is wrong with the database when the queue is opened
 */
export function indexedDb(options: IndexedDbOptions = {}): StorageAdapter {
  const { name, factory, ...rest } = checkedOptions(options)
  const writer = randomName()
  const platform = thisPlatform()
  const log = new IndexedDbLog({
    presence: new WebLockPresence({ database: name, writer, platform }),
    openSignal: () => openHints(name, platform),
    ...rest,
    name,
    writer,
    poll: POLL,
    factory: () => factory ?? (globalThis as { indexedDB?: IDBFactory }).indexedDB,
    newIdentity: randomName,
  })
  const traits = { durable: true, scope: 'origin', payload: 'structured-clone', transactions: false } as const
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
