// `npm run bench [-- NAME …]`, where `node-fs`, which is none of them, names all that begin so: each measurement runs in a
// process of its own, so that none inherits the heap of another, and prints one JSON line; this program runs them in turn
// and shows them beside the figure that is aimed at.
import { execFileSync } from 'node:child_process'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import Table from 'cli-table3'

const NAMES = [
  'drain',
  'latency',
  'claim',
  'blocked',
  'runners',
  'runners-chromium',
  'keyed',
  'serial',
  'rate',
  'weight',
  'list',
  'node-fs-enqueue',
  'node-fs-drain',
  'node-fs-latency',
  'node-fs-reopen',
  'node-fs-restart',
  'node-fs-idle',
  'node-fs-roll',
  'indexeddb-enqueue',
  'indexeddb-drain',
  'indexeddb-tabs',
  'indexeddb-size',
  'indexeddb-list',
]

const words = process.argv.slice(2)
if (words.includes('--help')) {
  console.log(`npm run bench [-- NAME …]\n\nMeasures all of these, or those that are named:\n\n  ${NAMES.join('\n  ')}`)
  process.exit()
}
const named = (/** @type {string} */ word) =>
  NAMES.includes(word) ? [word] : NAMES.filter((name) => name.startsWith(`${word}-`))
const unknown = words.filter((word) => named(word).length === 0)
if (unknown.length > 0) {
  console.error(`No such measurement: ${unknown.join(', ')}. There are: ${NAMES.join(', ')}`)
  process.exit(2)
}
const chosen = words.flatMap(named)

console.log(
  `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}; no-op handler, 300-byte payload`,
)
const table = new Table({ head: ['measurement', 'result', 'aim', ''], style: { head: [], border: [] } })
for (const name of chosen.length > 0 ? chosen : NAMES) {
  const program = fileURLToPath(new URL(`./${name}.mjs`, import.meta.url))
  // Some take minutes.
  console.error(`measuring ${name}`)
  const output = execFileSync(process.execPath, ['--expose-gc', program], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for (const { what, result, aim = '', met } of JSON.parse(output))
    table.push([what, result, aim, met === undefined ? '' : met ? 'met' : 'MISSED'])
}
console.log(table.toString())
