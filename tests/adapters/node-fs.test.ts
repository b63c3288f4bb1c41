import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { quickFolder } from '../../scripts/quick-folder.mjs'
import { nodeFs, type NodeFsOptions } from '../../src/adapters/node-fs/index.ts'
import type { StorageUnderTest } from '../../src/testing/index.ts'
import { keepsTheContract } from '../core/kit.ts'

/** A folder of the machine. */
function target(name: string, options: Pick<NodeFsOptions, 'rollAt' | 'durability'>): StorageUnderTest {
  return {
    name,
    offers: ['two handles'],
    pause: (reads) => sleep(reads),
    async create() {
      const directory = await mkdtemp(join(quickFolder(), 'holdfast-kit-'))
      return {
        handle: async () => nodeFs({ directory, ...options }),
        destroy: () => rm(directory, { recursive: true, force: true }),
      }
    },
  }
}

keepsTheContract(target('node-fs', {}))
keepsTheContract(target('node-fs that rolls all the time', { rollAt: 1, durability: 'process' }))
