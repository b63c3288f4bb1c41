import { exposeHandlers } from '../../../src/runtimes/worker/index.ts'

exposeHandlers([])
