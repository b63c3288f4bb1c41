import type { ReadyLane, TypeLanes } from './lanes.ts'
import { OrderedList } from './ordered-list.ts'
import type { GroupRow, JobRow } from './rows.ts'

/** The jobs of one lane in a group, in its order: it let so many of the first pass, the others wait for a place. */
export interface Places {
  readonly lane: ReadyLane
  readonly jobs: OrderedList<JobRow>
  passed: number
}

/** A serial queue or one key of a type's limit: who waits in it, in what order. How many run stands in its row. */
export class Group {
  readonly key: string
  /** Its key alone, as the jobs have it that it counts. */
  readonly keys: readonly string[]
  /** The type of a limit; `null` for a serial queue. */
  readonly type: TypeLanes | null
  /** Of the serial queue; of a limit its key, empty for the one that jobs without a key of their own fall under. */
  readonly name: string
  /** Of the lanes it has jobs of: one, mostly. */
  readonly places: Places[] = []
  /** When its rate window ends by the time of `RateWindows`, while it is listed in `TypeLanes.opening`. */
  opensAt: number = Infinity
  /** Something has changed for it since it was last filled. */
  isTouched: boolean = false

  constructor(key: string, type: TypeLanes | null, name: string) {
    this.key = key
    this.keys = [key]
    this.type = type
    this.name = name
  }

  get compare(): (a: JobRow, b: JobRow) => number {
    return this.type === null ? compareInQueue : compareReady
  }

  /** Its place among the gates of a job: the serial queue comes before the limit. */
  stageOf(row: JobRow): number {
    return this.type !== null && row.queueName !== null ? 1 : 0
  }

  get resting(): number {
    let count = 0
    for (const { jobs, passed } of this.places) count += jobs.size - passed
    return count
  }

  get empty(): boolean {
    for (const { jobs } of this.places) if (jobs.size > 0) return false
    return true
  }

  placesOf(lane: ReadyLane): Places {
    for (const places of this.places) if (places.lane === lane) return places
    const places = { lane, jobs: new OrderedList(this.compare), passed: 0 }
    this.places.push(places)
    return places
  }

  /** @param used how many started in its rate window, if that is open */
  limitCapacity(row: GroupRow | undefined, used: number): number {
    if (this.type?.limitKnown !== true) return 0
    const limit = this.type.limit
    const uncounted = this.name === '' ? this.type.uncounted : 0
    const free = (limit?.concurrency ?? Infinity) - (row?.running ?? 0) - uncounted
    const rate = limit?.rate
    if (rate === undefined) return Math.max(0, free)
    return Math.max(0, Math.min(free, rate.count - used))
  }
}

/** Order of claims: priority descending, `runAt`, sequence. */
export function compareReady(a: JobRow, b: JobRow): number {
  return b.priority - a.priority || a.runAt - b.runAt || a.sequence - b.sequence
}

/** Who keeps a place in the queue comes first: a waiting job is counted by a group only then. */
function compareInQueue(a: JobRow, b: JobRow): number {
  return b.groups.length - a.groups.length || compareReady(a, b)
}

export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
