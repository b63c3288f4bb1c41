import type { Amendment } from '../contract.ts'
import { expired } from '../transitions.ts'
import type { Draft } from './draft.ts'
import { writeEnd } from './ending.ts'
import type { JobRow } from './rows.ts'

/** Two readings of the clock closer together than this count as one: a call that is repeated proves nothing. ms */
const APART = 1000

/**
 * The moment at which a job expires that has `after` ms from the latest of these. A session that has beaten later than
 * that proves that the clock is behind: the job must not expire before its time for it.
 */
export function expiryOf({ table }: Draft, after: number | null, ...moments: readonly number[]): number | null {
  if (after === null) return null
  let latest = Math.max(...moments)
  for (const { lastBeat } of table.tables.sessions.values()) latest = Math.max(latest, lastBeat)
  return latest + after
}

/**
 * Ends waiting jobs whose time is up by the earlier of two readings of the clock. The first is kept in the table: it
 * may have been made by somebody else and long ago. One that was wrong is put right by the next. [expiry]
 */
export function expire(
  draft: Draft,
  { error, limit }: Extract<Amendment, { kind: 'expire' }>,
  now: number,
): readonly JobRow[] {
  const seen = draft.get('meta', 'expiry')?.value as number | undefined
  const ended: JobRow[] = []
  let unsure = false
  for (const job of draft.table.ready.expired) {
    if (seen === undefined || now < seen + APART || (job.expireAt ?? 0) > seen) unsure = true
    else if (ended.length < limit) {
      writeEnd(draft, job, expired(job, error, now))
      ended.push(job)
    }
  }
  if (ended.length > 0) draft.require('meta', 'expiry')
  if (seen === undefined ? unsure : now < seen || (unsure && now >= seen + APART))
    draft.put('meta', 'expiry', { value: now })
  return ended
}

/** Who was given back for want of a condition that holds anew need not sit out the delay. [unreached] */
export function retryUnreached(
  draft: Draft,
  { requires, limit }: Extract<Amendment, { kind: 'retryUnreached' }>,
  now: number,
): readonly JobRow[] {
  const brought: JobRow[] = []
  for (const job of draft.table.ready.delayedFor(requires)) {
    if (job.unreached === 0) continue
    if (brought.length === limit) break
    draft.put('jobs', job.id, { unreached: 0, runAt: now, delay: null })
    brought.push(job)
  }
  return brought
}
