import type { IDBPObjectStore } from 'idb'
import { HEADS, readHead } from './heads.ts'
import { quiet, quietly, together } from './quiet.ts'
import type { Handle, Schema, SnapshotHead } from './schema.ts'

/**
 * Bytes. Above the 64 KiB from which Chromium keeps a value in a file of its own, so that deleting it makes room at once;
 * the other engines use the pages of a deleted value again. The outcomes of some hundred jobs.
 */
const SIZE = 256 * 1024

/**
 * Room that is given up when the browser gives no more, so that jobs can still be ended and the log be shortened; new
 * work waits until it is back. [tests/browser/indexeddb-failures.test.ts] [tests/browser/pages/quota.chromium.test.ts]
 */
export const reserve = {
  /** Gives it up, and with it what no table needs: what a snapshot contains already, and unfinished snapshots. */
  async release(handle: Handle): Promise<void> {
    const transaction = quiet(handle.transaction(['$meta', 'snapshot', 'log'], 'readwrite', { durability: 'relaxed' }))
    const snapshot = transaction.objectStore('snapshot')
    const [head, keys] = await together<[SnapshotHead | null, string[]]>(
      () => readHead(snapshot),
      () => snapshot.getAllKeys(),
    )
    quietly(transaction.objectStore('$meta').delete('reserve'))
    if (head !== null) {
      const own = `${head.generation}/`
      for (const key of keys) if (!HEADS.includes(key) && !key.startsWith(own)) quietly(snapshot.delete(key))
      // The record at the head's position stays: by it a table that stands there knows that nothing is gone.
      if (head.position > 1) quietly(transaction.objectStore('log').delete(IDBKeyRange.upperBound(head.position, true)))
    }
    await transaction.done
  },

  /** Rejects when there is no room for it. Writes nothing when it is there. */
  async restore(handle: Handle): Promise<void> {
    if ((await quiet(handle.transaction('$meta')).store.getKey('reserve')) !== undefined) return
    await inMeta(handle, (store) => store.put(noise(), 'reserve'))
  },

  /** Rejects when there is not as much room again beside it. */
  async probe(handle: Handle): Promise<void> {
    await inMeta(handle, (store) => store.put(noise(), 'probe'))
    await inMeta(handle, (store) => store.delete('probe'))
  },
}

type Meta = IDBPObjectStore<Schema, ['$meta'], '$meta', 'readwrite'>

async function inMeta(handle: Handle, request: (store: Meta) => Promise<unknown>): Promise<void> {
  const transaction = quiet(handle.transaction('$meta', 'readwrite', { durability: 'relaxed' }))
  quietly(request(transaction.store))
  await transaction.done
}

/** Browsers compress what they store: bytes that all look alike would reserve nothing. */
function noise(): Uint8Array {
  const bytes = new Uint8Array(SIZE)
  // The most that it gives at once.
  const most = 64 * 1024
  for (let at = 0; at < SIZE; at += most) crypto.getRandomValues(bytes.subarray(at, at + most))
  return bytes
}
