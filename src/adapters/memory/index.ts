import type { StorageAdapter } from '../../core/storage/contract.ts'
import { MemoryStorage } from '../../core/storage/memory-storage.ts'

/**
 * A storage in memory, for tests, for work that may be lost with the process, and as the reference of what every
 * storage does. Its jobs live as long as the returned object: closing and opening it again keeps them.
 *
 * `traits.durable` is false: an acknowledged enqueue does not survive the end of the process.
 */
export function memory(): StorageAdapter {
  return new MemoryStorage({ name: 'memory', payload: 'structured-clone' })
}
