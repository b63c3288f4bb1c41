// One more process on the same jobs, started by `npm start -- --workers N`. It knows nothing but where they are.
import { stopOnSignals } from 'holdfast/node'
import { openJobs, startExecutors, onStorageFailure } from './run.mjs'

const queue = await openJobs()
stopOnSignals(queue, { grace: '10s' })
// The process that started this one meets it too, and says so.
onStorageFailure(queue, () => process.exit())
// Whoever started this process has no more work for it, or has died; perhaps before this process listened.
process.on('disconnect', () => void queue.close({ grace: '10s' }))
try {
  if (process.connected) await startExecutors(queue)
  else await queue.close()
} catch (error) {
  // Who closes the queue stops executors too that are not ready yet.
  if (!queue.closed) throw error
}
