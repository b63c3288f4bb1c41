import type { Limit } from '../contract.ts'
import { isSuspect } from '../transitions.ts'
import { compareReady, compareTexts, type Group } from './group.ts'
import { OrderedList } from './ordered-list.ts'
import type { JobRow } from './rows.ts'

/** The waiting jobs of one type with the same requirements and payload version. Suspects have lanes of their own: they run alone. */
export interface ReadyLane {
  readonly requires: readonly string[]
  readonly payloadVersion: number
  readonly suspect: boolean
  readonly ready: OrderedList<JobRow>
  readonly delayed: OrderedList<JobRow>
}

export interface TypeLanes {
  readonly name: string
  readonly lanes: Map<string, ReadyLane>
  /** The lane without requirements, looked up for nearly every job. */
  plain: ReadyLane | undefined
  /** The groups of its limit, by their limit keys. */
  readonly groups: Map<string, Group>
  /** Groups whose rate window is used up while a job rests in them, the first to open first. */
  readonly opening: OrderedList<Group>
  limit: Limit | null
  /** Jobs that run without a group that counts them: they were claimed before the type had a limit. */
  uncounted: number
  /** Until a claim has told the limit, jobs with a limit key rest: nothing could take them anyway. */
  limitKnown: boolean
}

/** The types of jobs that wait, or waited, or that a claim has named. */
export class Types {
  readonly #byName = new Map<string, TypeLanes>()

  get(name: string): TypeLanes | undefined {
    return this.#byName.get(name)
  }

  /** Made where there is none. */
  of(name: string): TypeLanes {
    let type = this.#byName.get(name)
    if (type === undefined) {
      const opening = new OrderedList<Group>((a, b) => a.opensAt - b.opensAt || compareTexts(a.key, b.key))
      type = {
        name,
        lanes: new Map(),
        plain: undefined,
        groups: new Map(),
        opening,
        limit: null,
        uncounted: 0,
        limitKnown: false,
      }
      this.#byName.set(name, type)
    }
    return type
  }

  values(): Iterable<TypeLanes> {
    return this.#byName.values()
  }

  *lanes(): Generator<ReadyLane> {
    for (const type of this.#byName.values()) yield* type.lanes.values()
  }
}

export function laneOf(type: TypeLanes, row: JobRow): ReadyLane {
  // Rows that were read from a storage have a text each: now they share one.
  row.type = type.name
  const suspect = isSuspect(row)
  if (!suspect && row.requires.length === 0 && row.payloadVersion === 1)
    return (type.plain ??= laneNamed(type, '', row, false))
  const key = `${suspect ? 'suspect' : ''}\n${row.payloadVersion}\n${row.requires.join('\n')}`
  return laneNamed(type, key, row, suspect)
}

function laneNamed(type: TypeLanes, key: string, row: JobRow, suspect: boolean): ReadyLane {
  let lane = type.lanes.get(key)
  if (lane === undefined) {
    const delayed = new OrderedList<JobRow>((a, b) => a.dueAt - b.dueAt || a.sequence - b.sequence)
    const { payloadVersion } = row
    lane = { requires: [...row.requires], payloadVersion, suspect, ready: new OrderedList(compareReady), delayed }
    type.lanes.set(key, lane)
  }
  return lane
}
