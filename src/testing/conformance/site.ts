import type {
  AmendAnswer,
  Amendment,
  BeatAnswer,
  BeatRequest,
  ClaimAnswer,
  ClaimRequest,
  EnqueueAnswer,
  JobRecord,
  NewJob,
  SettleAnswer,
  Settlement,
  StorageAdapter,
  Verdict,
} from '../../core/storage/contract.ts'
import { newJob } from '../new-job.ts'
import { equal, matches, ok } from './expect.ts'
import type { Handles } from './handles.ts'
import { NOW, SECOND } from './moments.ts'

/** The session a step uses when it names none. */
export const WORKER = 'worker'

/**
 * Where a case runs: one fresh storage, and the steps most cases are made of. A step that writes takes the next handle.
 * Sessions are opened at their first use.
 */
export class Site {
  readonly handles: Handles
  readonly #sessions: Set<string> = new Set()
  #names = 0

  constructor(handles: Handles) {
    this.handles = handles
  }

  /** The handle for the next write; to be asked for before each. */
  async storage(): Promise<StorageAdapter> {
    return this.handles.next()
  }

  /** Repeats a check of reads until it passes, on the handle that did not write last. */
  async settled<T>(check: (storage: StorageAdapter) => Promise<T>): Promise<T> {
    return this.handles.settled(check)
  }

  name(kind: string): string {
    this.#names += 1
    return `${kind}-${this.#names}`
  }

  newJob(overrides: Partial<NewJob> = {}): NewJob {
    return newJob({ ...overrides, id: overrides.id ?? this.name('job') })
  }

  async enqueue(jobs: readonly Partial<NewJob>[], now: number = NOW): Promise<EnqueueAnswer> {
    const storage = await this.storage()
    return storage.enqueue({ jobs: jobs.map((job) => this.newJob({ createdAt: now, runAt: now, ...job })), now })
  }

  /** Enqueues jobs that must be accepted. Answers the records. */
  async addAll(jobs: readonly Partial<NewJob>[], now: number = NOW): Promise<readonly JobRecord[]> {
    const answer = await this.enqueue(jobs, now)
    ok(answer.accepted, 'the enqueue to be accepted')
    return answer.jobs.map(({ job }) => job)
  }

  async add(job: Partial<NewJob> = {}, now: number = NOW): Promise<JobRecord> {
    return only(await this.addAll([job], now), 'the enqueued job')
  }

  /** Opens a session; answers its epoch. */
  async open(session: string, now: number = NOW, leaseDuration: number = 30 * SECOND): Promise<number> {
    this.#sessions.add(session)
    const storage = await this.storage()
    return (await storage.session({ open: session, leaseDuration, now })).epoch
  }

  async close(session: string, now: number = NOW): Promise<void> {
    const storage = await this.storage()
    await storage.session({ close: session, now })
  }

  claimRequest(overrides: Partial<ClaimRequest> = {}): ClaimRequest {
    const requestId = overrides.requestId ?? this.name('claim')
    const lanes = [{ type: 'task' }]
    return { requestId, session: WORKER, now: NOW, limit: 100, lanes, have: [], suspects: 'none', ...overrides }
  }

  async claim(overrides: Partial<ClaimRequest> = {}): Promise<ClaimAnswer> {
    const request = this.claimRequest(overrides)
    await this.#use(request.session)
    const storage = await this.storage()
    return storage.claim(request)
  }

  async claimOne(overrides: Partial<ClaimRequest> = {}): Promise<JobRecord> {
    return only((await this.claim(overrides)).jobs, 'the claimed job')
  }

  /** Settles one attempt. */
  async settle(settlement: Settlement, now: number = NOW): Promise<Verdict> {
    return (await this.outcome(settlement, now)).verdict
  }

  /** Settles one attempt and says what became of its job. */
  async outcome(settlement: Settlement, now: number = NOW): Promise<SettleAnswer> {
    const storage = await this.storage()
    return only(await storage.settle({ batch: [settlement], now }), 'the answer')
  }

  async beat(overrides: Partial<BeatRequest> = {}): Promise<BeatAnswer> {
    const request = { session: WORKER, now: NOW, holds: [], claiming: [], progress: [], ...overrides }
    await this.#use(request.session)
    const storage = await this.storage()
    return storage.beat(request)
  }

  async amend(amendment: Amendment, now: number = NOW): Promise<AmendAnswer> {
    const storage = await this.storage()
    return only(await storage.amend({ batch: [amendment], now }), 'the answer')
  }

  /** The job as the handle of the latest write shows it. */
  async job(id: string): Promise<JobRecord> {
    const storage = await this.handles.latest()
    const job = only(await storage.get([id]), 'the record')
    ok(job !== null, `the job ${id} to be stored`)
    return job
  }

  /** The job shows these values, here and on other handles. */
  async shows(id: string, expected: Partial<JobRecord>): Promise<void> {
    matches(await this.job(id), expected, id)
    await this.showsInTheEnd(id, expected)
  }

  /** As `shows`, where two handles wrote at once: which of them was the later one, only the log knows. */
  async showsInTheEnd(id: string, expected: Partial<JobRecord>): Promise<void> {
    await this.settled(async (storage) => {
      const job = only(await storage.get([id]), 'the record')
      ok(job !== null, `the job ${id} to be stored`)
      matches(job, expected, id)
    })
  }

  async gone(id: string): Promise<void> {
    await this.settled(async (storage) => equal(await storage.get([id]), [null], `the record of ${id}`))
  }

  async #use(session: string): Promise<void> {
    if (!this.#sessions.has(session)) await this.open(session)
  }
}

/** The one item of a list of one. */
export function only<T>(items: readonly T[], what: string): T {
  equal(items.length, 1, `the number of items for ${what}`)
  return items[0] as T
}

export function ids(jobs: readonly { readonly id: string }[]): readonly string[] {
  return jobs.map(({ id }) => id)
}
