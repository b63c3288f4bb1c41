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
  StorageDump,
  StorageHealth,
  StorageStatus,
  StorageTraits,
  TickRequest,
} from './contract.ts'
import { Condition } from './condition.ts'
import { Flushes } from './flushes.ts'
import type { Operation } from './job-table/decide.ts'
import { type JobTable, pauseScopes } from './job-table/job-table.ts'
import { counts, list } from './job-table/query.ts'
import { toRecord } from './job-table/rows.ts'
import { definitions } from './job-table/schedule.ts'
import { sessionRecords } from './job-table/session.ts'
import type { Log } from './log.ts'
import { LogHints } from './log-hints.ts'
import { Replica } from './replica.ts'
import { payloadLost, Shelf } from './shelf.ts'

export interface LoggedStorageOptions {
  readonly name: string
  /** A function where they are known only after the log was opened. */
  readonly traits: StorageTraits | (() => StorageTraits)
  readonly log: Log
  /** Makes a name that no other writer of the log uses. */
  readonly writer: string
}

/**
 * The contract over a Log. Calls gather while a flush is under way and go into the next one together: one write and
 * one sync serve them all, whatever their number. A flush reads what others appended, decides the calls one after the
 * other on the table, and appends what they wrote as one record; calls that only read, or found nothing to write, cost
 * no append. [two handles] [lost and repeated appends: tests/core/logged-storage.test.ts]
 */
export class LoggedStorage implements StorageAdapter {
  readonly contract = 1
  readonly name: string
  readonly notifier: Notifier
  readonly #log: Log
  readonly #replica: Replica
  readonly #shelf: Shelf | null
  readonly #traits: () => StorageTraits
  readonly #condition: Condition
  readonly #flushes: Flushes
  #state: 'closed' | 'open' | 'closing' = 'closed'
  #opening: Promise<void> | null = null
  #closing: Promise<void> | null = null
  #stopWatching: (() => void) | null = null
  readonly #hints: LogHints

  constructor({ name, traits, log, writer }: LoggedStorageOptions) {
    this.name = name
    const given = typeof traits === 'function' ? traits : Object.freeze({ ...traits })
    this.#traits = typeof given === 'function' ? given : (): StorageTraits => given
    this.#log = log
    this.#replica = new Replica(name)
    this.#shelf = log.payloads === undefined ? null : new Shelf(log.payloads, writer)
    this.#hints = new LogHints(this.#replica)
    this.#condition = new Condition(log, this.#replica)
    log.watchHealth?.(() => this.#condition.publish())
    this.#flushes = new Flushes({
      ...{ name, log, writer },
      replica: this.#replica,
      shelf: this.#shelf,
      flushed: () => {
        this.#hints.publish()
        this.#condition.publish()
      },
    })
    this.notifier = this.#hints
  }

  get traits(): StorageTraits {
    return this.#traits()
  }

  open(): Promise<void> {
    if (this.#closing !== null) return this.#closing.then(() => this.open())
    this.#opening ??= this.#open()
    return this.#opening
  }

  async #open(): Promise<void> {
    const replica = this.#replica
    try {
      await this.#log.open({
        catchUp: (tail) => replica.catchUp(tail),
        snapshot: () => replica.snapshot(),
        get size() {
          return replica.table.size
        },
        get isWhole() {
          return replica.problem === null
        },
      })
      this.#stopWatching = this.#watchLog()
      this.#state = 'open'
      await this.#flushes.catchUp()
      // Until the log was read once, this handle knows nothing of the jobs.
      if (this.#flushes.unread !== null) throw this.#flushes.unread
    } catch (error) {
      if (this.#state === 'open') await this.#leave().catch(() => undefined)
      this.#state = 'closed'
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
    await this.#flushes.end()
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

  pause(request: { readonly scope: PauseScope; readonly paused: boolean }): Promise<boolean> {
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

  dump(): Promise<StorageDump> {
    return this.#read((table) => ({ records: this.#replica.newest.show(), rows: table.sizes }))
  }

  health(): StorageHealth {
    return this.#condition.health()
  }

  watchHealth(listener: () => void): () => void {
    return this.#condition.watch(listener)
  }

  async status(): Promise<StorageStatus> {
    return (await this.#log.status?.()) ?? { persisted: null, usage: null, quota: null }
  }

  async requestPersistence(): Promise<boolean | null> {
    return (await this.#log.requestPersistence?.()) ?? null
  }

  /** `null`: its process has no name now, and one that it had proves nothing. */
  #signed<Request extends object>(request: Request): Request {
    const { presence } = this.#log
    return presence === undefined ? request : { ...request, process: presence.self ?? null }
  }

  #call<Answer>(operation: Operation): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      this.#assertOpen()
      this.#flushes.add(operation, resolve, reject)
    })
  }

  /** Answers the jobs whose payload is lost. */
  async #fill(jobs: readonly JobRecord[]): Promise<readonly JobRecord[]> {
    return this.#shelf === null ? [] : this.#shelf.fill(jobs)
  }

  async #read<Answer>(from: (table: JobTable) => Answer): Promise<Answer> {
    this.#assertOpen()
    if (this.#flushes.isBehind) await this.#flushes.catchUp()
    return from(this.#replica.table)
  }

  #assertOpen(): void {
    if (this.#state === 'open') return
    throw new HoldfastError('HOLDFAST_STORAGE_CLOSED', `The ${this.name} storage is not open`)
  }

  #watchLog(): () => void {
    const stops = [
      this.#log.watch(() => this.#grewElsewhere()),
      // What a dead process wrote last counts, and nobody may have told of it.
      this.#hints.watchProcesses(this.#log, () => (this.#flushes.isBehind = true)),
    ]
    return () => {
      for (const stop of stops) stop()
    }
  }

  #grewElsewhere(): void {
    this.#flushes.isBehind = true
    // Somebody waits for hints: the tail is not left unread until the next call.
    if (this.#hints.isWanted && this.#state === 'open') this.#flushes.begin()
  }
}
