import { defineJob, type JobQueue, openQueue } from 'holdfast'
import { indexedDb } from 'holdfast/indexeddb'

const note = defineJob({ type: 'note' })

const wrong: string[] = []
addEventListener('unhandledrejection', ({ reason }) => wrong.push(`unhandled: ${String(reason)}`))

let opening: Promise<JobQueue> | null = null

function opened(): Promise<JobQueue> {
  opening ??= openQueue({ storage: indexedDb({ name: 'frozen', snapshotAfter: 50 }), jobs: [note] })
  return opening
}

/** Enqueues one job. */
export async function enqueue(): Promise<void> {
  await (await opened()).enqueue(note, null)
}

/** Too long for the table, so that reading it is a transaction of its own. */
const LARGE = 'x'.repeat(20_000)

/** Enqueues a job and reads it, again and again for as long as the page lives: nearly always a transaction is open. */
export async function workOnAndOn(): Promise<void> {
  const queue = await opened()
  for (;;) {
    try {
      const { id } = await queue.enqueue(note, LARGE)
      await queue.get(id)
    } catch (error) {
      wrong.push(String(error))
    }
  }
}

/** What went wrong in this page. */
export function errors(): readonly string[] {
  return wrong
}
