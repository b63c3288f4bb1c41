import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { quickFolder } from '../../scripts/quick-folder.mjs'
import { nodeFs } from '../../src/adapters/node-fs/index.ts'
import type { StorageUnderTest } from '../../src/testing/index.ts'
import { keepsTheContract } from '../core/kit.ts'

/** A folder of the machine; `rollAt` so small that most cases cross several rolls. */
function target(name: string, rollAt: number): StorageUnderTest {
  return {
    name,
    offers: ['two handles'],
    pause: () => sleep(5),
    async create() {
      const directory = await mkdtemp(join(quickFolder(), 'holdfast-kit-'))
      return {
        handle: async () => nodeFs({ directory, rollAt, durability: 'process' }),
        destroy: () => rm(directory, { recursive: true, force: true }),
      }
    },
  }
}

keepsTheContract(target('node-fs', 4 * 1024 * 1024))
keepsTheContract(target('node-fs that rolls all the time', 1))
