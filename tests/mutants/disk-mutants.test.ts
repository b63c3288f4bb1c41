import { describe, expect, test } from 'vitest'
import { diskMutants } from './disk-mutants.mjs'
import { runKit } from './mutated-kit.mjs'

/** Bundling, starting a process and hundreds of runs take real time. ms */
const PATIENCE = 90_000

const SWEEP = 'crash-run.ts'

test('every mutant has a name of its own', () => {
  expect(new Set(diskMutants.map(({ name }) => name)).size).toBe(diskMutants.length)
})

test(
  'the bundled sweep passes on the code as it is',
  async () => expect(await runKit(null, 'sleepers', SWEEP)).toEqual({ failed: new Set(), finished: true }),
  PATIENCE,
)

describe('a deliberate bug turns its case red', () => {
  test.each(diskMutants)(
    '$name',
    async (mutant) => {
      const { failed } = await runKit(mutant, mutant.caughtBy, SWEEP)
      expect([...failed]).toContain(mutant.caughtBy)
    },
    PATIENCE,
  )
})

// `npm run mutants` runs all that kill processes on each; these two are what a torture test could never do without.
describe('and stays green where processes are only killed', () => {
  test.each(diskMutants.filter(({ name }) => name.startsWith('no sync')))(
    '$name',
    async (mutant) => expect((await runKit(mutant, 'kills: rolls', SWEEP)).failed).toEqual(new Set()),
    PATIENCE,
  )
})
