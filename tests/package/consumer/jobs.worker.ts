import { exposeHandlers } from 'holdfast/worker'
import { hang, square } from './jobs.js'

exposeHandlers([
  square.handler((payload) => Number(payload) ** 2),
  hang.handler(() => {
    for (;;);
  }),
])
