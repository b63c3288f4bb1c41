import { deliver } from '../webhooks/client.ts'
import { errand, sendEmail, tiny, webhook } from './definitions.ts'
import { fingerprinting, resizing, shrinking } from './files.ts'
import { wait } from './pauses.ts'

/** The key of the delivery is the job's id: an endpoint that has seen it already may say so and do nothing twice. */
const delivering = webhook.handler(({ order }, { job, signal }) => deliver(job.id, { order }, signal))

const mailing = sendEmail.handler((mail, { job, signal }) => deliver(job.id, mail, signal))

const running = errand.handler(async ({ seconds }, { progress, signal }) => {
  const steps = Math.max(1, Math.round(seconds * 4))
  for (let step = 1; step <= steps; step++) {
    await wait(250, signal)
    progress(step / steps)
  }
  return `took ${seconds} s`
})

/** What runs in the page itself. What keeps a processor busy is in `computation.ts`. */
export const handlers = [fingerprinting, shrinking, resizing, delivering, mailing, running, tiny.handler(() => null)]
