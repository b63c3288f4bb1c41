import { thisPlatform } from '../../src/adapters/indexeddb/platform.ts'
import { WebLockPresence } from '../../src/adapters/indexeddb/presence.ts'
import { nameOf } from './presence-name.ts'

/** A worker that holds a name until it is terminated. It is told the database, and answers with the name. */
interface Self {
  onmessage: ((event: { readonly data: string }) => void) | null
  postMessage(message: unknown): void
}

const self = globalThis as unknown as Self

self.onmessage = ({ data: database }) => {
  const presence = new WebLockPresence({ database, writer: 'worker', platform: thisPlatform() })
  void presence
    .open()
    .then(() => nameOf(presence))
    .then((name) => self.postMessage(name))
}
