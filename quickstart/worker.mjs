// One more process on the same jobs, started by `npm start -- --workers N`. It knows nothing but where they are.
import { HoldfastError } from 'holdfast'
import { stopOnSignals } from 'holdfast/node'
import { openJobs, startExecutors, onStorageFailure } from './run.mjs'

/** @type {import('holdfast').JobQueue | undefined} */
let queue
try {
  queue = await openJobs()
  await work(queue)
} catch (error) {
  if (HoldfastError.is(error, 'HOLDFAST_STORAGE')) leave()
  // Who closes the queue stops executors too that are not ready yet.
  if (queue?.closed !== true) throw error
}

/** @param {import('holdfast').JobQueue} queue */
async function work(queue) {
  stopOnSignals(queue, { grace: '10s' })
  onStorageFailure(queue, leave)
  // Whoever started this process has no more work for it, or has died; perhaps before this process listened.
  process.on('disconnect', () => void queue.close({ grace: '10s' }))
  if (process.connected) await startExecutors(queue)
  else await queue.close()
}

/** The storage fails: the process that started this one meets it too, and says so. @returns {never} */
function leave() {
  process.exit()
}
