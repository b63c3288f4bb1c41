// What a job key costs at enqueue: new keys, and calls that replace a waiting job, against calls without a key, in turns.
// Each begins with as many keyed jobs waiting: a look-up takes longer the more jobs there are, with a key or without.
import { inFolder, openFolder } from './node-fs-place.mjs'
import { fill, openMemoryQueue, report, whole } from './work.mjs'

const JOBS = 50_000
const ROUNDS = 5
const AIM = 2

const keyed = (at) => ({ jobKey: `key-${at}` })

const calls = { plain: undefined, created: (at) => ({ jobKey: `new-${at}` }), replaced: keyed }

async function measure(queue, optionsOf) {
  await fill(queue, JOBS, keyed)
  globalThis.gc?.()
  const started = performance.now()
  await fill(queue, JOBS, optionsOf)
  const rate = (JOBS / (performance.now() - started)) * 1000
  await queue.close()
  return rate
}

const places = {
  memory: async (use) => use(await openMemoryQueue()),
  'node-fs': (use) => inFolder(async (folder) => use(await openFolder(folder))),
}

const rows = []
for (const [place, open] of Object.entries(places)) {
  const best = { plain: 0, created: 0, replaced: 0 }
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, optionsOf] of Object.entries(calls))
      best[name] = Math.max(best[name], await open((queue) => measure(queue, optionsOf)))
  for (const [name, what] of Object.entries({ created: 'new keys', replaced: 'keys of waiting jobs' })) {
    const cost = best.plain / best[name]
    rows.push({
      what: `${place}: enqueue with ${what}`,
      result: `${whole(best[name])} jobs/s, × ${cost.toFixed(2)} of the cost without (${whole(best.plain)})`,
      aim: `≤ × ${AIM}`,
      met: cost <= AIM,
    })
  }
}
report(rows)
