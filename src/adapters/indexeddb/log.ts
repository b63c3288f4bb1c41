/* eslint-disable max-lines -- the state of one log, which its exchanges, its snapshots and its health all share */
import { HoldfastError } from '../../core/errors.ts'
import type {
  Append,
  Log,
  LogHealth,
  LogRecord,
  LogReplica,
  Need,
  PayloadStore,
  Presence,
  Receipt,
  Reserve,
  Tail,
  Turn,
} from '../../core/storage/log.ts'
import { Attempt } from './attempt.ts'
import { requestPersistence, statusOf } from './browser-storage.ts'
import { Damage } from './damage.ts'
import { Database, pauseBeforeNext } from './database.ts'
import { blocked, crowded, explained, growing, MANY_ROWS, newer, outcomeUnknown } from './failures.ts'
import { beginFlush, endOfLog, type Flush, readTail, write, writeFirst } from './flush.ts'
import type { IndexedDbLogOptions, Signal } from './log-options.ts'
import { readChunks } from './payloads.ts'
import { asRecord, changesOf, positionOf } from './records.ts'
import { reserve } from './reserve.ts'
import type { Handle } from './schema.ts'
import { Snapshots } from './snapshots.ts'

const DONE: Receipt = { between: [] }

/** For how many flushes after a record of others the tail is read before anything is decided. */
const CAREFUL = 8

type Guess = Parameters<Log['exchange']>[2]

type Asked = { readonly turn: Turn; readonly need: Need; readonly attempt: Attempt }

/**
 * A log in IndexedDB, shared by all tabs and workers of an origin. One readwrite transaction is one flush: it reads the
 * tail, decides, adds one record. The browser puts such transactions in an order, so nobody comes between and units
 * always stand. Nothing foreign is awaited within one, since it would end there, and since a page that is frozen with an
 * open transaction keeps all others waiting. [tests/browser/indexeddb-failures.test.ts]
 */
export class IndexedDbLog implements Log {
  readonly #damage = new Damage()
  readonly presence?: Presence
  readonly payloads: PayloadStore = { above: 16 * 1024, read: (keys) => readChunks(this.#database, this.#damage, keys) }
  readonly reserve: Reserve = {
    release: () => this.#database.repeated((handle) => this.#database.inTime(reserve.release(handle))),
    restore: () => this.#restoreReserve(),
  }
  readonly #options: IndexedDbLogOptions
  readonly #database: Database
  readonly #snapshots: Snapshots
  #replica: LogReplica | null = null
  #signal: Signal | undefined
  #stopWatchingPage = (): void => undefined
  /** Told that there may be something to read. */
  #listener = (): void => undefined
  #healthListener = (): void => undefined
  /** Of the last record that the table contains; `null`: it is to be loaded. */
  #position: number | null = null
  /** The highest position that the table ever had since the data was last reset. */
  #highest = 0
  /** What the table has to begin anew from. */
  #snapshot: Pick<Tail, 'snapshot' | 'isNewer'> | null = null
  /** Where the table stands on what is left of a log: that its own record is missing there is known. */
  #gapAt: number | null = null
  #resets = 0
  #problem: Error | null = null
  /** Exchanges in a row of which nobody knows how they ended. */
  #doubts = 0
  /** There was no space for a flush, and the reserve is not back since. */
  #full: Error | null = null
  #crowd: Error | null = null
  #isWeaker = false
  #publishing: Promise<unknown> | null = null
  #closed = true
  /** Flushes for which others are taken to be writing. */
  #careful = 0

  constructor(options: IndexedDbLogOptions) {
    this.#options = options
    if (options.presence !== undefined) this.presence = options.presence
    const onBlocked = (): void => this.#healthListener()
    this.#database = new Database({ ...options, onLost: () => this.#listener(), onBlocked })
    this.#snapshots = new Snapshots({ ...options, database: this.#database, damage: this.#damage })
  }

  async open(replica: LogReplica): Promise<void> {
    this.#replica = replica
    this.#position = null
    this.#highest = 0
    this.#closed = false
    try {
      this.#signal = this.#options.openSignal()
      await Promise.all([this.#options.presence?.open(), this.#database.repeated((handle) => this.#load(handle))])
      this.#stopWatchingPage = this.#options.watchPage({
        left: () => this.#database.leave(),
        back: () => {
          this.#database.comeBack()
          void this.#look()
        },
      })
      // In its own time: nobody waits for it.
      if (!this.#database.isReadOnly)
        void this.#database.repeated((handle) => reserve.restore(handle)).catch(() => undefined)
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#stopWatchingPage()
    await this.#publishing
    await this.#options.presence?.close()
    this.#signal?.close()
    this.#database.comeBack()
    this.#database.drop()
  }

  async exchange(turn: Turn, need: Need, guess: Guess): Promise<Receipt> {
    const { name } = this.#options
    for (let tries = 1; ; tries++) {
      const attempt = new Attempt()
      try {
        const receipt = await this.#try(turn, need, guess, attempt, tries === 1)
        this.#problem = null
        this.#doubts = 0
        if (attempt.appended) this.#signal?.tell()
        return this.#isSnapshotDue() ? { ...receipt, unfinished: true } : receipt
      } catch (error) {
        attempt.end()
        const problem = explained(name, error)
        const isFull = HoldfastError.is(problem, 'HOLDFAST_STORAGE_FULL')
        if (isFull) this.#full = problem
        else if (attempt.appended) {
          // One is soon cleared up, and nobody needs to know.
          if (++this.#doubts > 1) this.#problem = problem
          throw outcomeUnknown(name, error)
        }
        await pauseBeforeNext(tries, problem).catch((final: unknown) => {
          // Of a payload that cannot be stored the log is none the worse, and that it is full is told above.
          if (!isFull && !HoldfastError.is(problem, 'HOLDFAST_PAYLOAD_FORMAT')) this.#problem = problem
          throw final
        })
      }
    }
  }

  watch(listener: () => void): () => void {
    this.#listener = listener
    const stop = this.#signal?.listen(() => this.#listener())
    const timer = setInterval(() => void this.#look(), this.#options.poll)
    // Node, where this runs on an emulation.
    ;(timer as unknown as { unref?: () => void }).unref?.()
    return () => {
      this.#listener = (): void => undefined
      stop?.()
      clearInterval(timer)
    }
  }

  get keepsBlobs(): boolean {
    return this.#database.keepsBlobs
  }

  health(): LogHealth {
    const problem = this.#problem ?? this.#full ?? this.#hindrance()
    const degraded = this.#snapshots.problem ?? this.#crowding()
    return { damaged: this.#damage.count, resets: this.#resets, problem, degraded, isWeaker: this.#isWeaker }
  }

  watchHealth(listener: () => void): void {
    this.#healthListener = listener
  }

  /** Once there are too many it says so until they are a twentieth fewer: around the limit each job would be news. */
  #crowding(): Error | null {
    const rows = this.#replica?.size ?? 0
    if (rows > MANY_ROWS) this.#crowd ??= crowded(rows)
    else if (rows <= 0.95 * MANY_ROWS) this.#crowd = null
    return this.#crowd
  }

  #hindrance(): Error | null {
    const { name } = this.#options
    if (this.#database.isBlocked) return blocked(name)
    return this.#database.isReadOnly ? newer(name) : null
  }

  status(): ReturnType<typeof statusOf> {
    return statusOf(this.#options.browserStorage())
  }

  requestPersistence(): Promise<boolean | null> {
    return requestPersistence(this.#options.browserStorage())
  }

  /** Every failure leaves the connection behind: a dead one never recovers, and a living one is soon opened again. */
  async #try(turn: Turn, need: Need, guess: Guess, attempt: Attempt, isFirst: boolean): Promise<Receipt> {
    const handle = await this.#connect()
    try {
      // Later the table holds what the try before decided, which is not in the log. [tests/browser/indexeddb-sweep.test.ts]
      if (isFirst) await this.#snapshotIfDue(handle)
      const append = this.#mayWriteFirst(need) ? guess() : 'read first'
      if (append === 'read first') return await this.#readFirst(handle, { turn, need, attempt })
      return await this.#database.inTime(this.#writeFirst(handle, append, need, attempt))
    } catch (error) {
      this.#database.drop(handle)
      throw error
    } finally {
      if (!this.#database.isReadOnly) void this.#damage.keep(handle)
    }
  }

  /** What was not loaded from this database is not written to it. */
  async #connect(): Promise<Handle> {
    const handle = await this.#database.connect()
    if (this.#database.takeReset()) this.#wasReset()
    return handle
  }

  /** While others write, a record that was decided without reading theirs would often be void. */
  #mayWriteFirst(need: Need): boolean {
    if (need === 'read' || this.#snapshot !== null || this.#position === null) return false
    return !this.#database.isReadOnly && --this.#careful < 0
  }

  async #writeFirst(handle: Handle, append: Append | null, need: Need, attempt: Attempt): Promise<Receipt> {
    if (append === null) return DONE
    const flush = this.#begin(handle, need, attempt)
    const position = this.#position ?? 0
    if (append.record === null) {
      await write(flush, append, position, attempt)
      return DONE
    }
    const landing = await writeFirst(handle, flush, { ...append, record: append.record }, position, attempt)
    if (attempt.isOver()) return DONE
    if (landing.between === null) {
      // The record is in the log, among records that are gone: the table begins anew, and finds it.
      this.#position = null
      throw new HoldfastError('HOLDFAST_OUTCOME_UNKNOWN', 'The log went on by a snapshot')
    }
    const between = this.#readAll(landing.between)
    if (landing.between.length > 0) this.#careful = CAREFUL
    this.#snapshots.count(changesOf(append.record))
    this.#standsAt(landing.position)
    return { between }
  }

  async #readFirst(handle: Handle, asked: Asked): Promise<Receipt> {
    for (let loaded: number | null = null, reads = 0; ; reads++) {
      const before = loaded
      const isFresh = this.#position === null
      if (isFresh) loaded = await this.#load(handle)
      // The same snapshot again: no other tab's came first, so what is missing is gone. Who has read on from there since
      // may have been overtaken by a newer one.
      const mayLoad = !isFresh || loaded !== before
      const taken = await this.#database.inTime(this.#take(handle, asked, mayLoad, reads))
      if (taken === 'done') return DONE
      if (taken === 'gone') this.#position = null
    }
  }

  /** Read, decide, add: one transaction. `gone`: the log has gone on without this table, by a snapshot. */
  async #take(
    handle: Handle,
    { turn, need, attempt }: Asked,
    mayLoad: boolean,
    reads: number,
  ): Promise<'done' | 'more' | 'gone'> {
    const flush = this.#begin(handle, need, attempt)
    const place = this.#position ?? 0
    const { values, isGone, hasMore } = await readTail(flush, place, reads)
    if (attempt.isOver()) return 'done'
    if (isGone && place !== this.#gapAt) {
      if (mayLoad) return 'gone'
      this.#acceptGap(place, values)
    }
    // What is behind the snapshot of a table that was just loaded was written at any time before.
    if (values.length > 0 && this.#snapshot === null) this.#careful = CAREFUL
    if (hasMore) {
      // Who is far behind reads on in transactions of their own, each over before its records are applied.
      await flush.done
      if (attempt.isOver()) return 'done'
      this.#handOver(values, (tail) => this.#replica?.catchUp({ ...tail, hasMore }) ?? null)
      return 'more'
    }
    const append = this.#handOver(values, turn)
    if (append === null || need === 'read') return 'done'
    if (this.#database.isReadOnly) throw newer(this.#options.name)
    const position = await write(flush, append, this.#position ?? 0, attempt)
    if (attempt.isOver()) return 'done'
    this.#standsAt(position)
    if (append.record !== null) this.#snapshots.count(changesOf(append.record))
    return 'done'
  }

  /** Somebody removed a part of the log, or all of it: the table goes on from what is left. */
  #acceptGap(place: number, values: readonly unknown[]): void {
    this.#gapAt = place
    const hasGap = values.length > 0 && positionOf(values[0]) > place + 1
    const end = values.length > 0 ? positionOf(values.at(-1)) : place
    if (this.#highest > 0 && (hasGap || end < this.#highest)) this.#resets += 1
    else if (hasGap) this.#damage.add(`log/${place + 1}`)
    this.#highest = 0
  }

  #begin(handle: Handle, need: Need, attempt: Attempt): Flush {
    const durability = need === 'durable' ? this.#options.durability.durable : this.#options.durability.append
    const flush = beginFlush(handle, need, durability)
    attempt.uses(flush)
    // Some wrappers of IndexedDB drop the option without a word, and old browsers do not know it.
    if (need !== 'read' && durability === 'strict') this.#isWeaker = flush.durability !== durability
    return flush
  }

  #handOver(values: readonly unknown[], turn: Turn): Append | null {
    const records = this.#readAll(values)
    const append = turn({ ...this.#snapshot, records })
    this.#snapshot = null
    if (values.length > 0) this.#standsAt(positionOf(values.at(-1)))
    return append
  }

  #standsAt(position: number): void {
    this.#position = position
    this.#highest = Math.max(this.#highest, position)
  }

  #readAll(values: readonly unknown[]): readonly LogRecord[] {
    return values.flatMap((value) => {
      const record = asRecord(value)
      if (record === null) this.#damage.add(`log/${positionOf(value)}`, value)
      else this.#snapshots.count(changesOf(record))
      return record ?? []
    })
  }

  async #load(handle: Handle): Promise<number> {
    const { snapshot, position, isNewer } = await this.#snapshots.load(handle)
    this.#snapshot = { snapshot, isNewer }
    this.#position = position
    return position
  }

  #wasReset(): void {
    this.#resets += 1
    this.#position = null
    this.#highest = 0
    // Stores that were emptied go on numbering where they were.
    this.#gapAt = 0
  }

  #isSnapshotDue(): boolean {
    const replica = this.#replica
    // Who only reads makes none, however long the log has grown.
    if (this.#database.isReadOnly || replica?.isWhole !== true) return false
    return this.#snapshots.isDue(this.#position ?? 0, replica.size)
  }

  /** What goes wrong with a snapshot is no reason for a flush to fail: `health` tells it. */
  async #snapshotIfDue(handle: Handle): Promise<void> {
    const [position, replica] = [this.#position, this.#replica]
    if (position === null || replica === null || this.#snapshot !== null || !this.#isSnapshotDue()) return
    const failed = (cause: unknown): void => this.#snapshots.failed(position, growing(this.#options.name, cause))
    try {
      const begun = await this.#database.inTime(this.#snapshots.begin(handle, position))
      // Whatever is there now is loaded, or the snapshot would be due for ever.
      if (begun === null) this.#position = null
      if (begun !== true) return
      await this.#database.inTime(this.#damage.keep(handle))
      const copy = await this.#snapshots.copy(replica.snapshot(), position)
      const published = this.#snapshots.publish(handle, copy).catch(failed)
      this.#publishing = published.then(() => this.#healthListener())
    } catch (error) {
      failed(error)
    }
  }

  async #restoreReserve(): Promise<boolean> {
    try {
      // What the log holds twice goes by a snapshot, and with it what was pruned.
      if (this.#replica?.isWhole === true && this.#position !== null && this.#snapshot === null) {
        this.#snapshots.hurry()
        await this.#snapshotIfDue(await this.#connect())
        await this.#publishing
      }
      await this.#database.repeated((handle) => this.#database.inTime(reserve.restore(handle)))
      this.#full = null
      return true
    } catch {
      return false
    }
  }

  /** Whoever was told that the storage is full is told when it is not, also where nobody tries to enqueue meanwhile. */
  async #lookForRoom(handle: Handle): Promise<void> {
    const hasRoom = await this.#database.inTime(reserve.probe(handle)).then(
      () => true,
      () => false,
    )
    if (!hasRoom || this.#full === null) return
    this.#full = null
    this.#healthListener()
  }

  async #look(): Promise<void> {
    // A database that somebody deletes comes back when somebody needs it.
    if (this.#closed || this.#position === null || this.#database.isDeleted) return
    let handle: Handle | undefined
    try {
      handle = await this.#database.connect()
      if ((await this.#database.inTime(endOfLog(handle))) !== this.#position) this.#listener()
      if (this.#full !== null && !this.#database.isReadOnly) await this.#lookForRoom(handle)
    } catch {
      // The next flush finds out what is wrong, and tells.
      if (handle !== undefined) this.#database.drop(handle)
      this.#listener()
    }
  }
}
