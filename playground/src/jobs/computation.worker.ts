import { exposeHandlers } from 'holdfast/worker'
import { computations } from './computation.ts'

exposeHandlers(computations)
