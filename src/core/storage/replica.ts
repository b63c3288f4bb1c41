import { HoldfastError } from '../errors.ts'
import type { Call } from './call.ts'
import { decide, type Operation, type Part } from './job-table/decide.ts'
import { JobTable, type Snapshot, type Undo } from './job-table/job-table.ts'
import type { Unit } from './job-table/rows.ts'
import {
  type Append,
  LOG_FORMAT,
  type LogRecord,
  type Need,
  type PayloadChunk,
  type Receipt,
  type Tail,
} from './log.ts'
import { NewestRecords } from './newest-records.ts'
import { RecordReplay } from './record-replay.ts'

/** Losing one of these in a power cut causes a re-run at most; everything else is durable before it is answered. */
const NOT_DURABLE: ReadonlySet<Operation['name']> = new Set(['claim', 'beat'])

/** How often a call whose record did not arrive is decided again before its caller is told. */
const MOST_TRIES = 5

/**
 * How many races a call may lose before its caller is told. Whoever loses one has others to thank for it who won, so the
 * storage as a whole goes on; where 2 in 100 are lost, no call ever comes so far.
 */
const MOST_RACES = 32

const NO_TAIL: Tail = { records: [] }

/** An append whose fate is unknown: the next tail tells. */
interface Uncertain {
  readonly recordId: string
  readonly calls: readonly Call[]
}

/**
 * This handle's copy of the table and what it takes to keep it equal to the log's: own units are applied when they are
 * decided, taken back when others turn out to have come first, and found again in the tail when an answer was lost.
 */
export class Replica {
  table: JobTable = new JobTable()
  /** Changes were missed or taken back: who keeps a picture must read again. */
  gap = false
  readonly newest: NewestRecords = new NewestRecords()
  readonly #name: string
  #uncertain: Uncertain | null = null
  /** The format of newer code, beyond which this handle only reads; 0: all is understood. */
  #newer = 0
  /** Calls of the flush that is under way, as decided in its latest turn. */
  #deciding: readonly Call[] = []
  /** Calls that a tail brought back, to be decided with those of the next turn. */
  #again: readonly Call[] = []
  /** Calls whose record was found in a tail: answered once an exchange confirms that the log is durable that far. */
  #found: Call[] = []
  #undo: Undo | undefined
  /** What the latest turn wants to be appended. */
  #record: LogRecord | null = null

  constructor(name: string) {
    this.#name = name
  }

  /** Why this handle only reads; `null`: it does not. */
  get problem(): HoldfastError | null {
    return this.#newer ? newerFormat(this.#name, this.#newer) : null
  }

  /** @throws HoldfastError `HOLDFAST_STORAGE_NEWER`: a snapshot without what this version does not know would lose it */
  snapshot(): Snapshot {
    if (this.problem !== null) throw this.problem
    return this.table.snapshot()
  }

  /** True while calls wait for an exchange that is not theirs. */
  get waiting(): boolean {
    return this.#uncertain !== null || this.#again.length > 0 || this.#found.length > 0
  }

  /** The most that a turn with these calls will ask of the log. */
  need(calls: readonly Call[]): Need {
    // An answer that rests on what others wrote must not outlive it. [answers rest on durable records]
    if (this.waiting || calls.some(isDurable)) return 'durable'
    return calls.length === 0 ? 'read' : 'append'
  }

  /** Takes over a tail and decides nothing. What was decided and did not reach the log is undone. */
  catchUp({ snapshot, records, isNewer, hasMore }: Tail): void {
    this.#takeBack()
    if (isNewer) this.#newer = LOG_FORMAT + 1
    if (snapshot !== undefined) this.#beginAnew(snapshot)
    const uncertain = this.#uncertain
    let again = uncertain?.calls ?? []
    // What was decided for them shows itself on the table that is gone: then they are decided again, on what arrived.
    let arrived = snapshot !== undefined
    for (const record of records) {
      if (arrived || record.id !== uncertain?.recordId) this.#applyRecord(record)
      else {
        // It arrived after all. A second copy of it is void.
        arrived = true
        this.newest.add(record)
        again = this.#applyCalls(again)
      }
    }
    if (hasMore && !arrived) return
    // Without the record in a tail that was read to its end, it is not in the log.
    this.#uncertain = null
    this.#again = [...this.#again, ...again.filter(({ rejected }) => !rejected)]
  }

  /** One turn: what others appended, then the calls. Returns what is to be appended. */
  turn(tail: Tail, calls: readonly Call[], recordId: string): Append | null {
    this.#prepare(tail, calls)
    for (const call of this.#deciding) this.#decide(call)
    return this.#append(recordId)
  }

  /** A turn that has read nothing: every answer must rest on a unit, which the log accepts or not. */
  guess(calls: readonly Call[], recordId: string): Append | null | 'read first' {
    // Whether its record arrived can only be read. [tests/core/log-seam.test.ts]
    if (this.#uncertain !== null || this.problem !== null) return 'read first'
    this.#prepare(NO_TAIL, calls)
    try {
      for (const call of this.#deciding) {
        this.#decideParts(call)
        if (call.parts.some(({ unit }) => unit === null)) return 'read first'
      }
    } catch {
      return 'read first'
    }
    return this.#append(recordId)
  }

  #prepare(tail: Tail, calls: readonly Call[]): void {
    // By the callers' clock, not by what it was when this handle was last asked: a delay counts from now. [clock]
    const timed = calls.find(({ operation }) => 'now' in operation.request)
    if (timed !== undefined && 'now' in timed.operation.request) this.table.ready.advance(timed.operation.request.now)
    this.catchUp(tail)
    this.#undo = []
    this.#deciding = this.#again.length === 0 ? calls : [...this.#again, ...calls]
  }

  #append(recordId: string): Append | null {
    const units: Unit[] = []
    this.#record = null
    if (this.problem !== null) return null
    // An answer that rests on what others wrote must not outlive it. [answers rest on durable records]
    let durable = this.#found.length > 0
    for (const call of this.#deciding) {
      durable ||= isDurable(call)
      for (const { unit } of call.parts) if (unit !== null) units.push(unit)
    }
    if (units.length > 0) {
      const payloads = namedBy(units, new Set(this.#deciding.flatMap(({ chunks }) => chunks ?? [])))
      this.#record = { id: recordId, format: LOG_FORMAT, units }
      return { record: this.#record, durable, ...(payloads.length > 0 && { payloads }) }
    }
    return durable ? { record: null, durable } : null
  }

  /** The append stands. Answers its calls, and returns those that lost a race and are to be decided again. */
  commit({ between }: Receipt): readonly Call[] {
    const calls = this.#deciding
    this.#deciding = []
    this.#again = []
    let again: readonly Call[] = []
    if (between.length === 0) {
      this.#undo = undefined
      for (const call of calls) if (call.accept([])) call.resolve()
    } else {
      this.#takeBack()
      for (const record of between) this.#applyRecord(record)
      again = this.#applyCalls(calls)
    }
    if (this.#record !== null) this.newest.add(this.#record)
    const found = this.#found
    this.#found = []
    for (const call of found) call.resolve()
    return again
  }

  /**
   * The append certainly is not in the log: returns its calls, and the caller decides what becomes of them. Or nobody
   * knows: then they wait for the next tail.
   */
  abort(recordId: string, error: unknown): readonly Call[] {
    this.#takeBack()
    const calls = this.#deciding
    this.#deciding = []
    this.#again = []
    this.#found = triedAgain(this.#found, error)
    if (!HoldfastError.is(error, 'HOLDFAST_OUTCOME_UNKNOWN')) return calls.filter(({ rejected }) => !rejected)
    this.#doubt({ recordId, calls }, error)
    return []
  }

  /** The log could not even be read: whoever waits for the tail does so a bounded number of times. */
  unread(error: unknown): void {
    this.#takeBack()
    this.#deciding = []
    this.#found = triedAgain(this.#found, error)
    this.#again = triedAgain(this.#again, error)
    if (this.#uncertain !== null) this.#doubt(this.#uncertain, error)
  }

  /**
   * Calls whose caller was told stay with the others until the tail has been read: the record is applied whole, if it
   * arrived. When all were told, nobody waits for it, and the tail's copy is a record like any other.
   */
  #doubt(uncertain: Uncertain, error: unknown): void {
    triedAgain(uncertain.calls, error)
    this.#uncertain = uncertain.calls.every(({ rejected }) => rejected) ? null : uncertain
  }

  #mayRaceAgain(call: Call): boolean {
    call.races += 1
    if (call.races >= MOST_RACES) call.reject(busy(this.#name))
    return !call.rejected
  }

  #decide(call: Call): void {
    try {
      this.#decideParts(call)
    } catch (error) {
      call.open = call.open.slice(0, call.parts.length)
      call.reject(error)
    }
  }

  #decideParts(call: Call): void {
    call.parts = []
    if (this.problem !== null) throw this.problem
    decide(this.table, call.operation, call.open, call.parts, this.#undo)
  }

  #beginAnew(snapshot: Snapshot): void {
    // What this handle saw of time stays: a delay, or a window, that it began to wait for does not begin anew. [clock]
    const table = new JobTable(this.table.ready.windows)
    table.ready.advance(this.table.ready.now)
    // May fail half-way, where rows are read from a disk.
    table.restore(snapshot)
    table.changes = this.table.changes
    this.table = table
    this.gap = true
  }

  #applyRecord(record: LogRecord): void {
    this.newest.add(record)
    if (record.format > LOG_FORMAT) this.#newer = record.format
    if (this.#newer) return
    const replay = new RecordReplay(this.table)
    for (const unit of record.units) replay.apply(unit)
  }

  /** Applies what was decided for the calls; those with void parts are returned, the others are answered in the end. */
  #applyCalls(calls: readonly Call[]): readonly Call[] {
    // What they were decided on may have been changed by what this version cannot read.
    if (this.problem !== null) {
      for (const call of calls) call.reject(overtaken(this.problem))
      return []
    }
    const replay = new RecordReplay(this.table)
    const applied = calls.map((call) => call.parts.flatMap((part, at) => (applyPart(replay, part) ? [] : [at])))
    const again: Call[] = []
    for (const [at, call] of calls.entries()) {
      if (call.accept(applied[at] as number[])) this.#found.push(call)
      else if (this.#mayRaceAgain(call)) again.push(call)
    }
    return again
  }

  #takeBack(): void {
    if (this.#undo === undefined) return
    this.table.takeBack(this.#undo)
    this.#undo = undefined
    this.table.takeChanges()
    this.gap = true
  }
}

/** The chunks that a job was put into. What follows an outcome is not stored when that did not come, or came before. */
function namedBy(units: readonly Unit[], chunks: ReadonlySet<PayloadChunk>): readonly PayloadChunk[] {
  if (chunks.size === 0) return []
  const named = new Set(units.flatMap((unit) => unit.map(({ to }) => to?.['shelf'])))
  return [...chunks].filter(({ key }) => named.has(key))
}

function isDurable({ operation }: Call): boolean {
  return !NOT_DURABLE.has(operation.name)
}

/** The answer is made anew: a job that others came before has another place in the order. */
function applyPart(replay: RecordReplay, part: Part): boolean {
  if (part.unit !== null && !replay.apply(part.unit)) return false
  part.answer = part.show()
  return true
}

/** Those that may go on waiting; the others' callers are told. */
function triedAgain(calls: readonly Call[], error: unknown): Call[] {
  return calls.filter((call) => {
    call.tries += 1
    if (call.tries >= MOST_TRIES) call.reject(error)
    return !call.rejected
  })
}

function busy(name: string): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_STORAGE_BUSY',
    `The ${name} storage is written to by so many at once that this call lost ${MOST_RACES} races: repeat it`,
  )
}

function overtaken(cause: HoldfastError): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_OUTCOME_UNKNOWN',
    'A newer version of holdfast wrote something between: whether the call took effect, only that version can tell',
    { cause },
  )
}

function newerFormat(name: string, value: number): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_STORAGE_NEWER',
    `The ${name} storage holds records of a newer version of holdfast: this version only reads them`,
    { details: { field: 'format', value } },
  )
}
