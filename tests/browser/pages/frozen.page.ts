import { defineJob, type JobQueue, openQueue } from 'holdfast'
import { indexedDb } from 'holdfast/indexeddb'

const note = defineJob({ type: 'note' })

let opening: Promise<JobQueue> | null = null

function opened(): Promise<JobQueue> {
  opening ??= openQueue({ storage: indexedDb({ name: 'frozen', snapshotAfter: 50 }), jobs: [note] })
  return opening
}

/** Enqueues one job. */
export async function enqueue(): Promise<void> {
  await (await opened()).enqueue(note, null)
}

/** Enqueues one job after the other for as long as the page lives: nearly always a transaction is open. */
export async function enqueueOnAndOn(): Promise<void> {
  const queue = await opened()
  const errors: string[] = []
  Object.assign(globalThis, { errors })
  for (;;) await queue.enqueue(note, null).catch((error: unknown) => errors.push(String(error)))
}

/** What went wrong with those. */
export function errors(): readonly string[] {
  return (globalThis as unknown as { errors: string[] }).errors
}
