/**
 * Runs the kit, or the one case that is named, on the storages in memory and writes a line of JSON per failure, then
 * `done`. Bundled with a patch and started by `mutated-kit.mjs`.
 */
import { writeSync } from 'node:fs'
import { conformance } from '../../src/testing/index.ts'
import { memoryTarget, sharedTarget, slow } from '../core/kit-targets.ts'

/** Turns of the event loop: a broken storage may never answer. Time would run out for a sound one on a busy machine. */
const PATIENCE = 50_000

const only = process.argv[2]

for (const target of [memoryTarget, sharedTarget('a shared log'), sharedTarget('a slow log', slow)]) {
  for (const { name, skip, run } of conformance(target)) {
    // A slow log is another one only where two handles write at the same time.
    if (target.name === 'a slow log' && !name.endsWith('(two handles)')) continue
    const sentence = name.replace(/ \([^(]*\)$/, '')
    if (skip !== null || (only !== undefined && sentence !== only)) continue
    const failure = await failureOf(run)
    if (failure !== null) say({ case: sentence, failure: failure.slice(0, 300) })
  }
}
say('done')
process.exit()

async function failureOf(run: () => Promise<void>): Promise<string | null> {
  const answers: (string | null)[] = []
  void run().then(
    () => answers.push(null),
    (error: unknown) => answers.push(String(error)),
  )
  for (let turn = 0; answers.length === 0 && turn < PATIENCE; turn++)
    await new Promise((resolve) => setImmediate(resolve))
  const [failure = 'no answer'] = answers
  return failure
}

/** Synchronous, so that nothing is lost when the process is killed. */
function say(line: unknown): void {
  writeSync(1, `${JSON.stringify(line)}\n`)
}
