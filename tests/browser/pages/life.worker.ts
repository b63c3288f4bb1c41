import { exposeHandlers } from 'holdfast/worker'
import { walk } from './life.page.ts'

exposeHandlers([walk.handler(() => null)])
