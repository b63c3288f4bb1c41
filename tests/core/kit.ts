import { describe, test } from 'vitest'
import { conformance, type StorageUnderTest } from '../../src/testing/index.ts'

/** Registers the whole conformance kit for one storage, a test per run. What it cannot run is skipped with the reason. */
export function keepsTheContract(target: StorageUnderTest): void {
  describe(`${target.name} keeps the contract`, () => {
    for (const { name, skip, run } of conformance(target)) {
      test(name, async (context) => {
        if (skip !== null) context.skip(skip)
        await run()
      })
    }
  })
}
