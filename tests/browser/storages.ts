import { indexedDb } from '../../src/adapters/indexeddb/index.ts'
import type { StorageAdapter } from '../../src/core/storage/contract.ts'
import type { StorageUnderTest } from '../../src/testing/index.ts'

const agent = typeof navigator === 'undefined' ? '' : navigator.userAgent
export const isWebKit: boolean = agent.includes('AppleWebKit') && !agent.includes('Chrome')

const isEmulated = typeof document === 'undefined'

const BLOBS = [
  'structured: a payload comes back equal: a Blob and what it holds',
  'structured: an id tells payloads apart: the size of a Blob',
  'structured: an id tells payloads apart: the type of a Blob',
  'structured: an id tells payloads apart: the name of a File',
  'structured: an id tells payloads apart: the date of a File',
]
const FILES = [
  'structured: a payload comes back equal: a File and what it holds',
  'structured: a payload comes back equal: Blobs and Files in Maps, lists and objects',
]

function skipped(): Readonly<Record<string, string>> {
  const each = (cases: readonly string[], reason: string) => Object.fromEntries(cases.map((name) => [name, reason]))
  if (isWebKit)
    return each([...BLOBS, ...FILES], 'WebKitGTK keeps no Blobs in the private window that its driver opens')
  return isEmulated
    ? each(FILES, 'The emulation stores by the structured clone of Node, which makes a Blob of a File')
    : {}
}

/**
 * The storages that the kit runs on: in each engine its database, on the emulation in Node one that makes snapshots all
 * the time, since what crosses a snapshot in nearly every case is a question of logic, not of engines. Memory is the same
 * table as the database's, and the business of other files.
 */
export const storages: readonly StorageUnderTest[] = isEmulated
  ? [inDatabases('indexeddb that makes snapshots all the time', (name) => indexedDb({ name, snapshotAfter: 1 }))]
  : [inDatabases('indexeddb', (name) => indexedDb({ name }))]

/** A storage that keeps its jobs in an IndexedDB database: each case gets a fresh one, by its name. */
export function inDatabases(name: string, open: (database: string) => StorageAdapter): StorageUnderTest {
  return {
    name,
    offers: ['two handles', 'structured-clone'],
    skip: skipped(),
    // Tasks, not microtasks: what another handle wrote is seen only when a transaction has read it, which a busy machine
    // may not get to for seconds.
    pause: (reads) => new Promise((resolve) => setTimeout(resolve, reads)),
    create: async () => {
      const database = `kit-${crypto.randomUUID()}`
      return { handle: async () => open(database), destroy: () => deleted(database) }
    },
  }
}

/** How long a handle may take to let go of its database, in ms. */
const PATIENCE = 10_000

function deleted(database: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(database)
    request.onsuccess = () => resolve()
    request.onerror = () => reject(request.error ?? new Error(`${database} was not deleted`))
    // A browser may hear of a deletion before it hears that the last connection was closed; then it only takes longer.
    request.onblocked = () =>
      setTimeout(() => reject(new Error(`${database} is still open: a handle was not closed`)), PATIENCE)
  })
}
