// The threads that compress, started by ./run.mjs.
import { exposeHandlers } from 'holdfast/worker'
import { compressing } from './jobs.mjs'
import { places } from './places.mjs'

exposeHandlers([compressing], { setup: () => places })
