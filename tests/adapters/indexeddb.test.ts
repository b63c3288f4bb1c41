import 'fake-indexeddb/auto'
import { setTimeout as sleep } from 'node:timers/promises'
import { indexedDb } from '../../src/adapters/indexeddb/index.ts'
import type { StorageUnderTest } from '../../src/testing/index.ts'
import { keepsTheContract } from '../core/kit.ts'

let databases = 0

/** On an emulation: for the logic alone. The real engines run the same kit in tests/browser. */
function target(name: string, snapshotAfter: number): StorageUnderTest {
  return {
    name,
    offers: ['two handles'],
    pause: () => sleep(5),
    async create() {
      const database = `kit-${++databases}`
      return {
        handle: async () => indexedDb({ name: database, snapshotAfter }),
        destroy: async () => void indexedDB.deleteDatabase(database),
      }
    },
  }
}

keepsTheContract(target('indexeddb', 4000))
keepsTheContract(target('indexeddb that makes snapshots all the time', 1))
