import { defineJob, openQueue } from 'holdfast'
import { webWorkers } from 'holdfast/browser'
import { indexedDb } from 'holdfast/indexeddb'
import { memory } from 'holdfast/memory'

export const greet = defineJob({ type: 'greet' })

/** What was forbidden here and tried all the same; told by the page or worker itself. */
const violations: string[] = []
addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => {
  violations.push(`${effectiveDirective}: ${blockedURI}`)
})

/** Runs a job on IndexedDB, with a snapshot, and answers its result. */
export async function greeting(name: string): Promise<string> {
  const queue = await openQueue({ storage: indexedDb({ name: `policy of ${name}`, snapshotAfter: 1 }), jobs: [greet] })
  const executor = queue.createExecutor({ handlers: [greet.handler(async (payload) => `Hello ${String(payload)}`)] })
  await executor.start()
  // The second one has a payload that goes into a chunk of its own.
  const [{ id } = { id: '' }] = await queue.enqueueMany([
    { job: greet, payload: name },
    { job: greet, payload: name.padEnd(50_000) },
  ])
  await queue.idle()
  const outcome = await queue.result(id)
  await queue.close()
  return outcome.status === 'completed' ? String(outcome.result) : outcome.status
}

/** The same in a Web Worker of `webWorkers`, which answers how often the policy was broken there too. */
export async function greetingInThread(name: string): Promise<unknown> {
  const queue = await openQueue({ storage: memory(), jobs: [greet] })
  const runner = webWorkers({ spawn: () => new Worker(trusted('/jobs.worker.js'), { type: 'module' }), size: 1 })
  await queue.createExecutor({ runner }).start()
  const { id } = await queue.enqueue(greet, name)
  const outcome = await queue.result(id)
  await queue.close()
  return outcome.status === 'completed' ? outcome.result : outcome.status
}

/** Does what the policy forbids. */
export function forbidden(): string {
  try {
    return String(globalThis.eval('"done"'))
  } catch {
    return 'refused'
  }
}

/** Violations so far, after those under way have been told. */
export async function told(): Promise<readonly string[]> {
  await new Promise((resolve) => setTimeout(resolve))
  return violations
}

let worker: Worker | null = null

/** The same as a call of `greeting`, `forbidden` or `told` here, in a worker. */
export function inWorker(name: 'greeting' | 'forbidden' | 'told', argument: string): Promise<unknown> {
  const asked = (worker ??= new Worker(trusted('/worker.js'), { type: 'module' }))
  return new Promise((resolve, reject) => {
    asked.onmessage = ({ data }) => resolve(data)
    asked.onerror = () => reject(new Error('The worker failed'))
    asked.postMessage({ name, argument })
  })
}

/** A page that requires trusted types says itself which addresses of workers it trusts. */
function trusted(address: string): string {
  const { trustedTypes } = globalThis as unknown as { trustedTypes: TrustedTypes }
  return trustedTypes.createPolicy('workers', { createScriptURL: (url) => url }).createScriptURL(address)
}

/** What this version of the DOM's types lacks, with an address where the platform has an object of its own. */
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string }
}
