/**
 * `npm run test:long`: what takes too long for `npm test`. The output of each goes to docs/evidence/, where it stays until
 * the next run; a proof that fails is written down as well. With arguments only the named ones run, where `tabs` names all
 * that begin so.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { bootstrap, exit, root, run, say } from './bootstrap.mjs'

/** @type {Record<string, { command: string[], minutes: number, env?: Record<string, string> }>} */
const proofs = {
  torture: { command: ['torture/main.mjs', '--seconds', '600', '--processes', '8'], minutes: 11 },
  mutants: { command: ['tests/mutants/main.mjs'], minutes: 9 },
  'tabs-chromium': { command: ['scripts/test-tabs.mjs', 'chromium'], minutes: 6 },
  'tabs-firefox': { command: ['scripts/test-tabs.mjs', 'firefox'], minutes: 5 },
  'busy-thread': {
    command: [
      ...['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit', '--reporter', 'scripts/plain-reporter.mjs'],
      'tests/runtimes/busy-thread.test.ts',
    ],
    minutes: 3,
    env: { HOLDFAST_LONG: '1' },
  },
  bench: { command: ['bench/main.mjs'], minutes: 10 },
}

const words = process.argv.slice(2)
const isNamed = (/** @type {string} */ name, /** @type {string} */ word) => name === word || name.startsWith(`${word}-`)
const unknown = words.filter((word) => !Object.keys(proofs).some((name) => isNamed(name, word)))
if (unknown.length > 0) {
  console.error(`holdfast: no such proof: ${unknown.join(', ')}. There are: ${Object.keys(proofs).join(', ')}`)
  process.exit(2)
}

await bootstrap().catch(exit)
const folder = join(root, 'docs', 'evidence')
mkdirSync(folder, { recursive: true })
for (const [name, { command, minutes, env = {} }] of Object.entries(proofs)) {
  if (words.length > 0 && !words.some((word) => isNamed(name, word))) continue
  say(`${name}: about ${minutes} minutes`)
  const { exitCode, output } = await run([process.execPath, ...command], { quiet: true, env }).catch(exit)
  console.log(output)
  const head = `node ${command.join(' ')}\nNode ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}, exit code ${exitCode}`
  writeFileSync(join(folder, `${name}.txt`), `${head}\n\n${output}`)
  if (exitCode !== 0) process.exitCode = 1
}
