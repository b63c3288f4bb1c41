import { HoldfastError } from '../../core/errors.ts'
import type { Snapshot } from '../../core/storage/job-table/job-table.ts'
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
  Turn,
} from '../../core/storage/log.ts'
import { Database, type DatabaseOptions, explained, nameOf, silent } from './database.ts'
import { within } from './deadline.ts'
import { onFreeze } from './open-transactions.ts'
import { asRecord, positionOf } from './records.ts'
import { beginFlush, type Flush, readTail, write, writeFirst } from './flush.ts'
import type { Handle } from './schema.ts'
import { Snapshots } from './snapshots.ts'

/** What tells other tabs that the log has grown: a hint, which may be lost. */
export interface Signal {
  tell(): void
  /** Returns what ends it. */
  listen(listener: () => void): () => void
  close(): void
}

export interface IndexedDbLogOptions extends Omit<DatabaseOptions, 'onClose'> {
  readonly writer: string
  /** How durable what has to survive a power cut is asked to be, and the rest. */
  readonly durability: { readonly durable: IDBTransactionDurability; readonly append: IDBTransactionDurability }
  /** Made at each opening; nothing where the platform has no such thing. */
  readonly openSignal: () => Signal | undefined
  readonly presence?: Presence & { open(): Promise<void>; close(): Promise<void>; look(): void }
  /** Between looks at the end of the log, ms. */
  readonly poll: number
  /** Changes in the log that make a snapshot worth its writing. */
  readonly snapshotAfter: number
}

const DONE: Receipt = { between: [] }

/** For how many flushes after a record of others the tail is read before anything is decided. */
const CAREFUL = 8

/** How often an exchange is begun anew, on a new connection, before its callers are told. */
const MOST_TRIES = 4
/** Before the second try, ms; twice as long before each further one. */
const FIRST_PAUSE = 50

/** How often the table is loaded anew because other tabs' snapshots came first. */
const MOST_LOADS = 3

type Guess = Parameters<Log['exchange']>[2]

/** One try of an exchange. */
class Attempt {
  /** Something was added: whether it stands is not known before the transaction's end. */
  appended = false
  #over = false

  /** It took too long, or failed: what it still does counts for nothing. */
  end(): void {
    this.#over = true
  }

  isOver(): boolean {
    return this.#over
  }
}

/**
 * A log in IndexedDB, shared by all tabs and workers of an origin. One readwrite transaction is one flush: it reads the
 * tail, decides, adds one record. The browser puts such transactions in an order, so nobody comes between and units
 * always stand. Nothing foreign is awaited within one, since it would end there, and since a page that is frozen with an
 * open transaction keeps all others waiting. [tests/adapters/indexeddb]
 */
export class IndexedDbLog implements Log {
  readonly exclusive = false
  readonly presence?: Presence
  readonly payloads: PayloadStore = { above: 16 * 1024, read: (keys) => this.#readChunks(keys) }
  readonly #options: IndexedDbLogOptions
  readonly #database: Database
  readonly #snapshots: Snapshots
  #replica: LogReplica | null = null
  #signal: Signal | undefined
  #stopWatchingPage = (): void => undefined
  /** Of the last record that the table contains; `null`: it is to be loaded. */
  #position: number | null = null
  /** What the table has to begin anew from. */
  #snapshot: Snapshot | null = null
  #damaged = 0
  #problem: Error | null = null
  #isWeaker = false
  #publishing: Promise<unknown> | null = null
  #closed = true
  /** Somebody said since the last reading that there is something to read. */
  #heard = false
  /** Flushes for which others are taken to be writing. */
  #careful = 0

  constructor(options: IndexedDbLogOptions) {
    this.#options = options
    if (options.presence !== undefined) this.presence = options.presence
    this.#database = new Database({ ...options, onClose: () => undefined })
    this.#snapshots = new Snapshots(options.writer, options.snapshotAfter)
  }

  async open(replica: LogReplica): Promise<void> {
    this.#replica = replica
    this.#position = null
    this.#closed = false
    this.#signal = this.#options.openSignal()
    this.#stopWatchingPage = onFreeze(() => this.#database.abort())
    await this.#options.presence?.open()
    await this.#load(await this.#database.connect())
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#stopWatchingPage()
    await this.#publishing
    await this.#options.presence?.close()
    this.#signal?.close()
    this.#database.drop()
  }

  async exchange(turn: Turn, need: Need, guess: Guess): Promise<Receipt> {
    for (let tries = 1; ; tries++) {
      const attempt = new Attempt()
      try {
        const receipt = await this.#try(turn, need, guess, attempt)
        this.#problem = null
        if (attempt.appended) this.#signal?.tell()
        return this.#snapshots.isDue(this.#position ?? 0) ? { ...receipt, unfinished: true } : receipt
      } catch (error) {
        attempt.end()
        this.#problem = explained(this.#options.name, error)
        const isFull = HoldfastError.is(this.#problem, 'HOLDFAST_STORAGE_FULL')
        if (attempt.appended && !isFull) throw this.#outcomeUnknown(error)
        if (isFull || tries === MOST_TRIES || !mayPass(this.#problem)) throw this.#problem
        await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE * 2 ** (tries - 1)))
      }
    }
  }

  watch(listener: () => void): () => void {
    const stop = this.#signal?.listen(() => {
      this.#heard = true
      listener()
    })
    const timer = setInterval(() => void this.#look(listener).catch(() => undefined), this.#options.poll)
    // Node, where this runs on an emulation.
    ;(timer as unknown as { unref?: () => void }).unref?.()
    return () => {
      stop?.()
      clearInterval(timer)
    }
  }

  health(): LogHealth {
    return { damaged: this.#damaged, problem: this.#problem, isWeaker: this.#isWeaker }
  }

  /** Every failure leaves the connection behind: a dead one never recovers, and a living one is soon opened again. */
  async #try(turn: Turn, need: Need, guess: Guess, attempt: Attempt): Promise<Receipt> {
    const handle = await this.#database.connect()
    try {
      if (this.#database.takeReset()) this.#position = null
      if (this.#position !== null) await this.#snapshotIfDue(handle)
      const append = this.#mayWriteFirst(need) ? guess() : 'read first'
      if (append === 'read first') return await this.#readFirst(handle, turn, need, attempt)
      return await this.#inTime(this.#writeFirst(handle, append, need, attempt), attempt)
    } catch (error) {
      this.#database.drop()
      throw error
    }
  }

  /** Some never answer. */
  #inTime<Answer>(work: Promise<Answer>, attempt: Attempt): Promise<Answer> {
    const { deadline, name } = this.#options
    return within(work, deadline, () => {
      attempt.end()
      return silent(name, 'for one transaction', deadline)
    })
  }

  /** While others write, a record that was decided without reading theirs would often be void. */
  #mayWriteFirst(need: Need): boolean {
    if (need === 'read' || this.#snapshot !== null || this.#position === null) return false
    return !this.#heard && --this.#careful < 0
  }

  async #writeFirst(handle: Handle, append: Append | null, need: Need, attempt: Attempt): Promise<Receipt> {
    if (append === null) return DONE
    const flush = this.#begin(handle, need)
    const position = this.#position ?? 0
    attempt.appended = true
    if (append.record === null) {
      await write(flush, append, position)
      return DONE
    }
    const landing = await writeFirst(handle, flush, { ...append, record: append.record }, position)
    if (attempt.isOver()) return DONE
    if (landing.between === null) {
      // The record is in the log, among records that are gone: the table begins anew, and finds it.
      this.#position = null
      throw new HoldfastError('HOLDFAST_OUTCOME_UNKNOWN', 'The log went on by a snapshot')
    }
    const between = this.#readAll(landing.between)
    if (landing.between.length > 0) this.#careful = CAREFUL
    this.#snapshots.count(changesOf(append.record))
    this.#position = landing.position
    return { between }
  }

  async #readFirst(handle: Handle, turn: Turn, need: Need, attempt: Attempt): Promise<Receipt> {
    for (let loads = 0; ; loads++) {
      if (this.#position === null) await this.#load(handle)
      const isDone = await this.#inTime(this.#take(handle, turn, need, attempt, loads < MOST_LOADS), attempt)
      if (isDone) return DONE
      this.#position = null
    }
  }

  /** Read, decide, add: one transaction. False: the log has gone on without this table, by a snapshot. */
  async #take(handle: Handle, turn: Turn, need: Need, attempt: Attempt, mayLoad: boolean): Promise<boolean> {
    const flush = this.#begin(handle, need)
    this.#heard = false
    const { values, isGone } = await readTail(flush, this.#position ?? 0)
    if (attempt.isOver()) return true
    if (isGone) {
      if (mayLoad) return false
      // It is not the snapshots: somebody removed a part of the log. What is left still counts.
      this.#damaged += 1
    }
    if (values.length > 0) {
      this.#careful = CAREFUL
      // Of a session that was opened elsewhere, somebody here wants to know when it ends.
      this.#options.presence?.look()
    }
    const append = this.#handOver(values, turn)
    if (append === null || need === 'read') return true
    attempt.appended = true
    const position = await write(flush, append, this.#position ?? 0)
    if (attempt.isOver()) return true
    this.#position = position
    if (append.record !== null) this.#snapshots.count(changesOf(append.record))
    return true
  }

  #begin(handle: Handle, need: Need): Flush {
    const durability = need === 'durable' ? this.#options.durability.durable : this.#options.durability.append
    const flush = beginFlush(handle, need, durability)
    // Some wrappers of IndexedDB drop the option without a word, and old browsers do not know it.
    if (need === 'durable') this.#isWeaker = durability === 'strict' && flush.durability !== 'strict'
    return flush
  }

  #handOver(values: readonly unknown[], turn: Turn): Append | null {
    const records = this.#readAll(values)
    const snapshot = this.#snapshot
    const append = turn(snapshot === null ? { records } : { snapshot, records })
    this.#snapshot = null
    if (values.length > 0) this.#position = positionOf(values.at(-1))
    return append
  }

  #readAll(values: readonly unknown[]): readonly LogRecord[] {
    return values.flatMap((value) => {
      const record = asRecord(value)
      if (record === null) this.#damaged += 1
      else this.#snapshots.count(changesOf(record))
      return record ?? []
    })
  }

  async #load(handle: Handle): Promise<void> {
    const { snapshot, position, damaged } = await this.#snapshots.load(handle)
    this.#snapshot = snapshot
    this.#position = position
    this.#damaged += damaged
  }

  async #readChunks(keys: readonly string[]): Promise<ReadonlyMap<string, readonly unknown[]>> {
    return this.#onHandle(async (handle) => {
      const store = handle.transaction('payloads').store
      const found = await Promise.all(keys.map((key) => store.get(key)))
      return new Map(keys.flatMap((key, at) => (Array.isArray(found[at]) ? [[key, found[at]] as const] : [])))
    })
  }

  /** A reading that may be repeated on another connection. */
  async #onHandle<Answer>(read: (handle: Handle) => Promise<Answer>): Promise<Answer> {
    const { deadline, name } = this.#options
    for (let tries = 1; ; tries++) {
      const handle = await this.#database.connect()
      try {
        return await within(read(handle), deadline, () => silent(name, 'for one transaction', deadline))
      } catch (error) {
        this.#database.drop()
        if (tries === MOST_TRIES) throw explained(name, error)
      }
    }
  }

  async #snapshotIfDue(handle: Handle): Promise<void> {
    const position = this.#position ?? 0
    if (this.#replica === null || this.#snapshot !== null || !this.#snapshots.isDue(position)) return
    const table = wholeTable(this.#replica)
    if (table === null || !(await this.#snapshots.begin(handle, position))) return
    const copy = await this.#snapshots.copy(table, position)
    this.#publishing = this.#snapshots.publish(handle, copy).catch(() => undefined)
  }

  async #look(listener: () => void): Promise<void> {
    if (this.#closed || this.#position === null) return
    const handle = await this.#database.connect()
    const cursor = await handle.transaction('log').store.openKeyCursor(null, 'prev')
    if ((cursor?.primaryKey ?? 0) !== this.#position) listener()
  }

  #outcomeUnknown(cause: unknown): HoldfastError {
    return new HoldfastError(
      'HOLDFAST_OUTCOME_UNKNOWN',
      `A transaction on ${this.#options.name} did not say how it ended (${nameOf(cause)}): that will be seen`,
      { cause },
    )
  }
}

/** Nothing, where a newer version wrote what this table lacks: a snapshot is left to those that know it. */
function wholeTable(replica: LogReplica): Snapshot | null {
  try {
    return replica.snapshot()
  } catch (error) {
    if (HoldfastError.is(error, 'HOLDFAST_STORAGE_NEWER')) return null
    throw error
  }
}

function changesOf({ units }: LogRecord): number {
  let changes = 0
  for (const unit of units) changes += unit.length
  return changes
}

/** Whether another try may end otherwise. */
function mayPass(error: Error): boolean {
  return HoldfastError.is(error, 'HOLDFAST_STORAGE') || HoldfastError.is(error, 'HOLDFAST_STORAGE_TIMEOUT')
}
