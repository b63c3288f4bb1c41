import type { BeatAnswer, BeatRequest, LeaseRef, SessionRecord, SessionRequest } from '../contract.ts'
import { samePayload } from '../digest.ts'
import { copyPlain } from '../plain.ts'
import { holds, released } from '../transitions.ts'
import type { Draft } from './draft.ts'
import type { JobTable } from './job-table.ts'
import type { SessionRow } from './rows.ts'
import { endAttempt } from './ending.ts'

type Whereabouts = Pick<BeatRequest, 'patience' | 'process'>

/** Opening raises the epoch in the same step; closing gives back what the session holds, counted as nothing. */
export function session(draft: Draft, request: SessionRequest): { epoch: number } {
  const { table } = draft
  if ('open' in request) {
    const open = table.row('sessions', request.open)
    if (open !== undefined) return { epoch: open.epoch }
    const epoch = table.epoch + 1
    draft.put('meta', 'epoch', { value: epoch })
    const { leaseDuration, now } = request
    const row = { beats: 0, leaseDuration, openedAt: now, lastBeat: now, epoch }
    draft.put('sessions', request.open, { ...row, ...news(undefined, request) })
    return { epoch }
  }
  const closing = table.row('sessions', request.close)
  const held = [...table.runningOf(request.close)]
  if (closing !== undefined && mayClose(request.when, closing.beats, held.length)) {
    for (const job of held) endAttempt(draft, job, released(job, request.now))
    draft.remove('sessions', request.close)
  }
  return { epoch: table.epoch }
}

/** Whoever clears another's session may do so only while it is silent and holds nothing. */
function mayClose(when: { readonly beats: number } | undefined, beats: number, held: number): boolean {
  return when === undefined || (when.beats === beats && held === 0)
}

/** What a session says of itself that its row does not say yet. */
function news(row: SessionRow | undefined, { patience = 0, process }: Whereabouts): Partial<SessionRow> {
  const told: Partial<SessionRow> = {}
  if (patience !== (row?.patience ?? 0)) told.patience = patience
  if (process !== undefined && !samePayload(process, row?.process ?? null)) told.process = process
  return told
}

/** One row is written, whatever the session holds; progress goes to the jobs it concerns. */
export function beat(draft: Draft, request: BeatRequest): () => BeatAnswer {
  const { table } = draft
  const row = table.row('sessions', request.session)
  if (row === undefined)
    return () => ({ cancel: [], lost: request.holds.map(({ id }) => id), orphans: [], ended: true })
  draft.put('sessions', request.session, { beats: row.beats + 1, lastBeat: request.now, ...news(row, request) })
  for (const { id, fence, value } of request.progress) {
    if (isHeld(table, request.session, { id, fence })) draft.put('jobs', id, { progress: copyPlain(value) })
  }
  return () => compareHolds(table, request)
}

/** Read once the beat is applied: a reaper that came before it has its way, one that comes after finds it. [reaper] */
function compareHolds(table: JobTable, { session: id, holds: named, claiming }: BeatRequest): BeatAnswer {
  const cancel: { id: string; reason: string }[] = []
  const orphans: LeaseRef[] = []
  const names = new Set(named.map((lease) => lease.id))
  for (const job of table.runningOf(id)) {
    if (!names.has(job.id)) {
      if (!claiming.includes(job.claimId ?? '')) orphans.push({ id: job.id, fence: job.fence })
    } else if (job.cancelRequested !== null) cancel.push({ id: job.id, reason: job.cancelRequested })
  }
  const lost = named.filter((lease) => !isHeld(table, id, lease)).map((lease) => lease.id)
  return { cancel, lost, orphans, ended: false }
}

function isHeld(table: JobTable, session: string, lease: LeaseRef): boolean {
  const job = table.row('jobs', lease.id)
  return job !== undefined && job.session === session && holds(job, lease.fence)
}

/** All sessions, those marked whose process is known to be over. */
export function sessionRecords(table: JobTable, isOver: (process: unknown) => boolean): readonly SessionRecord[] {
  return [...table.tables.sessions].map(
    ([id, { beats, leaseDuration, patience = 0, openedAt, lastBeat, epoch, process }]) => ({
      id,
      beats,
      leaseDuration,
      patience,
      openedAt,
      lastBeat,
      epoch,
      ...(process !== undefined && isOver(process) && { ended: true as const }),
    }),
  )
}
