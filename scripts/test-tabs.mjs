/**
 * The proofs on tabs and browsers that take too long for `npm test`: the same tests, with HOLDFAST_LONG=1, and what they
 * say of themselves as the whole output. In the engines that are named. Run by `npm run test:long`.
 */
import { join } from 'node:path'
import { exit, root, run } from './bootstrap.mjs'
import { installMissing } from './browser-packages.mjs'
import { engines as all, versionOf } from './engines.mjs'

const engines = all.filter((engine) => process.argv.includes(engine))

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
    ...['torment', 'acknowledged', 'torn', 'elsewhere', 'policy'].map((name) => `tests/browser/pages/${name}`),
  ]).catch(exit)
  if (exitCode !== 0) process.exitCode = 1
}
