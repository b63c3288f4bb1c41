import { exposeHandlers } from '../../../src/runtimes/worker/index.ts'
import { handlers } from './jobs.ts'

exposeHandlers(handlers, {
  setup: () => {
    throw new TypeError('No cache to be had')
  },
})
