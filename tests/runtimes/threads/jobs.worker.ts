import { exposeHandlers } from '../../../src/runtimes/worker/index.ts'
import { handlers, poison } from './jobs.ts'
import { poisoned } from './poison.ts'

exposeHandlers([...handlers, poison.handler(poisoned)], { setup: async () => ({ cache: 'warm' }) })
