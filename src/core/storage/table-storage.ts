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
  StorageTraits,
  TickAnswer,
  TickRequest,
} from './contract.ts'
import type { Operation } from './job-table/decide.ts'
import { type JobTable, pauseScopes } from './job-table/job-table.ts'
import { counts, list } from './job-table/query.ts'
import { toRecord } from './job-table/rows.ts'
import { definitions } from './job-table/schedule.ts'
import { sessionRecords } from './job-table/session.ts'

/**
 * The contract over a job table: calls are decided on it, reads are answered from it. Whose table it is and what a call
 * goes through, an extending class says: in memory that is all there is, over a log each call becomes a part of a record.
 */
export abstract class TableStorage implements StorageAdapter {
  readonly contract = 1
  readonly name: string
  abstract readonly traits: StorageTraits
  abstract readonly notifier: Notifier

  constructor(name: string) {
    this.name = name
  }

  abstract open(): Promise<void>
  abstract close(): Promise<void>
  abstract health(): StorageHealth
  protected abstract call<Answer>(operation: Operation): Promise<Answer>
  protected abstract read<Answer>(from: (table: JobTable) => Answer): Promise<Answer>

  session(request: SessionRequest): Promise<{ readonly epoch: number }> {
    return this.call({ name: 'session', request })
  }

  enqueue(request: EnqueueRequest): Promise<EnqueueAnswer> {
    return this.call({ name: 'enqueue', request })
  }

  claim(request: ClaimRequest): Promise<ClaimAnswer> {
    return this.call({ name: 'claim', request })
  }

  beat(request: BeatRequest): Promise<BeatAnswer> {
    return this.call({ name: 'beat', request })
  }

  settle(request: SettleRequest): Promise<readonly SettleAnswer[]> {
    return this.call({ name: 'settle', request })
  }

  amend(request: AmendRequest): Promise<readonly AmendAnswer[]> {
    return this.call({ name: 'amend', request })
  }

  tick(request: TickRequest): Promise<readonly TickAnswer[]> {
    return this.call({ name: 'tick', request })
  }

  define(request: DefineRequest): Promise<readonly boolean[]> {
    return this.call({ name: 'define', request })
  }

  pause(request: { readonly scope: PauseScope; readonly paused: boolean }): Promise<boolean> {
    return this.call({ name: 'pause', request })
  }

  prune(request: PruneRequest): Promise<{ readonly removed: number; readonly more: boolean }> {
    return this.call({ name: 'prune', request })
  }

  sessions(): Promise<readonly SessionRecord[]> {
    return this.read((table) => sessionRecords(table, (process) => this.isOver(process)))
  }

  running({ session, types, limit }: RunningRequest): Promise<readonly JobRecord[]> {
    return this.read((table) =>
      [...table.runningOf(session)]
        .filter((job) => types.includes(job.type))
        .slice(0, limit)
        .map(toRecord),
    )
  }

  definitions(kind: DefinitionKind): Promise<readonly DefinitionRecord[]> {
    return this.read((table) => definitions(table, kind))
  }

  pauses(): Promise<readonly PauseScope[]> {
    return this.read((table) => pauseScopes(table.pauses))
  }

  get(ids: readonly string[]): Promise<readonly (JobRecord | null)[]> {
    return this.read((table) =>
      ids.map((id) => {
        const job = table.row('jobs', id)
        return job === undefined ? null : toRecord(job)
      }),
    )
  }

  list(request: ListRequest): Promise<ListAnswer> {
    return this.read((table) => list(table, request))
  }

  counts({ now }: { readonly now: number }): Promise<JobCounts> {
    return this.read((table) => counts(table, now))
  }

  /** A table without a log has no records to show. */
  dump(): Promise<StorageDump> {
    return this.read((table) => ({ records: [], rows: table.sizes }))
  }

  /** Whether there is proof that the process of a session is over. */
  protected isOver(_process: unknown): boolean {
    return false
  }

  protected assertOpen(isOpen: boolean): void {
    if (!isOpen) throw new HoldfastError('HOLDFAST_STORAGE_CLOSED', `The ${this.name} storage is not open`)
  }
}
