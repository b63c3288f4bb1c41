import { signal } from '@preact/signals'
import { Audit, type Tally } from './audit.ts'
import { Ledger } from './ledger.ts'
import { queue } from './queue.ts'
import { everySecond } from './view/clock.ts'

export const ledger = new Ledger()

queue.on('completed', ({ job }) => ledger.accepted(job.id, job.fence))

const toRemove = queue.toRemove.bind(queue)
/** What somebody removes, by AQL for instance, is not lost. One that runs goes on, and stays in the queue. */
queue.toRemove = (which) => {
  const remove = toRemove(which)
  return async () => {
    const jobs = await remove()
    await ledger.removed(jobs.filter(({ status }) => status !== 'running').map(({ id }) => id))
    return jobs
  }
}

const audit = new Audit(ledger, (id) => queue.get(id))

/** `null` until the ledger was read once. */
export const tally = signal<Tally | null>(null)

everySecond(async () => {
  tally.value = await audit.look()
})
