/**
 * `npm run mutants [-- NAME…]`: puts deliberate bugs into the shipped code, one at a time, and runs the conformance kit
 * on each, or its case of the crash sweep. Says how far it is, and at the end which case caught which; exits 1 when one
 * survives, when its own case does not catch it, or when the code as it is fails.
 */
import { availableParallelism } from 'node:os'
import Table from 'cli-table3'
import { diskMutants } from './disk-mutants.mjs'
import { mutants } from './mutants.mjs'
import { runKit } from './mutated-kit.mjs'

const wanted = process.argv.slice(2)
const chosen = mutants.filter(isWanted)
const chosenOfDisk = diskMutants.filter(isWanted)
/** @type {string[]} */
const problems = []
let done = 0

const asItIs = await runKit(null)
for (const name of asItIs.failed) problems.push(`the code as it is fails: ${name}`)
if (!asItIs.finished) problems.push('the code as it is does not come to an end')

const rows = await inParallel(chosen, async (mutant) => {
  const { failed, finished } = await runKit(mutant).catch((error) => {
    problems.push(String(error))
    return { failed: new Set(), finished: false }
  })
  const caught = failed.has(mutant.caughtBy)
  if (failed.size === 0) problems.push(`the mutant "${mutant.name}" survives`)
  else if (!caught) problems.push(`the mutant "${mutant.name}" is not caught by: ${mutant.caughtBy}\n${list(failed)}`)
  sayHowFar(mutant, caught)
  return [mutant.name, `${failed.size}${finished ? '' : ' and more'}`, caught ? mutant.caughtBy : 'NOT by its case']
})

const SWEEP = 'crash-run.ts'
const rowsOfDisk = await inParallel(chosenOfDisk, async (mutant) => {
  const { failed } = await runKit(mutant, mutant.caughtBy, SWEEP)
  const { failed: seen } = await runKit(mutant, 'kills', SWEEP)
  const caught = failed.has(mutant.caughtBy)
  if (!caught) problems.push(`the mutant "${mutant.name}" is not caught by: ${mutant.caughtBy}`)
  if (seen.size > 0) problems.push(`killing processes shows the mutant "${mutant.name}" too:\n${list(seen)}`)
  sayHowFar(mutant, caught)
  return [mutant.name, seen.size === 0 ? 'none' : `${seen.size}`, caught ? mutant.caughtBy : 'NOT by its case']
})

const table = new Table({ head: ['mutant', 'cases that fail', 'caught by'], style: { head: [], border: [] } })
table.push(...rows)
console.log(table.toString())
const tableOfDisk = new Table({ head: ['mutant', 'seen by kills', 'caught by'], style: { head: [], border: [] } })
tableOfDisk.push(...rowsOfDisk)
console.log(tableOfDisk.toString())
for (const problem of problems) console.error(problem)
console.log(`${chosen.length + chosenOfDisk.length} mutants, ${problems.length} problems`)
process.exitCode = problems.length > 0 ? 1 : 0

/** @param {{ readonly name: string }} mutant @param {boolean} caught */
function sayHowFar({ name }, caught) {
  done += 1
  console.error(`${done} of ${chosen.length + chosenOfDisk.length}: ${caught ? 'caught' : 'NOT CAUGHT'}: ${name}`)
}

/** @param {{ readonly name: string }} mutant */
function isWanted({ name }) {
  return wanted.length === 0 || wanted.some((part) => name.includes(part))
}

/**
 * @template Item, Result
 * @param {readonly Item[]} items @param {(item: Item) => Promise<Result>} work
 */
async function inParallel(items, work) {
  /** @type {Result[]} */
  const results = []
  const queue = items.entries()
  const worker = async () => {
    for (const [at, item] of queue) results[at] = await work(item)
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  return results
}

/** @param {ReadonlySet<string>} names */
function list(names) {
  const some = [...names].slice(0, 14).map((name) => `    ${name}`)
  return names.size > some.length ? [...some, `    and ${names.size - some.length} more`].join('\n') : some.join('\n')
}
