// Says when its state is made and when it is disposed of, by messages that are none of holdfast's.
import { parentPort } from 'node:worker_threads'
import { exposeHandlers } from '../../../src/runtimes/worker/index.ts'
import { handlers } from './jobs.ts'

exposeHandlers(handlers, {
  setup: () => {
    parentPort?.postMessage('made')
    return {
      [Symbol.asyncDispose]: async () => {
        await new Promise((resolve) => setTimeout(resolve))
        parentPort?.postMessage('disposed of')
      },
    }
  },
})
