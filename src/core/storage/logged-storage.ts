import { HoldfastError } from '../errors.ts'
import type {
  AmendAnswer,
  AmendRequest,
  BeatAnswer,
  BeatRequest,
  ClaimAnswer,
  ClaimRequest,
  DefineRequest,
  DefinitionKind,
  DefinitionRecord,
  EnqueueAnswer,
  EnqueueRequest,
  JobCounts,
  JobRecord,
  ListAnswer,
  ListRequest,
  Notifier,
  PauseScope,
  PruneRequest,
  RunningRequest,
  SessionRecord,
  SessionRequest,
  SettleAnswer,
  SettleRequest,
  StorageAdapter,
  StorageHealth,
  StorageTraits,
  TickRequest,
} from './contract.ts'
import type { Operation } from './job-table/decide.ts'
import { type JobTable, pauseScopes } from './job-table/job-table.ts'
import { counts, list } from './job-table/query.ts'
import { toRecord } from './job-table/rows.ts'
import { definitions } from './job-table/schedule.ts'
import { sessionRecords } from './job-table/session.ts'
import type { Log, LogHealth } from './log.ts'
import { LogHints } from './log-hints.ts'
import { Call, Replica } from './replica.ts'
import { payloadLost, Shelf } from './shelf.ts'

export interface LoggedStorageOptions {
  readonly name: string
  readonly traits: StorageTraits
  readonly log: Log
  /** Makes a name that no other writer of the log uses. */
  readonly writer: string
}

const NO_TROUBLE: LogHealth = { damaged: 0, problem: null }

/** Jobs, outcomes and other items of calls in one flush of a shared log. */
const ITEMS_PER_FLUSH = 2000

/**
 * The contract over a Log. Calls gather while a flush is under way and go into the next one together: one write and
 * one sync serve them all, whatever their number. A flush reads what others appended, decides the calls one after the
 * other on the table, and appends what they wrote as one record; calls that only read, or found nothing to write, cost
 * no append. [two handles] [lost and repeated appends: tests/core/logged-storage.test.ts]
 */
export class LoggedStorage implements StorageAdapter {
  readonly contract = 1
  readonly name: string
  readonly traits: StorageTraits
  readonly notifier: Notifier
  readonly #log: Log
  readonly #writer: string
  readonly #replica: Replica
  readonly #shelf: Shelf | null
  #records = 0
  #calls: Call[] = []
  #flushing: Promise<void> | null = null
  #state: 'closed' | 'open' | 'closing' = 'closed'
  #opening: Promise<void> | null = null
  #closing: Promise<void> | null = null
  #behind = false
  /** Why the log could not be read the last time; `null` when it was. */
  #unread: Error | null = null
  #stopWatching: (() => void) | null = null
  readonly #hints: LogHints

  constructor({ name, traits, log, writer }: LoggedStorageOptions) {
    this.name = name
    this.traits = Object.freeze({ ...traits })
    this.#log = log
    this.#writer = writer
    this.#replica = new Replica(name)
    this.#shelf = log.payloads === undefined ? null : new Shelf(log.payloads, writer)
    this.#hints = new LogHints(this.#replica)
    this.notifier = this.#hints
  }

  open(): Promise<void> {
    if (this.#closing !== null) return this.#closing.then(() => this.open())
    this.#opening ??= this.#open()
    return this.#opening
  }

  async #open(): Promise<void> {
    try {
      await this.#log.open({
        catchUp: (tail) => this.#replica.catchUp(tail),
        snapshot: () => this.#replica.snapshot(),
      })
      this.#stopWatching = this.#watchLog()
      this.#state = 'open'
      await this.#catchUp()
      // Until the log was read once, this handle knows nothing of the jobs.
      if (this.#unread !== null) throw this.#unread
    } catch (error) {
      if (this.#state === 'open') await this.#leave().catch(() => undefined)
      this.#opening = null
      throw error
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close().finally(() => {
      this.#closing = null
    })
    return this.#closing
  }

  async #close(): Promise<void> {
    if (this.#opening === null) return
    await this.#opening.catch(() => undefined)
    if (this.#state !== 'open') return
    this.#state = 'closing'
    while (this.#flushing !== null) await this.#flushing
    await this.#leave().finally(() => (this.#opening = null))
  }

  async #leave(): Promise<void> {
    this.#state = 'closed'
    this.#stopWatching?.()
    await this.#log.close()
  }

  session(request: SessionRequest): Promise<{ readonly epoch: number }> {
    return this.#call({ name: 'session', request: 'open' in request ? this.#signed(request) : request })
  }

  async enqueue(request: EnqueueRequest): Promise<EnqueueAnswer> {
    const answer = await this.#call<EnqueueAnswer>({ name: 'enqueue', request })
    if (answer.accepted) await this.#fill(answer.jobs.map(({ job }) => job))
    return answer
  }

  async claim(request: ClaimRequest): Promise<ClaimAnswer> {
    const answer = await this.#call<ClaimAnswer>({ name: 'claim', request })
    const lost = await this.#fill(answer.jobs)
    if (lost.length === 0) return answer
    // Nothing can run them, so nobody is to try.
    await this.settle({ batch: lost.map(payloadLost), now: request.now })
    return { ...answer, jobs: answer.jobs.filter((job) => !lost.includes(job)) }
  }

  beat(request: BeatRequest): Promise<BeatAnswer> {
    return this.#call({ name: 'beat', request: this.#signed(request) })
  }

  async settle(request: SettleRequest): Promise<readonly SettleAnswer[]> {
    const answers = await this.#call<readonly SettleAnswer[]>({ name: 'settle', request })
    await this.#fill(answers.flatMap(({ became }) => became ?? []))
    return answers
  }

  async amend(request: AmendRequest): Promise<readonly AmendAnswer[]> {
    const answers = await this.#call<readonly AmendAnswer[]>({ name: 'amend', request })
    await this.#fill(answers.flatMap(({ jobs }) => jobs))
    return answers
  }

  tick(request: TickRequest): Promise<readonly { readonly moved: boolean }[]> {
    return this.#call({ name: 'tick', request })
  }

  define(request: DefineRequest): Promise<void> {
    return this.#call({ name: 'define', request })
  }

  pause(request: { readonly scope: PauseScope; readonly paused: boolean }): Promise<void> {
    return this.#call({ name: 'pause', request })
  }

  prune(request: PruneRequest): Promise<{ readonly removed: number; readonly more: boolean }> {
    return this.#call({ name: 'prune', request })
  }

  sessions(): Promise<readonly SessionRecord[]> {
    const { presence } = this.#log
    return this.#read((table) => sessionRecords(table, (process) => presence?.isOver(process) === true))
  }

  async running({ session, types, limit }: RunningRequest): Promise<readonly JobRecord[]> {
    const jobs = await this.#read((table) =>
      [...table.runningOf(session)]
        .filter((job) => types.includes(job.type))
        .slice(0, limit)
        .map(toRecord),
    )
    await this.#fill(jobs)
    return jobs
  }

  definitions(kind: DefinitionKind): Promise<readonly DefinitionRecord[]> {
    return this.#read((table) => definitions(table, kind))
  }

  pauses(): Promise<readonly PauseScope[]> {
    return this.#read((table) => pauseScopes(table.pauses))
  }

  async get(ids: readonly string[]): Promise<readonly (JobRecord | null)[]> {
    const jobs = await this.#read((table) =>
      ids.map((id) => {
        const job = table.row('jobs', id)
        return job === undefined ? null : toRecord(job)
      }),
    )
    await this.#fill(jobs.flatMap((job) => job ?? []))
    return jobs
  }

  async list(request: ListRequest): Promise<ListAnswer> {
    const answer = await this.#read((table) => list(table, request))
    await this.#fill(answer.jobs)
    return answer
  }

  counts({ now }: { readonly now: number }): Promise<JobCounts> {
    return this.#read((table) => counts(table, now))
  }

  health(): StorageHealth {
    const { damaged, problem } = this.#log.health?.() ?? NO_TROUBLE
    const cause = problem ?? this.#replica.problem
    const state = cause === null ? 'ok' : HoldfastError.is(cause, 'HOLDFAST_STORAGE_NEWER') ? 'read-only' : 'failing'
    return { state, damaged, cause, jobs: this.#replica.table.tables.jobs.size }
  }

  /** `null`: its process has no name now, and one that it had proves nothing. */
  #signed<Request extends object>(request: Request): Request {
    const { presence } = this.#log
    return presence === undefined ? request : { ...request, process: presence.self ?? null }
  }

  #call<Answer>(operation: Operation): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      this.#assertOpen()
      this.#calls.push(new Call(operation, resolve, reject))
      this.#flushing ??= this.#flushAll()
    })
  }

  /** Answers the jobs whose payload is lost. */
  async #fill(jobs: readonly JobRecord[]): Promise<readonly JobRecord[]> {
    return this.#shelf === null ? [] : this.#shelf.fill(jobs)
  }

  async #read<Answer>(from: (table: JobTable) => Answer): Promise<Answer> {
    this.#assertOpen()
    if (this.#behind) await this.#catchUp()
    return from(this.#replica.table)
  }

  #assertOpen(): void {
    if (this.#state === 'open') return
    throw new HoldfastError('HOLDFAST_STORAGE_CLOSED', `The ${this.name} storage is not open`)
  }

  /** A flush without calls reads the tail. */
  async #catchUp(): Promise<void> {
    this.#flushing ??= this.#flushAll()
    await this.#flushing
  }

  async #flushAll(): Promise<void> {
    // Whoever calls in the same turn joins the first flush.
    await Promise.resolve()
    let unfinished: boolean
    do {
      unfinished = await this.#flush(this.#takeCalls())
      this.#hints.publish()
    } while (this.#calls.length > 0 || this.#replica.waiting || unfinished)
    this.#flushing = null
  }

  /** The calls of one flush. A log's flush is bounded, so that one caller's crowd does not keep everybody waiting. */
  #takeCalls(): readonly Call[] {
    let items = 0
    const end = this.#log.exclusive ? -1 : this.#calls.findIndex((call) => (items += call.items) > ITEMS_PER_FLUSH)
    return this.#calls.splice(0, end === -1 ? this.#calls.length : Math.max(1, end))
  }

  /** What is too much for the table is put elsewhere, once for each call. */
  #shelve(calls: readonly Call[]): void {
    if (this.#shelf === null) return
    const fresh = calls.filter(({ chunks }) => chunks === null)
    const shelved = this.#shelf.shelve(fresh.map(({ operation }) => operation))
    for (const [at, call] of fresh.entries()) Object.assign(call, shelved[at])
  }

  /** True when the log asks for another exchange. */
  async #flush(waiting: readonly Call[]): Promise<boolean> {
    this.#shelve(waiting)
    const recordId = `${this.#writer}.${++this.#records}`
    let decided = false as boolean
    try {
      const receipt = await this.#log.exchange(
        (tail) => {
          this.#behind = false
          this.#unread = null
          const append = this.#replica.turn(tail, waiting, recordId, this.#log.exclusive)
          decided = true
          return append
        },
        this.#replica.need(waiting),
        () => {
          const append = this.#replica.guess(waiting, recordId)
          decided = append !== 'read first'
          return append
        },
      )
      // Before those that came meanwhile: whoever lost a race is the next to be served.
      this.#calls.unshift(...this.#replica.commit(receipt))
      return receipt.unfinished ?? false
    } catch (error) {
      if (decided) this.#replica.abort(recordId, error)
      else {
        this.#unread =
          error instanceof Error
            ? error
            : new HoldfastError('HOLDFAST_STORAGE', `The ${this.name} storage cannot be read`, { cause: error })
        this.#replica.unread(error)
        for (const call of waiting) call.reject(error)
      }
      return false
    }
  }

  #watchLog(): () => void {
    const stops = [
      this.#log.watch(() => this.#grewElsewhere()),
      // What a dead process wrote last counts, and nobody may have told of it.
      this.#hints.watchProcesses(this.#log, () => (this.#behind = true)),
    ]
    return () => {
      for (const stop of stops) stop()
    }
  }

  #grewElsewhere(): void {
    this.#behind = true
    // Somebody waits for hints: the tail is not left unread until the next call.
    if (this.#hints.isWanted && this.#state === 'open') this.#flushing ??= this.#flushAll()
  }
}
