/**
 * Runs the cases of the crash sweep whose names begin with what is given (default: all), and writes a line of JSON per
 * case that fails, then `done`. Bundled with a patch and started by `mutated-kit.mjs`.
 */
import { writeSync } from 'node:fs'
import { crashCases, killCases } from '../adapters/node-fs-crash/cases.ts'

/** Real time: a broken storage may never answer. ms */
const PATIENCE = 50_000

const [only] = process.argv.slice(2)
// What a broken storage leaves behind is not what is looked for.
process.on('unhandledRejection', () => undefined)
process.on('uncaughtException', () => undefined)

for (const { name, run } of [...crashCases, ...(only === undefined ? [] : killCases)]) {
  if (only !== undefined && !name.startsWith(only)) continue
  const [failure] = await Promise.race([run().then(({ problems }) => problems, describe), late()])
  if (failure !== undefined) say({ case: name, failure: failure.slice(0, 300) })
}
say('done')
process.exit()

function late(): Promise<readonly string[]> {
  return new Promise((resolve) => setTimeout(resolve, PATIENCE, ['no answer']).unref())
}

function describe(error: unknown): readonly string[] {
  return [String(error)]
}

/** Synchronous, so that nothing is lost when the process is killed. */
function say(line: unknown): void {
  writeSync(1, `${JSON.stringify(line)}\n`)
}
