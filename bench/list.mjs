// Lists of 100,000 jobs, each first page of 50: by status with few and with many such jobs, newest first; by other orders
// and by the payload, where there is no bound on what it costs. The first list of a kind makes the order it needs.
import { memory } from 'holdfast/memory'
import { nodeFs } from 'holdfast/node-fs'
import { listed, NOW, timed, told } from './listing.mjs'
import { inFolder } from './node-fs-place.mjs'
import { report } from './work.mjs'

const OTHERS = {
  'of a type': [{ type: { eq: 'type-3' } }],
  'by two fields': [
    {},
    [
      { path: ['priority'], direction: 'desc' },
      { path: ['runAt'], direction: 'asc' },
    ],
  ],
  'by a payload few jobs have': [{ payload: { n: { eq: 999 } }, createdAt: { lt: NOW + 3000 } }],
  'by a payload no job has': [{ payload: { n: { eq: -1 } } }],
}

const inMemory = memory()
const rows = await listed('memory', inMemory)
for (const [name, [where, orderBy]] of Object.entries(OTHERS))
  rows.push({ what: `memory: the same, ${name}`, result: told(await timed(inMemory, where, orderBy)) })
await inMemory.close()

await inFolder(async (directory) => {
  const storage = nodeFs({ directory })
  rows.push(...(await listed('node-fs', storage)))
  await storage.close()
})
report(rows)
