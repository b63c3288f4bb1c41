import { defineJob, openQueue } from 'holdfast'
import { memory } from 'holdfast/memory'

const greet = defineJob({ type: 'greet' })

/** Runs one job on the built package and answers its result. */
export async function greeting(name: string): Promise<string> {
  const queue = await openQueue({ storage: memory(), jobs: [greet] })
  try {
    const executor = queue.createExecutor({ handlers: [greet.handler(async (payload) => `Hello ${String(payload)}`)] })
    await executor.start()
    const { id } = await queue.enqueue(greet, name)
    const outcome = await queue.result(id)
    return outcome.status === 'completed' ? String(outcome.result) : outcome.status
  } finally {
    await queue.close()
  }
}
