// The Web Workers of ./runners.page.mjs.
import { exposeHandlers } from 'holdfast/worker'
import { hang, noop } from './runners.jobs.mjs'

exposeHandlers([
  noop.handler(async () => null),
  hang.handler((_, { attempt }) => {
    while (attempt === 1);
  }),
])
