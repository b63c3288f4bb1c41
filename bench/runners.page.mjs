// What ./runners-chromium.mjs does in a page.
import { openQueue } from 'holdfast'
import { webWorkers } from 'holdfast/browser'
import { memory } from 'holdfast/memory'
import { hanging } from './runners.hanging.mjs'
import { hang, noop } from './runners.jobs.mjs'

export async function measured(loops) {
  const queue = await openQueue({ storage: memory(), jobs: [noop, hang] })
  const runner = webWorkers({ spawn: () => new globalThis.Worker('/worker.js', { type: 'module' }), size: 2 })
  await queue.createExecutor({ runner, concurrency: 2, killGrace: 0 }).start()
  return hanging(queue, loops)
}
