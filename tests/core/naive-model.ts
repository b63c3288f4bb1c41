import type { Amendment, ClaimRequest, JobKeyMode, LeaseRef, NewJob, Verdict } from '../../src/core/storage/contract.ts'

/** What the model knows of a job. */
export interface ModelJob {
  readonly id: string
  readonly sequence: number
  type: string
  payload: unknown
  priority: number
  state: 'waiting' | 'running' | 'completed' | 'failed' | 'cancelled'
  runAt: number
  delay: number | null
  attempts: number
  failures: number
  interruptions: number
  fence: number
  session: string | null
  jobKey: string | null
  superseded: boolean
  queueName: string | null
  serial: NewJob['serial']
  payloadVersion: number
  /** It was started, waits again and is strict: it keeps its place in its serial queue. */
  holds: boolean
  limitKey: string | null
  requires: readonly string[]
  cancelRequested: string | null
}

type Ending = 'complete' | 'retry' | 'interrupt' | 'fail' | 'release' | 'cancelled'

export interface End extends LeaseRef {
  readonly ending: Ending
  readonly runAt: number
}

/**
 * The contract written as plainly as it can be said: a list of jobs that is searched from end to end, and no index.
 * Clocks are right here; what wrong ones do is in the kit.
 */
export class NaiveModel {
  readonly jobs: ModelJob[] = []
  readonly sessions: Set<string> = new Set()
  readonly paused: Set<string> = new Set()
  /** Who holds a key. */
  readonly #keys = new Map<string, ModelJob>()
  readonly #windows = new Map<string, { readonly until: number; used: number }>()
  #sequence = 0

  find(id: string): ModelJob | undefined {
    return this.jobs.find((job) => job.id === id)
  }

  heldBy(session: string): ModelJob[] {
    return this.jobs.filter((job) => job.state === 'running' && job.session === session)
  }

  enqueue(job: NewJob): string {
    const holder = job.jobKey === null ? undefined : this.#keys.get(job.jobKey)
    if (holder === undefined) return this.#create(job)
    if (job.jobKeyMode === 'unsafeDedupe') return holder.id
    if (holder.state === 'waiting' && holder.payloadVersion === job.payloadVersion)
      return this.#replace(holder, job, job.jobKeyMode)
    holder.jobKey = null
    holder.superseded = holder.state === 'running'
    return this.#create(job)
  }

  /** The ids a claim takes, in order. Fences are the storage's to choose: `claimed` writes them down. */
  claim(request: ClaimRequest): string[] {
    const taken: ModelJob[] = []
    const ready = this.jobs.filter((job) => this.#fits(job, request) && this.#isDue(job, request.now))
    for (const job of ready.filter((one) => this.#suspect(one) === (request.suspects === 'only')).sort(inOrder)) {
      if (taken.length < request.limit && this.#hasPlace(job, request)) {
        taken.push(job)
        this.#start(job, request)
      }
    }
    return taken.map(({ id }) => id)
  }

  /** Whether a suspect could start now. */
  suspectDue(request: ClaimRequest): boolean {
    return this.jobs.some(
      (job) =>
        this.#suspect(job) && this.#fits(job, request) && this.#isDue(job, request.now) && this.#hasPlace(job, request),
    )
  }

  /** The first moment at which a job of these lanes is due that is not due yet; `Infinity` without one. */
  nextDue(request: ClaimRequest): number {
    const later = this.jobs.filter((job) => this.#fits(job, request) && !this.#isDue(job, request.now))
    return Math.min(...later.map(({ runAt }) => runAt))
  }

  settle({ id, fence, ending, runAt }: End): Verdict {
    const job = this.find(id)
    if (job === undefined) return 'missing'
    if (job.state !== 'running' || job.fence !== fence) return 'stale'
    job.session = null
    if (ending === 'release') job.attempts -= 1
    if (ending === 'retry' || ending === 'fail') job.failures += 1
    if (ending === 'interrupt') job.interruptions += 1
    if (ending === 'complete') this.#finish(job, 'completed')
    else if (ending === 'cancelled') this.#cancel(job, 'asked')
    else if (job.cancelRequested !== null) this.#cancel(job, job.cancelRequested)
    else if (ending === 'fail' || job.superseded) this.#finish(job, 'failed')
    else {
      this.#wait(job, runAt, ending === 'release' ? null : 0)
      job.holds = job.serial === 'strict' && job.queueName !== null
    }
    return 'ok'
  }

  amend(amendment: Extract<Amendment, { id: string }>): 'ok' | 'ignored' | 'missing' {
    const job = this.find(amendment.id)
    if (job === undefined) return 'missing'
    const { state } = job
    switch (amendment.kind) {
      case 'cancel':
        if (state === 'running') job.cancelRequested = amendment.reason
        else if (state === 'waiting') this.#cancel(job, amendment.reason)
        else return 'ignored'
        return 'ok'
      case 'requeue':
        if (state === 'running' || state === 'completed') return 'ignored'
        this.#requeue(job, amendment.runAt, amendment.delay)
        return 'ok'
      case 'reschedule':
        if (state !== 'waiting') return 'ignored'
        job.priority = amendment.priority ?? job.priority
        if (amendment.runAt !== undefined) this.#wait(job, amendment.runAt, -1)
        return 'ok'
      case 'remove':
        if (state === 'running') return 'ignored'
        this.#freeKey(job)
        this.jobs.splice(this.jobs.indexOf(job), 1)
        return 'ok'
      default:
        throw new TypeError(`The model does not know ${amendment.kind}`)
    }
  }

  /** The end of a session: in good order its jobs are given back, by force they count as interrupted. */
  close(session: string, byForce: boolean): void {
    if (!this.sessions.delete(session)) return
    for (const job of this.heldBy(session)) {
      this.settle({ ...job, ending: byForce ? 'interrupt' : 'release', runAt: job.runAt })
      if (job.state === 'waiting') job.delay = null
    }
  }

  /** The public status of each job, counted. */
  counts(now: number): Record<string, number> {
    const counts = { pending: 0, scheduled: 0, running: 0, completed: 0, failed: 0, cancelled: 0 }
    for (const job of this.jobs) {
      if (job.state !== 'waiting') counts[job.state] += 1
      else counts[this.#isDue(job, now) ? 'pending' : 'scheduled'] += 1
    }
    return counts
  }

  #create(job: NewJob): string {
    const { id, type, payload, priority, runAt, delay, jobKey, queueName, limitKey, requires } = job
    const { serial, payloadVersion } = job
    const counters = { attempts: 0, failures: 0, interruptions: 0, fence: 0 }
    const details = { type, payload, priority, runAt, delay, jobKey, queueName, limitKey, requires }
    const flags = { superseded: false, cancelRequested: null, holds: false } as const
    const rest = { state: 'waiting', session: null, serial, payloadVersion, ...flags } as const
    const created: ModelJob = { id, sequence: ++this.#sequence, ...details, ...counters, ...rest }
    this.jobs.push(created)
    if (jobKey !== null) this.#keys.set(jobKey, created)
    return id
  }

  #replace(holder: ModelJob, job: NewJob, mode: JobKeyMode): string {
    const keeps = mode === 'preserveRunAt' && holder.attempts === 0
    const { type, priority, queueName, limitKey, requires } = job
    const payload = [...(holder.payload as unknown[]), ...(job.payload as unknown[])]
    Object.assign(holder, { type, payload, priority, queueName, limitKey, requires })
    Object.assign(holder, { attempts: 0, failures: 0, interruptions: 0, holds: false, serial: job.serial })
    if (!keeps) this.#wait(holder, job.runAt, job.delay)
    return holder.id
  }

  #fits(job: ModelJob, { lanes, have }: ClaimRequest): boolean {
    const lane = lanes.find(({ type }) => type === job.type)
    if (job.state !== 'waiting' || lane === undefined) return false
    if (job.payloadVersion > (lane.payloadVersion ?? 1)) return false
    if (this.paused.has('all') || this.paused.has(`type ${job.type}`)) return false
    return job.requires.every((condition) => have.includes(condition))
  }

  #isDue(job: ModelJob, now: number): boolean {
    return job.delay === null || job.runAt <= now
  }

  #suspect(job: ModelJob): boolean {
    return job.interruptions >= 2
  }

  #hasPlace(job: ModelJob, { lanes, now }: ClaimRequest): boolean {
    const running = this.jobs.filter(({ state }) => state === 'running')
    if (job.queueName !== null) {
      if (this.paused.has(`queue ${job.queueName}`)) return false
      if (running.some(({ queueName }) => queueName === job.queueName)) return false
      if (!job.holds && this.#isHeld(job.queueName)) return false
      if (!job.holds && this.#follows(job, now)) return false
    }
    const limit = lanes.find(({ type }) => type === job.type)?.limit
    const sharing = running.filter(({ type, limitKey }) => type === job.type && limitKey === job.limitKey)
    if (sharing.length >= (limit?.concurrency ?? Infinity)) return false
    const window = this.#windows.get(`${job.type} ${job.limitKey}`)
    const used = window !== undefined && now < window.until ? window.used : 0
    return used < (limit?.rate?.count ?? Infinity)
  }

  #isHeld(queue: string): boolean {
    return this.jobs.some(({ holds, queueName }) => holds && queueName === queue)
  }

  /** Jobs alike in type and requirements keep the order of their serial queue, though the first wait for its limit. */
  #follows(job: ModelJob, now: number): boolean {
    const lane = (one: ModelJob) =>
      [one.queueName, one.type, one.requires, one.payloadVersion, this.#suspect(one)].join()
    const before = (one: ModelJob) => one.state === 'waiting' && this.#isDue(one, now) && inOrder(one, job) < 0
    return this.jobs.some((one) => one !== job && before(one) && lane(one) === lane(job))
  }

  #start(job: ModelJob, { session, now, lanes }: ClaimRequest): void {
    Object.assign(job, { state: 'running', session, attempts: job.attempts + 1, holds: false })
    const rate = lanes.find(({ type }) => type === job.type)?.limit?.rate
    if (rate === undefined) return
    const name = `${job.type} ${job.limitKey}`
    const window = this.#windows.get(name)
    if (window !== undefined && now < window.until) window.used += 1
    else
      this.#windows.set(name, {
        until: (window && now < window.until + rate.per ? window.until : now) + rate.per,
        used: 1,
      })
  }

  #wait(job: ModelJob, runAt: number, delay: number | null): void {
    Object.assign(job, { state: 'waiting', runAt, delay })
  }

  #finish(job: ModelJob, state: 'completed' | 'failed' | 'cancelled'): void {
    job.state = state
    job.holds = false
    if (state === 'completed') job.cancelRequested = null
    if (state !== 'failed') this.#freeKey(job)
  }

  #cancel(job: ModelJob, reason: string): void {
    job.cancelRequested = reason
    this.#finish(job, 'cancelled')
  }

  #requeue(job: ModelJob, runAt: number, delay: number | null): void {
    if (job.state === 'cancelled' && job.jobKey !== null) {
      if (this.#keys.has(job.jobKey)) job.jobKey = null
      else this.#keys.set(job.jobKey, job)
    }
    Object.assign(job, { attempts: 0, failures: 0, interruptions: 0, cancelRequested: null, superseded: false })
    this.#wait(job, runAt, delay)
  }

  #freeKey(job: ModelJob): void {
    if (job.jobKey !== null && this.#keys.get(job.jobKey) === job) this.#keys.delete(job.jobKey)
  }
}

function inOrder(a: ModelJob, b: ModelJob): number {
  return b.priority - a.priority || a.runAt - b.runAt || a.sequence - b.sequence
}
