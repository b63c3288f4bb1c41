import { compareReady, type Group } from './group.ts'
import type { ReadyLane } from './lanes.ts'
import { type Cursor, OrderedList } from './ordered-list.ts'
import type { JobRow } from './rows.ts'

export interface Candidate {
  readonly row: JobRow
  readonly lane: ReadyLane
}

/** The next job of one lane. */
interface Head {
  readonly lane: ReadyLane
  readonly cursor: Cursor<JobRow>
  row: JobRow
}

/**
 * The jobs a claim may take, in the order of claims over all lanes. Each lane holds ready as many jobs of a limit as may
 * start; when the claim finds one of them blocked by what it took itself, the next of that limit moves up.
 */
export class Candidates {
  readonly #heads: Head[] = []
  /** Those that moved up. */
  readonly #raised = new OrderedList<Candidate>((a, b) => compareReady(a.row, b.row))
  readonly #rests = new Map<OrderedList<JobRow>, Cursor<JobRow>>()

  constructor(lanes: readonly ReadyLane[]) {
    for (const lane of lanes) {
      const cursor = lane.ready.cursor()
      const row = cursor.next()
      if (row !== undefined) this.#heads.push({ lane, cursor, row })
    }
  }

  next(): Candidate | undefined {
    const head = this.#firstHead()
    const raised = this.#raised.first()
    if (raised !== undefined && (head === undefined || compareReady(raised.row, head.row) < 0)) {
      return this.#raised.shift()
    }
    if (head === undefined) return undefined
    const candidate = { row: head.row, lane: head.lane }
    const next = head.cursor.next()
    if (next === undefined) this.#heads.splice(this.#heads.indexOf(head), 1)
    else head.row = next
    return candidate
  }

  /** The next job that rests in `limit` for a place in this lane comes up: one before it there cannot start. */
  raise(limit: Group, lane: ReadyLane): void {
    const { jobs, passed } = limit.placesOf(lane)
    const cursor = this.#rests.get(jobs) ?? jobs.cursor(passed)
    this.#rests.set(jobs, cursor)
    const row = cursor.next()
    if (row !== undefined) this.#raised.add({ row, lane })
  }

  #firstHead(): Head | undefined {
    let best = this.#heads[0]
    for (const head of this.#heads) if (best !== undefined && compareReady(head.row, best.row) < 0) best = head
    return best
  }
}
