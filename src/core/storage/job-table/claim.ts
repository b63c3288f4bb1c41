import { HoldfastError } from '../../errors.ts'
import type { ClaimAnswer, ClaimRequest, JobRecord, Lane } from '../contract.ts'
import { claimed } from '../transitions.ts'
import { Candidates } from './candidates.ts'
import type { Draft } from './draft.ts'
import type { Group } from './group.ts'
import type { ReadyLane } from './lanes.ts'
import type { JobTable } from './job-table.ts'
import { type GroupRow, type JobRow, toRecord } from './rows.ts'

/** A claim's jobs are one unit: with its session, the pauses it saw and the groups that count its jobs. */
export function claim(draft: Draft, request: ClaimRequest): () => ClaimAnswer {
  const { table } = draft
  const session = table.row('sessions', request.session)
  if (session === undefined) {
    throw new HoldfastError('HOLDFAST_SESSION_ENDED', `Session ${request.session} is not open: open a new one`)
  }
  const repeated = [...table.runningOf(request.session)].filter((row) => row.claimId === request.requestId)
  if (repeated.length > 0) return () => answerOf(table, request, repeated.map(toRecord))

  const lanes = openLanes(table, request).filter((lane) => lane.suspect === (request.suspects === 'only'))
  const now = request.now
  const counts = new GroupCounts(table, request)
  const jobs = take(lanes, request.limit, counts)
  if (jobs.length > 0) {
    // Written, not only read: a close that is decided elsewhere at the same time must see what this claim took.
    // And a claim is a sign of life: nobody counts silence from before it against the jobs it took.
    draft.put('sessions', request.session, { beats: session.beats + 1, lastBeat: now })
    draft.require('meta', 'pauses')
    counts.write(draft)
  }
  const epoch = table.epoch
  for (const { row, groups } of jobs) {
    const to = claimed(row, { session: request.session, claimId: request.requestId, epoch, now })
    if (groups.length > 0) to.groups = groups
    draft.putRow('jobs', row.id, row, to)
  }
  return () => answerOf(table, request, jobs.flatMap(({ row }) => table.row('jobs', row.id) ?? []).map(toRecord))
}

/** Read once the claim is applied: what it took may have closed a rate window. */
function answerOf(table: JobTable, request: ClaimRequest, jobs: readonly JobRecord[]): ClaimAnswer {
  return {
    jobs,
    nextRunAt: nextRunAt(table, request),
    suspectDue: openLanes(table, request).some((lane) => lane.suspect),
  }
}

function activeTypes(table: JobTable, lanes: readonly Lane[]): readonly Lane[] {
  const { all, types } = table.pauses
  if (all) return []
  return types.length === 0 ? lanes : lanes.filter((lane) => !types.includes(lane.type))
}

/** The claimer's lanes in which something is ready. */
function openLanes(table: JobTable, request: ClaimRequest): ReadyLane[] {
  return [...table.ready.lanes(activeTypes(table, request.lanes), new Set(request.have))].filter(
    (lane) => lane.ready.size > 0,
  )
}

interface Taken {
  readonly row: JobRow
  readonly groups: readonly string[]
}

/**
 * Merges the lanes' orders. Heads of one group may stand in several lanes: only as many as fit are taken. One that has a
 * place in its limit, but whose serial queue this claim has given to another, gives that place to the next.
 */
function take(lanes: readonly ReadyLane[], limit: number, counts: GroupCounts): Taken[] {
  const candidates = new Candidates(lanes)
  const taken: Taken[] = []
  while (taken.length < limit) {
    const candidate = candidates.next()
    if (candidate === undefined) break
    const { row, lane } = candidate
    const groups = counts.admit(row)
    if (groups !== null) taken.push({ row, groups })
    else {
      const unused = counts.unusedLimit(row)
      if (unused !== undefined) candidates.raise(unused, lane)
    }
  }
  return taken
}

const NO_GROUPS: readonly string[] = []

/** What the groups will count once the claim is applied. */
class GroupCounts {
  readonly #table: JobTable
  readonly #claimer: Pick<ClaimRequest, 'session' | 'now'>
  readonly #admitted = new Map<Group, number>()

  constructor(table: JobTable, claimer: Pick<ClaimRequest, 'session' | 'now'>) {
    this.#table = table
    this.#claimer = claimer
  }

  /** The keys of the groups that will count this job; `null` when one of them has no place left. */
  admit(row: JobRow): readonly string[] | null {
    const first = this.#table.ready.gates.gate(row, 0)
    if (first === undefined) return NO_GROUPS
    const second = this.#table.ready.gates.gate(row, 1)
    if (this.#isFull(first) || (second !== undefined && this.#isFull(second))) return null
    this.#count(first)
    if (second === undefined) return first.keys
    this.#count(second)
    return [first.key, second.key]
  }

  #count(group: Group): void {
    this.#admitted.set(group, (this.#admitted.get(group) ?? 0) + 1)
  }

  /** The limit in which this job, kept back by its serial queue, leaves a place. */
  unusedLimit(row: JobRow): Group | undefined {
    const limit = row.queueName === null ? undefined : this.#table.ready.gates.gate(row, 1)
    return limit === undefined || this.#isFull(limit) ? undefined : limit
  }

  #isFull(group: Group): boolean {
    return this.#table.ready.gates.capacity(group) <= (this.#admitted.get(group) ?? 0)
  }

  write(draft: Draft): void {
    for (const [group, admitted] of this.#admitted) {
      const row = this.#table.row('groups', group.key)
      draft.putRow('groups', group.key, row, {
        running: (row?.running ?? 0) + admitted,
        window: this.#windowAfter(group, row, admitted),
      })
    }
  }

  #windowAfter(group: Group, row: Readonly<GroupRow> | undefined, admitted: number): GroupRow['window'] {
    const rate = group.type?.limit?.rate
    if (rate === undefined) return null
    const last = row?.window ?? null
    const { windows } = this.#table.ready
    if (last !== null && !windows.isOver(group.key, last)) return { ...last, used: last.used + admitted }
    const { session, now } = this.#claimer
    const idle = last === null ? Infinity : windows.time - windows.ends(group.key, last)
    // While there is work, windows follow each other without a gap: no start that comes late lowers the rate. [limits]
    const since = idle < rate.per ? now - Math.round(idle) : now
    const until = since + rate.per
    const window = { since, used: admitted, until, openedAt: now, by: session }
    windows.opens(group.key, window, until - now)
    return window
  }
}

/** The earliest moment at which time alone could make a job of these lanes claimable. */
function nextRunAt(table: JobTable, request: ClaimRequest): number | null {
  let earliest = Infinity
  const types = activeTypes(table, request.lanes)
  for (const lane of table.ready.lanes(types, new Set(request.have))) {
    earliest = Math.min(earliest, lane.delayed.first()?.dueAt ?? Infinity)
  }
  for (const { type } of types) {
    const opening = table.ready.nextOpening(type)
    if (opening !== null) earliest = Math.min(earliest, request.now + Math.ceil(opening - table.ready.windows.time))
  }
  return earliest === Infinity ? null : earliest
}
