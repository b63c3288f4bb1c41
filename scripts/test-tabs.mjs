/**
 * The proofs on tabs and browsers that take too long for `npm test`: the same tests, with HOLDFAST_LONG=1, and what they
 * say of themselves as the whole output. Run by `npm run test:long`.
 */
import { join } from 'node:path'
import { exit, root, run } from './bootstrap.mjs'
import { installMissing } from './browser-packages.mjs'
import { versionOf } from './engines.mjs'

/** @type {import('./engines.mjs').Engine[]} */
const engines = ['chromium', 'firefox']

const problem = await installMissing(engines)
if (problem !== null) {
  console.error(`holdfast: ${problem}`)
  process.exit(1)
}
process.env['HOLDFAST_LONG'] = '1'
for (const engine of engines) {
  console.log(`${engine} ${versionOf(engine)}`)
  const { exitCode } = await run([
    process.execPath,
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    ...['--project', `${engine}-pages`],
    ...['--reporter', join(root, 'scripts/plain-reporter.mjs')],
    ...['torment', 'acknowledged', 'elsewhere', 'policy'].map((name) => `tests/browser/pages/${name}`),
  ]).catch(exit)
  if (exitCode !== 0) process.exitCode = 1
}
