import { defineJob, openQueue } from 'holdfast'
import { indexedDb } from 'holdfast/indexeddb'

const kept = defineJob({ type: 'kept' })

/** Nothing runs them: they are to be found. */
const opening = openQueue({
  storage: indexedDb({ name: 'kept', durability: 'strict', snapshotAfter: 100 }),
  jobs: [kept],
})

/** Which of the jobs are not there. */
export async function missing(ids: readonly string[]): Promise<readonly string[]> {
  const queue = await opening
  const jobs = await Promise.all(ids.map((id) => queue.get(id)))
  return ids.filter((_, at) => jobs[at]?.status !== 'pending')
}

/** How many jobs there are. */
export async function count(): Promise<number> {
  return (await (await opening).counts()).pending
}

/** Whether the browser said that it had thrown away what it kept here, because it was damaged. */
export async function wasThrownAway(): Promise<boolean> {
  return (await opening).health().resets > 0
}

export async function enqueue(id: string): Promise<void> {
  await (await opening).enqueue(kept, null, { id })
}

/** Enqueues one job after the other, and tells the server of each when it is acknowledged, until the browser is killed. */
export async function enqueueOnAndOn(round: number): Promise<void> {
  const queue = await opening
  for (let number = 1; ; number++) {
    const { id } = await queue.enqueue(kept, { number, text: 'x'.repeat(number % 500) }, { id: `${round}-${number}` })
    await fetch('/acknowledged', { method: 'POST', body: id })
  }
}
