import { describe, expect, test } from 'vitest'
import { cases } from '../../src/testing/index.ts'
import { mutants } from './mutants.mjs'
import { runKit } from './mutated-kit.mjs'

/** Bundling and starting a process take real time. ms */
const PATIENCE = 60_000

test('every mutant has a name and a case of its own', () => {
  expect(mutants.length).toBeGreaterThanOrEqual(20)
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length)
  expect(new Set(mutants.map(({ caughtBy }) => caughtBy)).size).toBe(mutants.length)
})

test('every case that is to catch a mutant exists', () => {
  const sentences = cases.map(({ area, name }) => `${area}: ${name}`)
  expect(mutants.map(({ caughtBy }) => caughtBy).filter((sentence) => !sentences.includes(sentence))).toEqual([])
})

test(
  'the bundled kit passes on the code as it is',
  async () => expect(await runKit(null)).toEqual({ failed: new Set(), finished: true }),
  PATIENCE,
)

// Each runs its own case only; `npm run mutants` runs the whole kit on each and prints the table.
describe.concurrent('a deliberate bug turns its case red', () => {
  test.each(mutants)(
    '$name',
    async (mutant) => {
      const { failed } = await runKit(mutant, mutant.caughtBy)
      expect([...failed]).toEqual([mutant.caughtBy])
    },
    PATIENCE,
  )
})
