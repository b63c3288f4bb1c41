import type { Events } from './events.ts'
import { toJob } from './job.ts'
import type { ErrorData, FinishedState, JobRecord } from './storage/contract.ts'

/** What became of a job, as events are named. */
export type Told = FinishedState | 'retrying' | 'released' | 'interrupted'

export function tellAs(events: Events, name: Told, record: JobRecord, now: number): void {
  if (!events.has(name)) return
  const job = toJob(record, now)
  if (name === 'retrying') events.tell(name, { job, error: record.error as ErrorData, runAt: record.runAt })
  else if (name === 'failed') events.tell(name, { job, error: record.error as ErrorData })
  else if (name === 'cancelled') events.tell(name, { job, reason: record.cancelRequested ?? '' })
  else events.tell(name, { job })
}

/** Of a job that was taken from its session, or ended by hand: one that still runs is told by whoever runs it. */
export function tellTaken(events: Events, record: JobRecord, now: number): void {
  const { state } = record
  if (state !== 'running') tellAs(events, state === 'waiting' ? 'interrupted' : state, record, now)
}
