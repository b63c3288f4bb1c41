import { ErrandContext, type Finding } from './errands.ts'

let context: Promise<ErrandContext> | null = null

let worker: Worker | null = null

/** Opens the queue and begins to enqueue and to run what there is; with `inWorker`, so does a worker of this page. */
export async function begin(name: string, inWorker: string | null): Promise<void> {
  context ??= ErrandContext.open(name)
  const opened = await context
  await opened.start()
  void opened.enqueueOrders()
  if (inWorker !== null) replaceWorker(inWorker)
}

/** Ends the worker, whatever it does, and begins with another one. */
export function replaceWorker(name: string): void {
  worker?.terminate()
  worker = new Worker('/worker.js', { type: 'module', name })
}

/** Runs what is left, and answers all that is there. */
export async function finish(name: string): Promise<readonly Finding[]> {
  context ??= ErrandContext.open(name)
  const opened = await context
  await opened.start()
  return opened.finish()
}
