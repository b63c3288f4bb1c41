// A small application, compiled and run by ../tarball.test.ts against the packed package, outside this repository.
import { defineJob, openQueue } from 'holdfast'
import { memory } from 'holdfast/memory'
import { z } from 'zod'

const greet = defineJob({ type: 'greet', payload: z.object({ name: z.string() }) })

await using queue = await openQueue({ storage: memory(), jobs: [greet] })
const job = await queue.enqueue(greet, { name: 'world' })

const executor = queue.createExecutor({
  handlers: [greet.handler(async (payload) => ({ greeting: `hello ${payload.name}` }))],
})
await executor.processUntilIdle()

console.log(JSON.stringify(await queue.result(job.id)))
