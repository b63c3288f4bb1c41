import { ErrandContext, type Finding } from './errands.ts'

let context: Promise<ErrandContext> | null = null

/** Opens the queue and begins to enqueue and to run what there is; with `worker`, so does a worker of this page. */
export async function begin(name: string, worker: string | null): Promise<void> {
  context ??= ErrandContext.open(name)
  const opened = await context
  await opened.start()
  opened.enqueueOrders().catch(() => undefined)
  if (worker !== null) new Worker('/worker.js', { type: 'module', name: worker })
}

/** Runs what is left, and answers all that is there. */
export async function finish(name: string): Promise<readonly Finding[]> {
  context ??= ErrandContext.open(name)
  const opened = await context
  await opened.start()
  return opened.finish()
}
