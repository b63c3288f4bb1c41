import { thisPlatform } from '../../src/adapters/indexeddb/platform.ts'
import type { WebLockPresence } from '../../src/adapters/indexeddb/presence.ts'

const pause = (span: number): Promise<void> => new Promise((resolve) => thisPlatform().setTimeout(resolve, span))

/**
 * The name that a presence holds, once it does: its opening waits a second for it and no longer, in which a busy machine
 * may not have got to it.
 */
export async function nameOf(presence: WebLockPresence): Promise<unknown> {
  while (presence.self === undefined) await pause(5)
  return presence.self
}
