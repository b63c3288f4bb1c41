import type { SettleAnswer, Settlement } from '../contract.ts'
import { alreadySettled, holds, settled, stateAfter } from '../transitions.ts'
import type { Draft } from './draft.ts'
import { endAttempt } from './ending.ts'
import { placeAll } from './enqueue.ts'
import type { JobTable } from './job-table.ts'
import { type JobRow, toRecord } from './rows.ts'

const STALE: SettleAnswer = Object.freeze({ verdict: 'stale', became: null })
const MISSING: SettleAnswer = Object.freeze({ verdict: 'missing', became: null })
const AS_ASKED: SettleAnswer = Object.freeze({ verdict: 'ok', became: null })

/** One attempt's end: compare state and fence, then the guard, then write outcome and new jobs in one unit. */
export function settle(draft: Draft, settlement: Settlement, now: number): () => SettleAnswer {
  const { table } = draft
  const job = draft.get('jobs', settlement.id)
  if (job === undefined) return () => MISSING
  if (!holds(job, settlement.fence)) {
    return alreadySettled(job, settlement) || alreadyRefused(job, settlement)
      ? () => answerOf(table, settlement)
      : () => STALE
  }
  if (settlement.when !== undefined && !guardHolds(draft, job, settlement.when)) return () => STALE
  const end = settled(job, settlement, now)
  // What follows an end is for one that came: who is to be retried, or was cancelled meanwhile, has not failed. [chain]
  const hasEnded = end.state === 'completed' || end.state === 'failed'
  const chained = (hasEnded && settlement.enqueue) || []
  endAttempt(draft, job, end)
  const placed = placeAll(draft, chained)
  if ('index' in placed) endAttempt(draft, job, settled(job, refused(settlement, placed.id), now))
  return () => answerOf(table, settlement)
}

function answerOf(table: JobTable, { id, kind }: Settlement): SettleAnswer {
  const job = table.row('jobs', id)
  return job === undefined || job.state === stateAfter(kind) ? AS_ASKED : { verdict: 'ok', became: toRecord(job) }
}

/** A job that cannot be chained must not be lost without a word: the one that asked for it is failed, for all to see. */
function refused({ id, fence }: Settlement, taken: string): Settlement {
  const message = `A job with id \`${taken}\` is stored already, with another type or payload: it was not chained`
  return {
    id,
    fence,
    kind: 'fail',
    counts: 'failure',
    error: { name: 'HoldfastError', code: 'HOLDFAST_ID_CONFLICT', message },
  }
}

/** The repeat of an outcome that was refused so. [repeat-settle] */
function alreadyRefused(job: Readonly<JobRow>, { fence, enqueue }: Settlement): boolean {
  return (
    enqueue !== undefined && job.state === 'failed' && job.fence === fence && job.error?.code === 'HOLDFAST_ID_CONFLICT'
  )
}

/** The reaper acts on what it saw: a beat in between means that the session lives. [reaper] */
function guardHolds(draft: Draft, job: Readonly<JobRow>, when: NonNullable<Settlement['when']>): boolean {
  if ('ended' in when) return true
  const session = draft.get('sessions', job.session ?? '')
  if (session === undefined) return true
  draft.require('sessions', job.session ?? '')
  return session.beats === when.beats
}
