import { exposeHandlers } from 'holdfast/worker'
import { BEGIN, walk } from './life.page.ts'

await new Promise<void>((resolve) => addEventListener('message', ({ data }) => data === BEGIN && resolve()))
exposeHandlers([walk.handler(() => null)])
