import type {
  BeatAnswer,
  BeatRequest,
  ClaimAnswer,
  ClaimRequest,
  DefinitionKind,
  DefinitionRecord,
  JobRecord,
  ListAnswer,
  ListRequest,
  RunningRequest,
  SessionRequest,
  StorageDump,
  StorageHealth,
  StorageStatus,
  StorageTraits,
} from './contract.ts'
import type { Resolve } from './call.ts'
import { Condition } from './condition.ts'
import { Flushes } from './flushes.ts'
import type { Operation } from './job-table/decide.ts'
import type { JobTable } from './job-table/job-table.ts'
import { list } from './job-table/query.ts'
import type { Log } from './log.ts'
import { Replica } from './replica.ts'
import { payloadLost, Shelf, toldBy } from './shelf.ts'
import { TableHints } from './table-hints.ts'
import { TableStorage } from './table-storage.ts'

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
export class LoggedStorage extends TableStorage {
  readonly notifier: TableHints
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

  constructor({ name, traits, log, writer }: LoggedStorageOptions) {
    super(name)
    const given = typeof traits === 'function' ? traits : Object.freeze({ ...traits })
    this.#traits = typeof given === 'function' ? given : (): StorageTraits => given
    this.#log = log
    this.#replica = new Replica(name)
    this.#shelf = log.payloads === undefined ? null : new Shelf(log.payloads, writer)
    this.#condition = new Condition(log, this.#replica)
    log.watchHealth?.(() => this.#condition.publish())
    this.#flushes = new Flushes({
      ...{ name, log, writer },
      replica: this.#replica,
      shelf: this.#shelf,
      flushed: () => {
        // Of a session that was opened elsewhere, somebody here wants to know when it ends.
        this.#log.presence?.look?.()
        this.#publish(false)
        this.#condition.publish()
      },
      follows: () => this.notifier.isWanted && this.#state === 'open',
    })
    this.notifier = new TableHints(() => this.#replica.table)
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
      // Until the log was read once, this handle knows nothing of the jobs.
      await this.#flushes.catchUp()
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

  override session(request: SessionRequest): Promise<{ readonly epoch: number }> {
    return 'open' in request ? this.#signed(request, (signed) => super.session(signed)) : super.session(request)
  }

  override beat(request: BeatRequest): Promise<BeatAnswer> {
    return this.#signed(request, (signed) => super.beat(signed))
  }

  override async claim(request: ClaimRequest): Promise<ClaimAnswer> {
    const answer = await super.claim(request)
    const lost = await this.#fill(answer.jobs)
    if (lost.length === 0) return answer
    // Nothing can run them, so nobody is to try.
    await this.settle({ batch: lost.map(payloadLost), now: request.now })
    return { ...answer, jobs: answer.jobs.filter((job) => !lost.includes(job)) }
  }

  override async running(request: RunningRequest): Promise<readonly JobRecord[]> {
    const jobs = await super.running(request)
    await this.#fill(jobs)
    return jobs
  }

  override async get(ids: readonly string[]): Promise<readonly (JobRecord | null)[]> {
    const known = await super.get(ids)
    const jobs = known.includes(null) && (await this.#readUntold()) ? await super.get(ids) : known
    await this.#fill(jobs.flatMap((job) => job ?? []))
    return jobs
  }

  override async definitions(kind: DefinitionKind): Promise<readonly DefinitionRecord[]> {
    await this.#readUntold()
    return super.definitions(kind)
  }

  override async list(request: ListRequest): Promise<ListAnswer> {
    const shelf = this.#shelf
    if (shelf === null) return super.list(request)
    const answer = await shelf.search((payloads) => this.read((table) => list(table, request, payloads)))
    if (request.payloads !== false) await this.#fill(answer.jobs)
    return answer
  }

  override dump(): Promise<StorageDump> {
    return this.read((table) => ({ records: this.#replica.newest.show(), rows: table.sizes }))
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

  /**
   * `null`: its process has no name now, and one that it had proves nothing. A name that is on its way is waited for: a page
   * that came back and crashed before it had told its new one would be dead by nothing but silence.
   */
  #signed<Request extends object, Answer>(
    request: Request,
    call: (signed: Request) => Promise<Answer>,
  ): Promise<Answer> {
    const { presence } = this.#log
    if (presence === undefined) return call(request)
    const sign = (): Promise<Answer> => call({ ...request, process: presence.self ?? null })
    return presence.naming?.then(sign) ?? sign()
  }

  protected override isOver(process: unknown): boolean {
    return this.#log.presence?.isOver(process) === true
  }

  protected call<Answer>(operation: Operation): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      this.assertOpen(this.#state === 'open')
      const answered: Resolve = (answer, chunks) => {
        const jobs = toldBy(operation, answer)
        if (this.#shelf === null || jobs.length === 0) resolve(answer)
        else void this.#shelf.fill(jobs, chunks).then(() => resolve(answer))
      }
      this.#flushes.add(operation, answered, reject)
    })
  }

  protected async read<Answer>(from: (table: JobTable) => Answer): Promise<Answer> {
    this.assertOpen(this.#state === 'open')
    if (this.#flushes.isBehind || this.#log.isAhead?.() === true) await this.#flushes.catchUp()
    return from(this.#replica.table)
  }

  /**
   * Where the log cannot tell whether it has grown, hints of what was acknowledged elsewhere may still be on their way:
   * to say that something does not exist, it has to be read. True when it was.
   */
  async #readUntold(): Promise<boolean> {
    this.assertOpen(this.#state === 'open')
    if (this.#log.isAhead !== undefined) return false
    await this.#flushes.catchUp()
    return true
  }

  /** Answers the jobs whose payload is lost. */
  async #fill(jobs: readonly JobRecord[]): Promise<readonly JobRecord[]> {
    return this.#shelf === null ? [] : this.#shelf.fill(jobs)
  }

  #publish(ended: boolean): void {
    const { gap } = this.#replica
    this.#replica.gap = false
    this.notifier.publish({ gap, ended })
  }

  #watchLog(): () => void {
    const { presence } = this.#log
    const stops = [
      this.#log.watch(() => this.#flushes.grew()),
      presence?.watch(
        () => [...this.#replica.table.tables.sessions.values()].map(({ process }) => process),
        () => this.#endedElsewhere(),
      ),
    ]
    return () => {
      for (const stop of stops) stop?.()
    }
  }

  /** A process is over. What it wrote last counts, and nobody may have told of it. */
  #endedElsewhere(): void {
    this.#flushes.isBehind = true
    this.#publish(true)
  }
}
