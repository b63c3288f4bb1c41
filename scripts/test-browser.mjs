/**
 * `npm run test:browser`: the tests in browsers alone, in all engines or in those named by `--engine`. All other
 * arguments go to Vitest: `npm run test:browser -- --engine firefox tests/browser/kit -t claim`.
 */
import { bootstrap } from './bootstrap.mjs'
import { browserTests } from './browser-tests.mjs'
import { engines } from './engines.mjs'
import { step, testRun } from './test-steps.mjs'

/** @type {string[]} */
const named = []
/** @type {string[]} */
const others = []
const words = process.argv.slice(2)
for (let word = words.shift(); word !== undefined; word = words.shift()) {
  if (word === '--engine') named.push(words.shift() ?? '')
  else if (word.startsWith('--engine=')) named.push(word.slice('--engine='.length))
  else others.push(word)
}

const unknown = named.filter((name) => !engines.some((engine) => engine === name))
if (unknown.length > 0) {
  console.error(`holdfast: no such engine: ${unknown.join(', ') || '(none named)'}. There are: ${engines.join(', ')}`)
  process.exit(2)
}
const selection = engines.filter((engine) => named.length === 0 || named.includes(engine))

await testRun(async () => {
  await bootstrap()
  await step('browser tests', () => browserTests(selection, others))
})
