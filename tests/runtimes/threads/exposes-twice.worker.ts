import { exposeHandlers } from '../../../src/runtimes/worker/index.ts'
import { handlers } from './jobs.ts'

exposeHandlers(handlers)
exposeHandlers(handlers)
