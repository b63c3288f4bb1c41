// A page with handlers in Web Workers. ../../browser/pages/vite.chromium.test.ts serves it with Vite, and builds it.
import { openQueue } from 'holdfast'
import { webWorkers } from 'holdfast/browser'
import { memory } from 'holdfast/memory'
import { hang, square } from './jobs.js'

interface Policies {
  createPolicy(name: 'default', rules: { createScriptURL(url: string): string }): unknown
}

// A page that requires trusted types says which addresses of workers it trusts.
const { trustedTypes } = globalThis as unknown as { readonly trustedTypes: Policies }
trustedTypes.createPolicy('default', {
  createScriptURL: (url) => {
    if (new URL(url, location.href).origin === location.origin) return url
    throw new Error(`Not trusted: ${url}`)
  },
})

const violations: string[] = []
addEventListener('securitypolicyviolation', ({ effectiveDirective }) => violations.push(effectiveDirective))

const queue = await openQueue({ storage: memory(), jobs: [square, hang] })
const runner = webWorkers({
  spawn: () => new Worker(new URL('./jobs.worker.ts', import.meta.url), { type: 'module' }),
  size: 1,
})
await queue.createExecutor({ runner, killGrace: 0 }).start()
const endless = await queue.enqueue(hang, null)
const job = await queue.enqueue(square, 12)
const outcomes = [await queue.result(endless.id), await queue.result(job.id)]
await queue.close()
document.body.textContent = JSON.stringify({ outcomes, violations })
