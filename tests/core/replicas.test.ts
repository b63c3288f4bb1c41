import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HoldfastError } from '../../src/core/errors.ts'
import type { JobRecord, LeaseRef, Settlement } from '../../src/core/storage/contract.ts'
import { EMPTY, type Snapshot } from '../../src/core/storage/job-table/job-table.ts'
import { LoggedStorage } from '../../src/core/storage/logged-storage.ts'
import { type Fault, newJob, SharedLog } from '../../src/testing/index.ts'
import { NOW } from './kit-targets.ts'

const HANDLES = 3
const TYPES = ['task', 'limited', 'other']
const LANES = [{ type: 'task' }, { type: 'limited', limit: { concurrency: 2 } }, { type: 'other' }]

/** A handle whose table can be looked at. */
class Replica {
  readonly storage: LoggedStorage
  readonly session: string
  held: LeaseRef[] = []
  #snapshot: () => Snapshot = () => EMPTY

  constructor(log: SharedLog, name: string) {
    const inner = log.handle()
    this.session = name
    this.storage = new LoggedStorage({
      name,
      traits: { durable: false, scope: 'host', payload: 'json', transactions: false },
      writer: name,
      log: {
        open: (replica) => {
          this.#snapshot = () => replica.snapshot()
          return inner.open(replica)
        },
        close: () => inner.close(),
        exchange: (turn, need, guess) => inner.exchange(turn, need, guess),
        watch: (listener) => inner.watch(listener),
      },
    })
  }

  async open(): Promise<void> {
    await this.storage.open()
    await this.storage.session({ open: this.session, leaseDuration: 30_000, now: NOW })
  }

  /** The rows of the table, as a replica that has read the whole log has them. */
  async rows(): Promise<unknown> {
    await this.storage.counts({ now: NOW })
    const { sequence, rows } = this.#snapshot()
    const sorted = [...rows].map(({ table, key, row }) => [`${table}:${key}`, row] as const)
    return { sequence, rows: sorted.sort(([a], [b]) => (a < b ? -1 : 1)) }
  }
}

interface Step {
  readonly handle: number
  readonly kind: 'enqueue' | 'enqueue keyed' | 'claim' | 'settle' | 'beat' | 'cancel' | 'requeue' | 'pause' | 'reopen'
  readonly pick: number
  readonly fault: Fault | null
}

const step: fc.Arbitrary<Step> = fc.record({
  handle: fc.nat(HANDLES - 1),
  kind: fc.constantFrom<Step['kind'][]>(
    ...(['enqueue', 'enqueue', 'enqueue keyed', 'claim', 'claim', 'settle', 'settle', 'beat'] as const),
    ...(['cancel', 'requeue', 'pause', 'reopen'] as const),
  ),
  pick: fc.nat(1000),
  fault: fc.constantFrom<(Fault | null)[]>(null, 'overtake', 'overtake', 'lose the answer', 'drop', 'repeat', 'refuse'),
})

/** What was told to those who called. */
class Story {
  readonly acknowledged: string[] = []
  /** `id fence` of every claim that was answered, with the request it was for. */
  readonly claims: Map<string, string> = new Map()
  readonly twice: string[] = []
  count = 0

  claimed(requestId: string, jobs: readonly JobRecord[]): void {
    for (const { id, fence } of jobs) {
      const name = `${id} ${fence}`
      if ((this.claims.get(name) ?? requestId) !== requestId) this.twice.push(name)
      this.claims.set(name, requestId)
    }
  }
}

async function take({ storage, session, held }: Replica, { kind, pick }: Step, story: Story): Promise<void> {
  const n = ++story.count
  const type = TYPES[pick % TYPES.length] ?? 'task'
  switch (kind) {
    case 'enqueue':
    case 'enqueue keyed': {
      const key = kind === 'enqueue' ? {} : { jobKey: `key-${pick % 4}` }
      const queue = pick % 3 === 0 ? { queueName: `queue-${pick % 2}` } : {}
      const limit = type === 'limited' ? { limitKey: '' } : {}
      const job = newJob({ id: `job-${n}`, type, priority: pick % 3, ...key, ...queue, ...limit })
      const answer = await storage.enqueue({ jobs: [job], now: NOW })
      if (answer.accepted) story.acknowledged.push(...answer.jobs.map(({ id }) => id))
      return
    }
    case 'claim': {
      const requestId = `${session}.${n}`
      const limit = 1 + (pick % 4)
      const request = { requestId, session, now: NOW, limit, lanes: LANES, have: [], suspects: 'none' } as const
      const { jobs } = await storage.claim(request)
      story.claimed(requestId, jobs)
      held.push(...jobs.map(({ id, fence }) => ({ id, fence })))
      return
    }
    case 'settle': {
      const lease = held.splice(pick % Math.max(1, held.length), 1)[0]
      if (lease !== undefined) await storage.settle({ batch: [outcome(lease, pick)], now: NOW })
      return
    }
    case 'beat': {
      const progress = held.slice(0, 1).map((lease) => ({ ...lease, value: pick }))
      await storage.beat({ session, now: NOW, holds: held, claiming: [], progress })
      return
    }
    case 'cancel':
    case 'requeue': {
      const id = `job-${1 + (pick % n)}`
      const amendment =
        kind === 'cancel' ? ({ kind, id, reason: 'asked' } as const) : ({ kind, id, runAt: NOW, delay: null } as const)
      await storage.amend({ batch: [amendment], now: NOW })
      return
    }
    case 'pause':
      await storage.pause({ scope: { queueName: `queue-${pick % 2}` }, paused: pick % 3 === 0 })
      return
    case 'reopen':
      await storage.close()
      await storage.open()
  }
}

function outcome(lease: LeaseRef, pick: number): Settlement {
  const error = { name: 'Error', message: 'boom' }
  switch (pick % 4) {
    case 0:
      return { ...lease, kind: 'retry', runAt: NOW, delay: 0, error, counts: 'failure' }
    case 1:
      return { ...lease, kind: 'release', runAt: NOW, delay: null }
    case 2:
      return { ...lease, kind: 'complete', result: pick, enqueue: [newJob({ id: `child-of-${lease.id}` })] }
    default:
      return { ...lease, kind: 'fail', error, counts: 'failure' }
  }
}

/** What a storage may answer while its log goes wrong, or while a handle of this run is being reopened. */
const EXPECTED: readonly string[] = ['HOLDFAST_STORAGE', 'HOLDFAST_OUTCOME_UNKNOWN', 'HOLDFAST_STORAGE_CLOSED']

function asExpected(error: unknown): void {
  if (!HoldfastError.is(error) || !EXPECTED.includes(error.code)) throw error
}

async function play(batches: readonly (readonly Step[])[]): Promise<{ replicas: Replica[]; story: Story }> {
  const log = new SharedLog()
  const replicas = Array.from({ length: HANDLES }, (_, n) => new Replica(log, `handle-${n}`))
  for (const replica of replicas) await replica.open()
  const story = new Story()
  for (const batch of batches) {
    const faults = batch.map(({ fault }) => fault)
    log.fault = () => faults.shift() ?? null
    const calls = batch.map((one) => take(replicas[one.handle] as Replica, one, story))
    await Promise.all(calls.map((call) => call.catch(asExpected)))
  }
  log.fault = () => null
  return { replicas, story }
}

test('replicas end equal, fences are used once and acknowledged jobs stay, whatever happens to appends', async () => {
  const batches = fc.array(fc.array(step, { minLength: 1, maxLength: 5 }), { minLength: 5, maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(batches, async (plan) => {
      const { replicas, story } = await play(plan)
      const [first, ...others] = replicas as [Replica, ...Replica[]]
      const rows = await first.rows()
      for (const other of others) expect(await other.rows()).toEqual(rows)
      await first.storage.close()
      await first.storage.open()
      expect(await first.rows(), 'the reopened handle').toEqual(rows)
      expect(story.twice, 'fences given to two claims').toEqual([])
      const stored = await first.storage.get(story.acknowledged)
      expect(story.acknowledged.filter((_, at) => stored[at] === null)).toEqual([])
      const counts = await Promise.all(replicas.map(({ storage }) => storage.counts({ now: NOW })))
      expect(counts).toEqual([counts[0], counts[0], counts[0]])
    }),
    { numRuns: 300 },
  )
})

test('replicas give out the same jobs next: their indexes agree as their rows do', async () => {
  const batches = fc.array(fc.array(step, { minLength: 1, maxLength: 5 }), { minLength: 5, maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(batches, async (plan) => {
      const given: string[][] = []
      // The same history is played once per handle, and each time another handle makes the claim.
      for (let n = 0; n < HANDLES; n++) {
        const { replicas } = await play(plan)
        const { storage, session } = replicas[n] as Replica
        const request = { requestId: 'last', session, now: NOW, limit: 100, lanes: LANES, have: [] }
        given.push((await storage.claim({ ...request, suspects: 'none' })).jobs.map(({ id }) => id))
      }
      expect(given).toEqual([given[0], given[0], given[0]])
    }),
    { numRuns: 100 },
  )
})
