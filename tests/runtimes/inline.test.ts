import { handlers } from './threads/jobs.ts'
import { runnerSuite } from './threads/suite.ts'

runnerSuite(() => ({ handlers, state: { cache: 'warm' }, killGrace: 50 }))
