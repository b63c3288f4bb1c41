/** `node deadly-worker.mjs DIRECTORY ACKS`: executes jobs one at a time, of which one kills it. */
import { openQueue } from 'holdfast'
import { nodeFs } from 'holdfast/node-fs'
import { AckLog } from './acknowledgements.mjs'
import { deadly, harmless } from './deadly-jobs.mjs'

const [directory = '', acks = ''] = process.argv.slice(2)
const log = new AckLog(acks)
const queue = await openQueue({ storage: nodeFs({ directory }), jobs: [deadly, harmless] })
const executor = queue.createExecutor({
  concurrency: 1,
  handlers: [
    deadly.handler((_, { job, fence }) => {
      log.write({ kind: 'started', id: job.id, fence })
      process.kill(process.pid, 'SIGKILL')
    }),
    harmless.handler((payload) => payload),
  ],
})
await executor.start()
