import { nameOf } from './failures.ts'
import { quiet } from './quiet.ts'
import type { Handle } from './schema.ts'

/**
 * Whether this window can store a Blob: private ones of WebKit cannot (seen in WebKitGTK 2.50). There a transaction that is
 * told to `commit()` completes without it, and one in which it is not the first request never ends and holds up the whole
 * database for as long as the page lives. So one is tried where it does no harm, alone and without `commit()`, and where
 * that fails the queue takes none. It stays, to be found at the next opening. [tests/browser/indexeddb-blobs.test.ts]
 */
export async function keepsBlobs(handle: Handle): Promise<boolean> {
  const { store } = quiet(handle.transaction('$meta', 'readwrite', { durability: 'relaxed' }))
  try {
    await store.put(new Blob(['kept']), 'blob')
    return true
  } catch (error) {
    // Anything else, a full disk for instance, says nothing about Blobs.
    return nameOf(error) !== 'UnknownError' && nameOf(error) !== 'DataCloneError'
  }
}
