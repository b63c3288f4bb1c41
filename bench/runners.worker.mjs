// The threads of ./runners.mjs.
import { exposeHandlers } from 'holdfast/worker'
import { hang, hash, noop } from './runners.jobs.mjs'
import { hashed } from './runners.work.mjs'

exposeHandlers([
  noop.handler(async () => null),
  hash.handler((rounds) => hashed(rounds)),
  hang.handler((_, { attempt }) => {
    while (attempt === 1);
  }),
])
