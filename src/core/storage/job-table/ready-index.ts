import type { Lane } from '../contract.ts'
import { Expirations } from './expirations.ts'
import { Gates } from './gates.ts'
import { laneOf, type ReadyLane, Types } from './lanes.ts'
import type { RateWindows } from './rate-windows.ts'
import type { GroupRow, JobRow } from './rows.ts'

/**
 * Clocks of one host agree to well within this many ms. A greater difference means that one of them was wrong, and
 * what it wrote is not believed.
 */
const CLOCK_STEP = 60_000

/** `JobRow.stage` of a job whose time has not come. */
const DELAYED = -1

/**
 * Which waiting job may start next. A waiting job stands in exactly one place:
 *
 * - `delayed` of its lane while its time has not come;
 * - in a group (serial queue, then limit), past those that it let pass (`passed`): it has no place for it;
 * - `ready` of its lane: time is all it waited for;
 * - `expired`, once its `expireAt` has come.
 *
 * A lane is the jobs of one type with the same requirements. A group lets as many jobs of each lane pass as may
 * start now, so a claim finds only jobs it may take, and costs O(log n) per job whatever waits or is blocked.
 *
 * The index is derived from the rows and the clock; it holds no truth of its own. [claim] [groups] [clock]
 */
export class ReadyIndex {
  readonly #types = new Types()
  readonly gates: Gates
  readonly windows: RateWindows
  /** From where the clock stepped back; `Infinity` when it did not, or has returned. */
  #ahead = Infinity
  #waiting = 0
  readonly #expirations = new Expirations()

  constructor(
    rows: ReadonlyMap<string, GroupRow>,
    windows: RateWindows,
    isPausedQueue: (queueName: string) => boolean,
  ) {
    this.gates = new Gates(this.#types, rows, windows, isPausedQueue)
    this.windows = windows
  }

  /** The latest moment it was told; `-Infinity` before the first. */
  get now(): number {
    return this.gates.now
  }

  /** Waiting jobs past their `expireAt`. */
  get expired(): ReadonlySet<JobRow> {
    return this.#expirations.expired
  }

  get waiting(): number {
    return this.#waiting
  }

  /** The waiting jobs, in no order; `due`: without those whose time has not come, unless they have expired. */
  *rows(due: boolean): Generator<JobRow> {
    for (const lane of this.#types.lanes()) {
      yield* lane.ready
      if (!due) yield* lane.delayed
    }
    yield* this.gates.resting()
    yield* this.expired
  }

  add(row: JobRow): void {
    this.#waiting += 1
    const due = dueAt(row, this.now)
    // A delay that began to count goes on where it was, also when a claim is taken back. (NaN: it has not begun.)
    if (!(row.dueAt <= due)) row.dueAt = due
    if (this.#expirations.add(row, this.now)) return
    const lane = laneOf(this.#types.of(row.type), row)
    if (row.dueAt <= this.now) this.gates.enter(row, lane)
    else {
      row.stage = DELAYED
      lane.delayed.add(row)
    }
  }

  remove(row: JobRow): void {
    this.#waiting -= 1
    if (this.#expirations.remove(row)) return
    const lane = laneOf(this.#types.of(row.type), row)
    if (row.stage === DELAYED) lane.delayed.remove(row)
    else this.gates.leave(row, lane)
  }

  /** Moves the index's clock; jobs whose time has come join the order. Call it before `lanes`, `delayed` or adding. */
  advance(now: number): void {
    const before = this.now
    const first = before === -Infinity
    const steppedBack = now < before - CLOCK_STEP
    this.gates.now = now
    if (steppedBack || first) {
      if (steppedBack) this.#ahead = this.#ahead === Infinity ? before : Math.max(this.#ahead, before)
      this.#replaceTimed()
    } else if (now >= this.#ahead - CLOCK_STEP) {
      // Back where it stepped from: not what was before that step was wrong, but what came after it.
      this.#ahead = Infinity
      this.#replaceTimed(true)
    }
    for (let row = this.#expirations.next(now); row !== undefined; row = this.#expirations.next(now)) {
      this.remove(row)
      this.add(row)
    }
    for (const lane of this.#types.lanes()) {
      for (let row = lane.delayed.first(); row !== undefined && row.dueAt <= now; row = lane.delayed.first()) {
        lane.delayed.remove(row)
        this.gates.enter(row, lane)
      }
    }
    this.gates.refill()
  }

  /** Waiting jobs whose time has not come. */
  get delayed(): number {
    let count = 0
    for (const lane of this.#types.lanes()) count += lane.delayed.size
    for (const row of this.expired) if (row.dueAt > this.now) count += 1
    return count
  }

  /** The lanes a claimer may take from. */
  *lanes(types: readonly Lane[], have: ReadonlySet<string>): Generator<ReadyLane> {
    for (const { type, payloadVersion = 1 } of types) {
      for (const lane of this.#types.get(type)?.lanes.values() ?? []) {
        if (lane.payloadVersion <= payloadVersion && lane.requires.every((condition) => have.has(condition))) yield lane
      }
    }
  }

  /** Jobs that require this condition, among others, and whose time has not come. */
  *delayedFor(condition: string): Generator<JobRow> {
    for (const lane of this.#types.lanes()) if (lane.requires.includes(condition)) yield* lane.delayed
  }

  /** When the next group of this type that waits for its rate window may go on, by the time of `windows`. */
  nextOpening(type: string): number | null {
    return this.#types.get(type)?.opening.first()?.opensAt ?? null
  }

  /** After a wrong clock was set right, and at the first reading: who stands where another clock put it moves. [clock] */
  #replaceTimed(forget = false): void {
    const misplaced = this.#expirations.early(this.now)
    for (const lane of this.#types.lanes()) {
      for (const row of lane.delayed) if (dueAt(row, this.now) !== row.dueAt) misplaced.push(row)
      for (const row of lane.ready) if (row.dueAt > this.now) misplaced.push(row)
    }
    for (const row of this.gates.resting()) if (row.dueAt > this.now) misplaced.push(row)
    for (const row of misplaced) this.remove(row)
    for (const row of misplaced) {
      if (forget) row.dueAt = Number.NaN
      this.add(row)
    }
    this.gates.refillAll()
  }
}

/** See `JobRecord.delay`: a span never lasts longer than itself from when this replica looks. [clock] */
function dueAt(row: JobRow, now: number): number {
  if (row.delay === null) return -Infinity
  return row.delay < 0 || now === -Infinity ? row.runAt : Math.min(row.runAt, now + row.delay)
}
