import { HoldfastError } from '../errors.ts'
import { Call, type Resolve } from './call.ts'
import type { Operation } from './job-table/decide.ts'
import type { Log } from './log.ts'
import type { Replica } from './replica.ts'
import type { Shelf } from './shelf.ts'

/** Jobs, outcomes and other items of calls in one flush of a shared log. */
const ITEMS_PER_FLUSH = 2000

/** For this long the end of a job can be read, however full the storage is. ms */
const SPARED = 10_000
/** The most that is pruned at once for want of room: the record of it has to fit as well. */
const PRUNED = 1000

export interface FlushesOptions {
  readonly name: string
  readonly log: Log
  readonly replica: Replica
  readonly shelf: Shelf | null
  readonly writer: string
  /** Called after each flush. */
  readonly flushed: () => void
  /** Whether somebody waits to be told what others write: then the log is read as soon as it has grown. */
  readonly follows: () => boolean
}

/** Calls on their way into the log: they gather while a flush is under way and go into the next one together. */
export class Flushes {
  /** The log may have grown since it was last read. */
  isBehind = false
  readonly #options: FlushesOptions
  #records = 0
  #calls: Call[] = []
  /** They wait for the log to be read. */
  #readers: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = []
  /** Why the log could not be read the last time; `null` when it was. */
  #unread: Error | null = null
  #flushing: Promise<void> | null = null
  /** The log had no space for a flush, and its reserve is not back since. */
  #isFull = false

  constructor(options: FlushesOptions) {
    this.#options = options
  }

  add(operation: Operation, resolve: Resolve, reject: (error: unknown) => void): void {
    this.#calls.push(new Call(operation, resolve, reject))
    this.#begin()
  }

  /** Or it may have. A flush without calls reads the tail. */
  grew(): void {
    this.isBehind = true
    if (this.#options.follows()) this.#begin()
  }

  #begin(): void {
    this.#flushing ??= this.#flushAll()
  }

  /** Resolves when no flush is under way. */
  async end(): Promise<void> {
    while (this.#flushing !== null) await this.#flushing
  }

  /** Resolves when a flush that began after this call has read the log; rejects when it could not. */
  catchUp(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#readers.push({ resolve, reject })
      this.#begin()
    })
  }

  async #flushAll(): Promise<void> {
    // Whoever calls in the same turn joins the first flush.
    await Promise.resolve()
    let unfinished: boolean
    do {
      const calls = this.#takeCalls()
      const readers = this.#readers.splice(0)
      unfinished = await this.#flush(this.#isFull ? await this.#admitted(calls) : calls, readers.length > 0)
      this.#options.flushed()
      // Others may have written since this flush has read. What cannot be read now is told to the next who calls.
      unfinished ||= this.isBehind && this.#unread === null && this.#options.follows()
      for (const { resolve, reject } of readers) {
        if (this.#unread === null) resolve()
        else reject(this.#unread)
      }
    } while (this.#calls.length + this.#readers.length > 0 || this.#options.replica.waiting || unfinished)
    this.#flushing = null
  }

  /** The calls of one flush. It is bounded, so that one caller's crowd does not keep everybody waiting. */
  #takeCalls(): readonly Call[] {
    let items = 0
    const isFirstAlone = this.#calls[0]?.isAlone
    const end = this.#calls.findIndex(
      (call, at) => (items += call.items) > ITEMS_PER_FLUSH || (at > 0 && (isFirstAlone || call.isAlone)),
    )
    return this.#calls.splice(0, end === -1 ? this.#calls.length : Math.max(1, end))
  }

  /** While the log is full, new work waits until there is room again: finished jobs make it, waiting ones never. */
  async #admitted(waiting: readonly Call[]): Promise<readonly Call[]> {
    const work = waiting.filter((call) => call.bringsWork)
    if (work.length === 0) return waiting
    await this.#flush([pruning(work)])
    this.#isFull = (await this.#options.log.reserve?.restore()) === false
    if (!this.#isFull) return waiting
    const error = new HoldfastError(
      'HOLDFAST_STORAGE_FULL',
      `The ${this.#options.name} storage is full: it ends jobs and takes none`,
    )
    for (const call of work) call.reject(error)
    return waiting.filter((call) => !call.bringsWork)
  }

  /**
   * The calls of a refused flush that are tried again: those that the log's reserve is for, and, where one of them brought
   * what cannot be stored, all, each by itself, so that only that one is refused. [tests/core/refused-calls.test.ts]
   */
  async #sparedBy(error: unknown, refused: readonly Call[]): Promise<readonly Call[]> {
    const { reserve } = this.#options.log
    if (HoldfastError.is(error, 'HOLDFAST_PAYLOAD_FORMAT') && refused.length > 1) {
      for (const call of refused) call.isAlone = true
      return refused
    }
    if (reserve === undefined || !HoldfastError.is(error, 'HOLDFAST_STORAGE_FULL')) return []
    this.#isFull = true
    const spared = refused.filter((call) => call.takeReserve())
    if (spared.length > 0) await reserve.release().catch(() => undefined)
    return spared
  }

  /** True when the log asks for another exchange. @param mustRead somebody waits for what others wrote */
  async #flush(waiting: readonly Call[], mustRead = false): Promise<boolean> {
    const recordId = `${this.#options.writer}.${++this.#records}`
    let decided = false as boolean
    try {
      this.#options.shelf?.shelveCalls(waiting)
      const receipt = await this.#options.log.exchange(
        (tail) => {
          this.isBehind = false
          this.#unread = null
          const append = this.#options.replica.turn(tail, waiting, recordId)
          decided = true
          return append
        },
        this.#options.replica.need(waiting),
        () => {
          const append = mustRead || this.isBehind ? 'read first' : this.#options.replica.guess(waiting, recordId)
          decided = append !== 'read first'
          return append
        },
      )
      // Before those that came meanwhile: whoever lost a race is the next to be served.
      this.#calls.unshift(...this.#options.replica.commit(receipt))
      return receipt.unfinished ?? false
    } catch (error) {
      await this.#failed(error, decided ? recordId : null, waiting)
      return false
    }
  }

  /** @param decided the record that the calls were decided for; `null`: the log could not even be read */
  async #failed(error: unknown, decided: string | null, waiting: readonly Call[]): Promise<void> {
    const { replica, name } = this.#options
    const refused = decided === null ? waiting : replica.abort(decided, error)
    if (decided === null) {
      const cause = { cause: error }
      this.#unread =
        error instanceof Error ? error : new HoldfastError('HOLDFAST_STORAGE', `${name} cannot be read`, cause)
      replica.unread(error)
    }
    const spared = await this.#sparedBy(error, refused)
    for (const call of refused) if (!spared.includes(call)) call.reject(error)
    this.#calls.unshift(...spared)
  }
}

/** Jobs that ended well, or were given up, go before anybody is told that there is no room; what failed stays. */
function pruning(work: readonly Call[]): Call {
  const now = Math.max(...work.map(({ operation }) => ('now' in operation.request ? operation.request.now : 0)))
  const rules = (['completed', 'cancelled'] as const).map((state) => ({ state, finishedBefore: now, keep: 0 }))
  const ignore = (): void => undefined
  return new Call({ name: 'prune', request: { rules, spareSince: now - SPARED, limit: PRUNED, now } }, ignore, ignore)
}
