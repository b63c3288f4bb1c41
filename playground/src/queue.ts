import { openQueue } from 'holdfast'
import { indexedDb } from 'holdfast/indexeddb'
import { Connections } from './connections.ts'
import { jobs } from './jobs/definitions.ts'
import { handlers } from './jobs/handlers.ts'
import { environment } from './network.ts'

/** The database, as the developer tools show it. */
export const DATABASE = 'holdfast-playground'

export const connections = new Connections()

// This is all it takes: open the queue, say who runs its jobs, start. Every tab of this page does the same.
export const queue = await openQueue({
  storage: indexedDb({ name: DATABASE, fallback: 'memory', factory: connections }),
  jobs,
  environment,
  // Finished jobs stay long enough to be counted after ten thousand others.
  retention: {
    completed: { maxCount: 50_000, maxAge: '7d' },
    // The count of losses asks for these for as long as it knows of them.
    failed: { maxCount: Infinity, maxAge: Infinity },
    cancelled: { maxCount: Infinity, maxAge: Infinity },
  },
})

const executor = queue.createExecutor({ handlers, concurrency: 4 })
await executor.start()
