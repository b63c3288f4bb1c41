import type { StorageAdapter } from '../../core/storage/contract.ts'
import { LoggedStorage } from '../../core/storage/logged-storage.ts'
import { NoLog } from '../../core/storage/no-log.ts'

/**
 * A storage in memory, for tests, for work that may be lost with the process, and as the reference of what every
 * storage does. Its jobs live as long as the returned object: closing and opening it again keeps them.
 *
 * `traits.durable` is false: an acknowledged enqueue does not survive the end of the process.
 */
export function memory(): StorageAdapter {
  return new LoggedStorage({
    name: 'memory',
    traits: { durable: false, scope: 'instance', payload: 'structured-clone', transactions: false },
    log: new NoLog(),
    writer: 'memory',
  })
}
