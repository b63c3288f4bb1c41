import fc from 'fast-check'
import { expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import type {
  Amendment,
  ClaimRequest,
  JobRecord,
  NewJob,
  PauseScope,
  Settlement,
} from '../../src/core/storage/contract.ts'
import { newJob } from '../../src/testing/index.ts'
import { allJobs, NOW } from './kit-targets.ts'
import { type End, type ModelJob, NaiveModel } from './naive-model.ts'

const RUNS = Number(process.env['HOLDFAST_MODEL_RUNS'] ?? 300)
const STEPS = 60
/** A quarter of a minute on a machine at rest, and one that is busy may take many times as long. ms */
const PATIENCE = 300_000

const SESSIONS = ['one', 'two']
const LANES: ClaimRequest['lanes'] = [
  { type: 'plain', payloadVersion: 2 },
  { type: 'limited', limit: { concurrency: 2 } },
  { type: 'rated', limit: { rate: { count: 2, per: 10_000 } } },
]
const STATE_AFTER: Readonly<Record<End['ending'], ModelJob['state']>> = {
  complete: 'completed',
  retry: 'waiting',
  interrupt: 'waiting',
  fail: 'failed',
  release: 'waiting',
  cancelled: 'cancelled',
}
const ERROR = { name: 'Error', message: 'boom' }

const detail = fc.record({
  type: fc.constantFrom('plain', 'plain', 'limited', 'limited', 'rated', 'unhandled'),
  priority: fc.integer({ min: 0, max: 2 }),
  delay: fc.constantFrom(null, null, 0, 3000, 7000),
  queueName: fc.constantFrom(null, 'q', 'r'),
  serial: fc.constantFrom<NewJob['serial'][]>('relaxed', 'strict'),
  payloadVersion: fc.constantFrom(1, 1, 2),
  limitKey: fc.constantFrom('', '', 'x'),
  requires: fc.constantFrom([], [], ['online']),
  jobKey: fc.constantFrom(null, null, null, 'k', 'l'),
  jobKeyMode: fc.constantFrom<NewJob['jobKeyMode'][]>('replace', 'preserveRunAt', 'unsafeDedupe'),
})

const ending = fc.constantFrom<End['ending'][]>('complete', 'retry', 'interrupt', 'fail', 'release', 'cancelled')

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('enqueue' as const), detail }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('claim' as const),
      session: fc.constantFrom(...SESSIONS),
      limit: fc.integer({ min: 1, max: 4 }),
      lanes: fc.subarray([...LANES]),
      have: fc.constantFrom([], ['online']),
      suspects: fc.constantFrom<ClaimRequest['suspects'][]>('none', 'none', 'only'),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('settle' as const), pick: fc.nat(99), ending, stale: fc.nat(9) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('amend' as const),
      pick: fc.nat(99),
      kind: fc.constantFrom('cancel', 'requeue', 'reschedule', 'remove'),
      priority: fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('pause' as const),
      scope: fc.constantFrom<PauseScope[]>({ all: true }, { type: 'plain' }, { queueName: 'q' }),
      paused: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), span: fc.nat(6000) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('close' as const),
      session: fc.constantFrom(...SESSIONS),
      byForce: fc.boolean(),
    }),
  },
)

type StepOf<Name> = Extract<typeof step extends fc.Arbitrary<infer Step> ? Step : never, { do: Name }>
type Step = StepOf<string>

/** The storage and the model, walking side by side. */
class Pair {
  readonly #storage = memory()
  readonly #model = new NaiveModel()
  readonly #fences = new Set<string>()
  #now = NOW
  #names = 0

  async open(): Promise<void> {
    await this.#storage.open()
    for (const session of SESSIONS) await this.#openSession(session)
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'enqueue':
        await this.#enqueue(step)
        break
      case 'claim':
        await this.#claim(step)
        break
      case 'settle':
        await this.#settle(step)
        break
      case 'amend':
        await this.#amend(step)
        break
      case 'pause':
        await this.#storage.pause(step)
        this.#model.paused[step.paused ? 'add' : 'delete'](nameOf(step.scope))
        break
      case 'wait':
        this.#now += step.span
        break
      case 'close':
        await this.#close(step)
        break
    }
    await this.#compare()
  }

  async #enqueue({ detail }: StepOf<'enqueue'>): Promise<void> {
    const id = `${++this.#names}`
    const isLimited = detail.type === 'limited' || detail.type === 'rated'
    const runAt = this.#now + (detail.delay ?? 0)
    const due = { runAt, createdAt: this.#now, payload: [id] }
    const job = newJob({ ...detail, ...(isLimited ? {} : { limitKey: null }), ...due, id })
    const answer = await this.#storage.enqueue({ jobs: [job], now: this.#now })
    expect(answer.accepted && answer.jobs.map((one) => one.id)).toEqual([this.#model.enqueue(job)])
  }

  async #claim({ do: _, ...step }: StepOf<'claim'>): Promise<void> {
    const request: ClaimRequest = { ...step, requestId: `${++this.#names}`, now: this.#now }
    const answer = await this.#storage.claim(request)
    expect(
      answer.jobs.map(({ id }) => id),
      'what is claimed',
    ).toEqual(this.#model.claim(request))
    for (const { id, fence } of answer.jobs) {
      const job = this.#model.find(id) as ModelJob
      expect(fence, 'the fence').toBeGreaterThan(job.fence)
      expect(this.#fences.has(`${id} ${fence}`), 'a fence used before').toBe(false)
      this.#fences.add(`${id} ${fence}`)
      job.fence = fence
    }
    expect(answer.suspectDue, 'suspectDue').toBe(this.#model.suspectDue(request))
    // A wake-up too early costs a look; one too late would leave a job waiting.
    expect(answer.nextRunAt ?? Infinity, 'nextRunAt').toBeLessThanOrEqual(this.#model.nextDue(request))
    expect(answer.nextRunAt ?? Infinity, 'nextRunAt').toBeGreaterThan(this.#now)
  }

  async #settle({ pick, ending, stale }: StepOf<'settle'>): Promise<void> {
    const jobs = this.#model.jobs.filter(({ state }) => state === 'running' || stale === 0)
    const job = jobs[pick % Math.max(1, jobs.length)]
    if (job === undefined) return
    const lease = { id: job.id, fence: stale === 1 ? job.fence - 1 : job.fence }
    const runAt = this.#now + (pick % 3) * 2000
    // A repeat of the outcome that counts is told `ok`; the kit proves that, the model leaves it out.
    if (job.state !== 'running') return
    const [answer] = await this.#storage.settle({
      batch: [settlement(lease, ending, this.#now, runAt)],
      now: this.#now,
    })
    expect(answer?.verdict, 'the verdict').toBe(this.#model.settle({ ...lease, ending, runAt }))
    const state = answer?.became?.state ?? STATE_AFTER[ending]
    if (answer?.verdict === 'ok') expect(state, 'what it became').toBe(job.state)
  }

  async #amend({ pick, kind, priority }: StepOf<'amend'>): Promise<void> {
    const id = `${pick % (this.#names + 1)}`
    const amendment = amendmentOf(kind, id, this.#now, pick, priority)
    const [answer] = await this.#storage.amend({ batch: [amendment], now: this.#now })
    expect(answer?.verdict, 'the verdict').toBe(this.#model.amend(amendment))
  }

  async #close({ session, byForce }: StepOf<'close'>): Promise<void> {
    if (byForce) await this.#storage.amend({ batch: [{ kind: 'forceRelease', session }], now: this.#now })
    else await this.#storage.session({ close: session, now: this.#now })
    this.#model.close(session, byForce)
    await this.#openSession(session)
  }

  async #openSession(session: string): Promise<void> {
    await this.#storage.session({ open: session, leaseDuration: 30_000, now: this.#now })
    this.#model.sessions.add(session)
  }

  async #compare(): Promise<void> {
    const records = [...(await allJobs(this.#storage))].sort((a, b) => a.sequence - b.sequence)
    expect(records.map(known), 'the jobs').toEqual(this.#model.jobs.map(known))
    expect(await this.#storage.counts({ now: this.#now }), 'the counts').toEqual(this.#model.counts(this.#now))
    for (const session of SESSIONS) {
      const running = await this.#storage.running({ session, types: LANES.map(({ type }) => type), limit: 1000 })
      expect(running.map(({ id }) => id).sort()).toEqual(
        this.#model
          .heldBy(session)
          .map(({ id }) => id)
          .sort(),
      )
    }
  }
}

function settlement(
  lease: { id: string; fence: number },
  ending: End['ending'],
  now: number,
  runAt: number,
): Settlement {
  const due = { runAt, delay: runAt - now }
  switch (ending) {
    case 'complete':
      return { ...lease, kind: 'complete', result: null }
    case 'retry':
      return { ...lease, kind: 'retry', ...due, error: ERROR, counts: 'failure' }
    case 'interrupt':
      return { ...lease, kind: 'retry', ...due, error: ERROR, counts: 'interruption' }
    case 'fail':
      return { ...lease, kind: 'fail', error: ERROR, counts: 'failure' }
    case 'release':
      return { ...lease, kind: 'release', runAt, delay: null }
    case 'cancelled':
      return { ...lease, kind: 'cancelled', reason: 'asked' }
  }
}

type Amended = Extract<Amendment, { id: string }>

function amendmentOf(kind: string, id: string, now: number, pick: number, priority: number | undefined): Amended {
  switch (kind) {
    case 'cancel':
      return { kind, id, reason: 'enough' }
    case 'requeue':
      return { kind, id, runAt: now, delay: null }
    case 'reschedule':
      return {
        ...{ kind, id, ...(priority === undefined ? {} : { priority }) },
        ...(pick % 2 === 0 ? {} : { runAt: now + (pick % 5) * 1000 }),
      }
    default:
      return { kind: 'remove', id }
  }
}

function nameOf(scope: PauseScope): string {
  return 'all' in scope ? 'all' : 'type' in scope ? `type ${scope.type}` : `queue ${scope.queueName}`
}

/** What both know of a job. */
function known(job: JobRecord | ModelJob): Record<string, unknown> {
  const { id, type, payload, priority, state, runAt, attempts, failures, interruptions, fence, session } = job
  const { jobKey, superseded, queueName, limitKey, requires, cancelRequested } = job
  const counters = { attempts, failures, interruptions, fence }
  return {
    ...{ id, type, payload, priority, state, runAt, ...counters, session },
    ...{ jobKey, superseded, queueName, limitKey, requires, cancelRequested },
  }
}

test('memory does what a list of jobs would, searched from end to end', { timeout: PATIENCE }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 2 * STEPS, size: 'max' }), async (steps) => {
      const pair = new Pair()
      await pair.open()
      for (const one of steps) await pair.take(one)
    }),
    { numRuns: RUNS },
  )
})
