// What a job key costs at enqueue: new keys, and calls that replace a waiting job, against calls without a key, in turns.
import { inFolder, openFolder } from './node-fs-place.mjs'
import { fill, openMemoryQueue, report, whole } from './work.mjs'

const JOBS = 50_000
const ROUNDS = 3
const AIM = 2

const keyed = (at) => ({ jobKey: `key-${at}` })

async function rate(queue, optionsOf) {
  const started = performance.now()
  await fill(queue, JOBS, optionsOf)
  return (JOBS / (performance.now() - started)) * 1000
}

async function measure(queue, best) {
  best.plain = Math.max(best.plain, await rate(queue))
  best.created = Math.max(best.created, await rate(queue, keyed))
  best.replaced = Math.max(best.replaced, await rate(queue, keyed))
  await queue.close()
  globalThis.gc?.()
}

const places = {
  memory: async (best) => measure(await openMemoryQueue(), best),
  'node-fs': (best) => inFolder(async (folder) => measure(await openFolder(folder), best)),
}

const rows = []
for (const [place, open] of Object.entries(places)) {
  const best = { plain: 0, created: 0, replaced: 0 }
  for (let round = 0; round < ROUNDS; round++) await open(best)
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
