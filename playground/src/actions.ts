import { signal } from '@preact/signals'
import { type EnqueueItem, HoldfastError, type JobDefinition, type Priority } from 'holdfast'
import { ledger } from './bookkeeping.ts'
import { queue } from './queue.ts'

/** What the page says about the last thing that somebody did. One line, read aloud by screen readers. */
export const notice = signal('Nothing has been enqueued by this tab yet.')

export const priority = signal<Priority>('normal')

/** Enqueues as people choose on the page, and writes into the ledger what was acknowledged. */
export async function add(what: string, items: readonly EnqueueItem<JobDefinition>[]): Promise<void> {
  await attempt(async () => {
    const options = { priority: priority.peek() }
    const accepted = await queue.enqueueMany(
      items.map((item) => ({ ...item, options: { ...options, ...item.options } })),
    )
    await ledger.acknowledged(accepted.map(({ id }) => id))
    notice.value = `${what}: ${accepted.length} accepted.`
  })
}

/** Writes into the ledger what is enqueued by `work`, as the queue tells of it: for calls that do not answer all ids. */
export async function noting<Value>(work: () => Promise<Value>): Promise<Value> {
  const ids: string[] = []
  const stop = queue.on('enqueued', ({ job }) => void ids.push(job.id))
  try {
    return await work()
  } finally {
    stop()
    if (ids.length > 0) await ledger.acknowledged(ids)
  }
}

/** Does something and says so when it fails. Answers whether it did not. */
export async function attempt(action: () => Promise<void>): Promise<boolean> {
  try {
    await action()
    return true
  } catch (error) {
    notice.value = HoldfastError.is(error) ? `${error.code}: ${error.message}` : String(error)
    return false
  }
}
