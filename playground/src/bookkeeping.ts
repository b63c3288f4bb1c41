import { Audit } from './audit.ts'
import { Ledger } from './ledger.ts'
import { queue } from './queue.ts'
import { everySecond } from './view/clock.ts'

export const ledger = new Ledger()

queue.on('completed', ({ job }) => ledger.accepted(job.id, job.fence))

export const audit = new Audit(ledger, (id) => queue.get(id))

everySecond(() => audit.look())
