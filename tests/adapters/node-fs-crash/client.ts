import { HoldfastError } from '../../../src/core/errors.ts'
import type {
  Amendment,
  JobRecord,
  NewJob,
  Settlement,
  StorageAdapter,
  Verdict,
} from '../../../src/core/storage/contract.ts'
import type { SimulatedProcess } from '../../../src/testing/index.ts'
import { NOW } from '../../core/kit-targets.ts'
import { completed, contentOf, type End, endOf, type Ledger } from './ledger.ts'

/** Types of all jobs here. */
const LANES = [{ type: 'task' }, { type: 'chained' }]

/**
 * One process at work. Each question and each answer goes into the ledger, but no answer that came when the process was
 * gone: nobody saw that. A call that failed is answered `null`.
 */
export class Client {
  readonly process: SimulatedProcess
  readonly storage: StorageAdapter
  readonly ledger: Ledger
  #requests = 0

  constructor(process: SimulatedProcess, storage: StorageAdapter, ledger: Ledger) {
    this.process = process
    this.storage = storage
    this.ledger = ledger
  }

  async enqueue(...jobs: readonly NewJob[]): Promise<boolean> {
    const takeBack = jobs.flatMap((job) => this.#asked(job))
    const answer = await this.#call(() => this.storage.enqueue({ jobs, now: NOW }), takeBack)
    if (answer === null) return false
    if (!answer.accepted) throw new Error(`A workload enqueued ${answer.id} twice with different payloads`)
    for (const [at, { id, job }] of answer.jobs.entries()) this.#stored(jobs[at] as NewJob, id, job)
    return true
  }

  async open(session: string): Promise<boolean> {
    const answer = await this.#call(() => this.storage.session({ open: session, leaseDuration: 30_000, now: NOW }))
    if (answer !== null) this.ledger.opened(answer.epoch)
    return answer !== null
  }

  async claim(session: string, limit: number, suspects: 'none' | 'only' = 'none'): Promise<readonly JobRecord[]> {
    const requestId = `${session}-${++this.#requests}`
    const request = { requestId, session, now: NOW, limit, lanes: LANES, have: [], suspects }
    const answer = await this.#call(() => this.storage.claim(request))
    for (const job of answer?.jobs ?? []) this.ledger.started(job)
    return answer?.jobs ?? []
  }

  async settle(...batch: readonly Settlement[]): Promise<readonly Verdict[] | null> {
    const takeBack = batch.map((settlement) => this.#askedToSettle(settlement))
    const answers = await this.#call(() => this.storage.settle({ batch, now: NOW }), takeBack.flat())
    for (const [at, { verdict, became }] of (answers ?? []).entries()) {
      if (verdict === 'ok') this.#settled(batch[at] as Settlement, became)
      else this.#refused(takeBack[at] ?? [])
    }
    return answers?.map(({ verdict }) => verdict) ?? null
  }

  /** Claims and completes up to `limit` jobs. */
  async work(session: string, limit: number): Promise<void> {
    const jobs = await this.claim(session, limit)
    if (jobs.length > 0) await this.settle(...jobs.map((job) => completion(job)))
  }

  async amend(...batch: readonly Amendment[]): Promise<boolean> {
    const takeBack = batch.flatMap((amendment) => this.#askedToAmend(amendment))
    const answers = await this.#call(() => this.storage.amend({ batch, now: NOW }), takeBack)
    for (const [at, { verdict, jobs }] of (answers ?? []).entries()) {
      const amendment = batch[at] as Amendment
      if (verdict !== 'ok' || !('id' in amendment)) continue
      // A removal answers the job as it was last.
      const job = amendment.kind === 'remove' ? undefined : jobs[0]
      this.ledger.acknowledge(amendment.id, job === undefined ? 'absent' : endOf(job))
      // A running job is cancelled when its attempt ends.
      if (job?.state === 'running') this.ledger.ask(amendment.id, 'cancelled')
      if (job !== undefined) this.ledger.acknowledgeContent(amendment.id, contentOf(job))
    }
    return answers !== null
  }

  async pause(type: string, paused: boolean): Promise<void> {
    const takeBack = [this.ledger.askPause(type, paused)]
    const answer = await this.#call(() => this.storage.pause({ scope: { type }, paused }), takeBack)
    if (answer !== null) this.ledger.acknowledgePause(type, paused)
  }

  /** Has this handle read the log to its end. */
  async catchUp(): Promise<void> {
    await this.#call(() => this.storage.prune({ rules: [], spareSince: 0, limit: 1, now: NOW }))
  }

  async #call<Answer>(call: () => Promise<Answer>, takeBack: readonly (() => void)[] = []): Promise<Answer | null> {
    if (this.isGone()) return this.#refused(takeBack)
    const answer = await call().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    )
    // An answer that came when the process was gone was never seen.
    if (this.isGone()) return null
    if ('value' in answer) return answer.value
    const { error } = answer
    if (HoldfastError.is(error, 'HOLDFAST_OUTCOME_UNKNOWN')) return null
    if (!HoldfastError.is(error)) this.ledger.problems.push(`an error of no type: ${String(error)}`)
    return this.#refused(takeBack)
  }

  /** A function, since what it tells changes while a call is under way. */
  isGone(): boolean {
    return this.process.gone
  }

  #refused(takeBack: readonly (() => void)[]): null {
    for (const undo of takeBack) undo()
    return null
  }

  #asked(job: NewJob): readonly (() => void)[] {
    const content = contentOf(job)
    const folded = job.jobKey === null ? [] : this.ledger.holders(job.jobKey).filter((id) => id !== job.id)
    if (job.jobKey !== null) this.ledger.mayHold(job.jobKey, job.id)
    return [
      this.ledger.ask(job.id, 'live'),
      this.ledger.askContent(job.id, content),
      ...folded.map((id) => this.ledger.askContent(id, content)),
    ]
  }

  #stored(asked: NewJob, id: string, job: JobRecord): void {
    if (id !== asked.id) this.ledger.acknowledge(asked.id, 'absent')
    this.ledger.acknowledgeStored(id)
    this.ledger.acknowledgeContent(id, contentOf(job))
  }

  #askedToSettle(settlement: Settlement): readonly (() => void)[] {
    const chained = (settlement.enqueue ?? []).flatMap((job) => this.#asked(job))
    return [this.ledger.ask(settlement.id, endOfSettlement(settlement)), ...chained]
  }

  #settled(settlement: Settlement, became: JobRecord | null): void {
    this.ledger.acknowledge(settlement.id, became === null ? endOfSettlement(settlement) : endOf(became))
    if (settlement.kind === 'retry' && settlement.counts === 'failure') this.ledger.failed(settlement.id)
    for (const job of settlement.enqueue ?? []) {
      this.ledger.acknowledgeStored(job.id)
      this.ledger.acknowledgeContent(job.id, contentOf(job))
    }
  }

  #askedToAmend(amendment: Amendment): readonly (() => void)[] {
    switch (amendment.kind) {
      case 'cancel':
        return [this.ledger.ask(amendment.id, 'cancelled')]
      case 'remove':
        return [this.ledger.ask(amendment.id, 'absent')]
      case 'reschedule':
        return this.ledger.askPriority(amendment.id, amendment.priority ?? 0)
      default:
        throw new Error(`The ledger knows nothing of ${amendment.kind}`)
    }
  }
}

export function completion({ id, fence }: Pick<JobRecord, 'id' | 'fence'>): Settlement {
  return { id, fence, kind: 'complete', result: { of: id } }
}

function endOfSettlement(settlement: Settlement): End {
  switch (settlement.kind) {
    case 'complete':
      return completed(settlement.result)
    case 'fail':
      return 'failed'
    case 'cancelled':
      return 'cancelled'
    case 'retry':
    case 'release':
      return 'live'
  }
}
