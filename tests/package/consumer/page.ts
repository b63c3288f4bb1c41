// Handlers in Web Workers, in a page that Vite has built.
import { openQueue } from 'holdfast'
import { webWorkers } from 'holdfast/browser'
import { memory } from 'holdfast/memory'
import { hang, square } from './jobs.js'

/** Where trusted types are required a page says which scripts it trusts: here, those that Vite has written into it. */
const { trustedTypes } = globalThis as { trustedTypes?: { createPolicy(name: string, rules: object): unknown } }
trustedTypes?.createPolicy('default', { createScriptURL: (url: string) => url })

export async function outcomes(): Promise<string> {
  const queue = await openQueue({ storage: memory(), jobs: [square, hang] })
  const runner = webWorkers({
    spawn: () => new Worker(new URL('./jobs.worker.ts', import.meta.url), { type: 'module' }),
    size: 1,
  })
  await queue.createExecutor({ runner, killGrace: 0 }).start()
  const endless = await queue.enqueue(hang, null)
  const job = await queue.enqueue(square, 12)
  const all = [await queue.result(endless.id), await queue.result(job.id)]
  await queue.close()
  return JSON.stringify(all)
}

Object.assign(globalThis, { page: { outcomes } })
