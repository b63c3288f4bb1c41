import { expect, test } from 'vitest'
import { crashCases } from './node-fs-crash/cases.ts'
import { PERSISTENCE } from './node-fs-crash/sweep.ts'
import { workloads } from './node-fs-crash/workloads.ts'

/** Hundreds of runs each. ms */
const PATIENCE = 120_000

// What goes wrong is told with the call at which it did, and where the disk had a choice, with its seed.
test.each(crashCases)(
  '$name',
  async ({ run }) => {
    const { points, problems } = await run()
    expect(problems.slice(0, 20)).toEqual([])
    expect(points).toBeGreaterThan(0)
  },
  PATIENCE,
)

test('the sweep is as wide as it is meant to be', () => {
  expect(workloads.length).toBeGreaterThanOrEqual(12)
  expect(PERSISTENCE).toEqual(['lost', 'prefix', 'torn', 'reordered'])
})
