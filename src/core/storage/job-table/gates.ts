import type { ClaimRequest, Lane, Limit } from '../contract.ts'
import { serialGroup } from '../transitions.ts'
import { Group, type Places } from './group.ts'
import type { ReadyLane, TypeLanes, Types } from './lanes.ts'
import type { RateWindows } from './rate-windows.ts'
import type { GroupRow, JobRow } from './rows.ts'

/**
 * What stands between a job whose time has come and its start: its serial queue, then the limit of its type. Each group
 * lets as many jobs of each lane pass as may start now; who has passed both is `ready`. [groups]
 *
 * What enters goes on at once, if it may. For others a group is filled anew once all is written that belongs together:
 * whoever changes something that it goes by calls `refill` in the end.
 */
export class Gates {
  readonly #types: Types
  /** All groups by the key of their row. */
  readonly #groups = new Map<string, Group>()
  /** Groups that something has changed for since they were last filled. */
  readonly #touched: Group[] = []
  /** Types whose ready order grew since the last call of `takeGrown`. */
  #grown = new Set<string>()
  readonly #rows: ReadonlyMap<string, GroupRow>
  readonly #windows: RateWindows
  readonly #isPausedQueue: (queueName: string) => boolean
  /** The time of the index. */
  now: number = -Infinity

  constructor(
    types: Types,
    rows: ReadonlyMap<string, GroupRow>,
    windows: RateWindows,
    isPausedQueue: (queueName: string) => boolean,
  ) {
    this.#types = types
    this.#rows = rows
    this.#windows = windows
    this.#isPausedQueue = isPausedQueue
  }

  /** A job whose time has come goes as far as it may. */
  enter(row: JobRow, lane: ReadyLane): void {
    row.queue = row.queueName === null ? null : this.#queueNamed(row.queueName)
    this.#enter(row, lane, 0)
  }

  /** Out of the ready order or of the group it rests in, and out of every group it has passed. */
  leave(row: JobRow, lane: ReadyLane): void {
    this.#leave(row, lane, 0)
    // It would keep a group that is gone.
    row.queue = null
  }

  /** The jobs that wait for a place. */
  *resting(): Generator<JobRow> {
    for (const group of this.#groups.values()) for (const { jobs, passed } of group.places) yield* jobs.walk(passed, 1)
  }

  /** The limits in force are those of the latest claim: a deploy with a new number takes effect at once. [groups] */
  learn(lanes: readonly Lane[]): void {
    for (const { type: name, limit = null } of lanes) {
      const type = this.#types.of(name)
      if (type.limitKnown && sameLimit(type.limit, limit)) continue
      // Jobs stored without a key fall under the type's limit only once there is one: they pass other gates then.
      const unkeyed = (type.limit === null) === (limit === null) ? [] : this.#withdrawUnkeyed(type)
      type.limit = limit
      type.limitKnown = true
      for (const group of type.groups.values()) this.#touch(group)
      for (const [row, lane] of unkeyed) this.enter(row, lane)
    }
    this.refill()
  }

  /** A claim looks what of the rates has become free. */
  look(request: ClaimRequest, isOpen: (session: string) => boolean): void {
    for (const key of this.#windows.look(request, isOpen)) this.groupChanged(key)
    this.refill()
    for (const { opening } of this.#types.values()) {
      for (let group = opening.first(); group !== undefined && this.#opens(group); group = opening.first()) {
        this.#touch(group)
        this.refill()
      }
    }
  }

  #opens(group: Group | undefined, time: number = this.#windows.time): boolean {
    return group !== undefined && group.opensAt <= time
  }

  /** The group that counts this job at `stage` 0 or 1; serial queue before limit. The job must have come so far. */
  gate(row: JobRow, stage: number): Group | undefined {
    const { queue, limitKey } = row
    if (queue !== null && stage === 0) return queue
    if (stage > (queue === null ? 0 : 1)) return undefined
    const type = this.#types.of(row.type)
    if (limitKey === null && type.limit === null) return undefined
    const name = limitKey ?? ''
    return type.groups.get(name) ?? this.#newGroup(limitGroup(row.type, name), type, name)
  }

  /** Told of each job that starts (1) or ends (-1) running. */
  runs(row: JobRow, by: 1 | -1): void {
    if (row.limitKey !== null || row.groups.some((key) => key.startsWith('limit:'))) return
    const type = this.#types.of(row.type)
    type.uncounted += by
    const unkeyed = type.groups.get('')
    if (unkeyed !== undefined) this.#touch(unkeyed)
  }

  /** To be called after a group's row changed. */
  groupChanged(key: string): void {
    const group = this.#groups.get(key)
    // A serial queue has no windows, and very many steps.
    if (group?.type !== null) this.#windows.changed(key, this.#rows.get(key)?.window ?? null)
    if (group !== undefined) this.#touch(group)
  }

  /** To be called when queues were paused or resumed, and after a snapshot was loaded. */
  refillAll(): void {
    for (const group of this.#groups.values()) this.#touch(group)
    this.refill()
    for (const { name } of this.#types.values()) this.#grown.add(name)
  }

  /** In each group that something has changed for, as many jobs pass as may start now. To be called after a whole unit. */
  refill(): void {
    for (let group = this.#touched.pop(); group !== undefined; group = this.#touched.pop()) {
      group.isTouched = false
      for (const places of group.places) this.#fill(group, places)
      this.#drop(group)
    }
  }

  #touch(group: Group): void {
    if (group.isTouched) return
    group.isTouched = true
    this.#touched.push(group)
  }

  /** How many more jobs of a group may start now. */
  capacity(group: Group): number {
    return this.#capacity(group, this.#rows.get(group.key))
  }

  #capacity(group: Group, row: GroupRow | undefined): number {
    if (group.type === null) return (row?.running ?? 0) > 0 || this.#isPausedQueue(group.name) ? 0 : 1
    const window = row?.window ?? null
    return group.limitCapacity(row, window === null || this.#windows.isOver(group.key, window) ? 0 : window.used)
  }

  /** Types of which a job became claimable since the last call, and still is; or will be found so by who looks. */
  takeGrown(): readonly string[] {
    if (this.#grown.size === 0) return []
    const grown = this.#grown
    this.#grown = new Set()
    return [...grown].filter((name) => {
      const type = this.#types.get(name)
      for (const lane of type?.lanes.values() ?? []) if (lane.ready.size > 0) return true
      return this.#opens(type?.opening.first(), this.#windows.timeAt(this.now))
    })
  }

  /** Job `row` passes gate after gate until one has no place for it. */
  #enter(row: JobRow, lane: ReadyLane, stage: number): void {
    const group = this.gate(row, stage)
    row.stage = stage
    if (group === undefined) {
      lane.ready.add(row)
      this.#grown.add(row.type)
      return
    }
    const places = group.placesOf(lane)
    const { jobs, passed } = places
    const worst = passed === 0 ? undefined : jobs.at(passed - 1)
    jobs.add(row)
    // A job that should start earlier takes the place of the last one that had passed.
    if (worst !== undefined && group.compare(row, worst) < 0) {
      places.passed += 1
      this.#enter(row, lane, stage + 1)
    }
    this.#fill(group, places)
    if (row.stage === stage && this.#opens(group, this.#windows.timeAt(this.now))) this.#grown.add(row.type)
  }

  /** Takes `row` out of the ready order or out of the group it rests in, and out of every gate from `from` on. */
  #leave(row: JobRow, lane: ReadyLane, from: number): void {
    const resting = this.gate(row, row.stage)
    if (resting === undefined) lane.ready.remove(row)
    else {
      resting.placesOf(lane).jobs.remove(row)
      this.#touch(resting)
    }
    for (let stage = row.stage - 1; stage >= from; stage--) {
      const group = this.gate(row, stage)
      if (group === undefined) continue
      const places = group.placesOf(lane)
      places.jobs.remove(row)
      places.passed -= 1
      this.#touch(group)
    }
  }

  /** As many pass as may start, no more and no fewer. */
  #fill(group: Group, places: Places): void {
    const { lane, jobs } = places
    const counted = this.#rows.get(group.key)
    const capacity = this.#capacity(group, counted)
    while (places.passed > 0) {
      const last = jobs.at(places.passed - 1) as JobRow
      if (places.passed <= capacity && mayPass(last, group, counted)) break
      const stage = group.stageOf(last)
      places.passed -= 1
      this.#leave(last, lane, stage + 1)
      last.stage = stage
    }
    while (places.passed < Math.min(capacity, jobs.size)) {
      const next = jobs.at(places.passed) as JobRow
      if (!mayPass(next, group, counted)) break
      places.passed += 1
      this.#enter(next, lane, group.stageOf(next) + 1)
    }
    this.#noteOpening(group, capacity)
  }

  /** Keeps the group among those that wait for their rate window exactly while that would let another job pass. */
  #noteOpening(group: Group, capacity: number): void {
    const { type, key } = group
    if (type === null) return
    const row = this.#rows.get(key)
    const window = row?.window ?? null
    const ends = window === null || this.#windows.isOver(key, window) ? Infinity : this.#windows.ends(key, window)
    const opensAt = ends !== Infinity && group.resting > 0 && capacity < group.limitCapacity(row, 0) ? ends : Infinity
    if (group.opensAt === opensAt) return
    if (group.opensAt !== Infinity) type.opening.remove(group)
    group.opensAt = opensAt
    if (opensAt !== Infinity) type.opening.add(group)
  }

  /** Forgets a group that nothing waits in; its row, if any, stays. */
  #drop(group: Group): void {
    if (!group.empty) return
    this.#groups.delete(group.key)
    group.type?.groups.delete(group.name)
  }

  #withdrawUnkeyed(type: TypeLanes): [JobRow, ReadyLane][] {
    const withdrawn: [JobRow, ReadyLane][] = []
    for (const lane of type.lanes.values()) {
      for (const row of this.#due(lane)) if (row.limitKey === null) withdrawn.push([row, lane])
    }
    for (const [row, lane] of withdrawn) this.#leave(row, lane, 0)
    return withdrawn
  }

  /** The due jobs of a lane: ready, or resting in a group. */
  *#due(lane: ReadyLane): Generator<JobRow> {
    yield* lane.ready
    for (const group of this.#groups.values())
      for (const { lane: its, jobs, passed } of group.places) if (its === lane) yield* jobs.walk(passed, 1)
  }

  #queueNamed(name: string): Group {
    const key = serialGroup(name)
    return this.#groups.get(key) ?? this.#newGroup(key, null, name)
  }

  #newGroup(key: string, type: TypeLanes | null, name: string): Group {
    const group = new Group(key, type, name)
    this.#groups.set(key, group)
    type?.groups.set(name, group)
    return group
  }
}

/** The length keeps type `a:b` with key `c` apart from type `a` with key `b:c`. */
function limitGroup(type: string, limitKey: string): string {
  return `limit:${type.length}:${type}:${limitKey}`
}

/** While a job keeps its place in a serial queue, it alone may start there. [strict] */
function mayPass(row: JobRow, { type }: Group, counted: GroupRow | undefined): boolean {
  const holder = type === null ? counted?.holder : undefined
  return holder == null || holder === row.id
}

function sameLimit(a: Limit | null, b: Limit | null): boolean {
  return a?.concurrency === b?.concurrency && a?.rate?.count === b?.rate?.count && a?.rate?.per === b?.rate?.per
}
