import { defineJob, fixed, RetryLater } from 'holdfast'

export const noop = defineJob({ type: 'noop' })
export const hash = defineJob({ type: 'hash' })
const TIMEOUT = 500

export const hang = defineJob({ type: 'hang', timeout: TIMEOUT, backoff: fixed(0) })

/** What a thread knows of itself. */
export const setup = () => ({ born: Date.now() })

/**
 * Loops for ever the first time; then it ends in the first thread that came after that. A place that falls free in another
 * one is nearer, and says nothing of how soon there is a new one. (Of the first threads one may be younger than the job.)
 */
export const hangs = hang.handler((_, { attempt, job, state }) => {
  while (attempt === 1);
  if (state.born < job.createdAt + TIMEOUT / 2) throw new RetryLater({ after: 5 })
})
