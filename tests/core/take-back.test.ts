import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ClaimAnswer, ClaimRequest, EnqueueAnswer, LeaseRef, Settlement } from '../../src/core/storage/contract.ts'
import { decide, type Operation, type Part, partsOf } from '../../src/core/storage/job-table/decide.ts'
import { JobTable, type Undo } from '../../src/core/storage/job-table/job-table.ts'
import { newJob } from '../../src/testing/index.ts'
import { NOW } from './kit-targets.ts'

const SESSION = 'session'
const LANES: ClaimRequest['lanes'] = [
  { type: 'plain' },
  { type: 'limited', limit: { concurrency: 2 } },
  { type: 'rated', limit: { rate: { count: 2, per: 5000 } } },
]

const step = fc.record({
  kind: fc.constantFrom('enqueue', 'enqueue', 'enqueue', 'claim', 'claim', 'settle', 'settle', 'pause', 'amend'),
  isTakenBack: fc.boolean(),
  wait: fc.constantFrom(0, 0, 1000, 4000),
  pick: fc.nat(99),
  jobs: fc.array(
    fc.record({
      type: fc.constantFrom('plain', 'limited', 'rated'),
      priority: fc.integer({ min: 0, max: 2 }),
      delay: fc.constantFrom(null, null, 2000),
      queueName: fc.constantFrom(null, 'q', 'r'),
      serial: fc.constantFrom('relaxed' as const, 'strict' as const),
      limitKey: fc.constantFrom(null, 'x'),
      jobKey: fc.constantFrom(null, null, 'k'),
      requires: fc.constantFrom([], [], ['online']),
    }),
    { minLength: 1, maxLength: 4 },
  ),
})
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never

/** A table in which some operations take place and are taken back, beside one that never sees those. */
class Tables {
  readonly #shaken = new JobTable()
  readonly #calm = new JobTable()
  #now = NOW
  #names = 0
  #ids: string[] = []
  #held: LeaseRef[] = []

  constructor() {
    this.#both({ name: 'session', request: { open: SESSION, leaseDuration: 30_000, now: NOW } })
    // The limits are what a claim tells, whether it is taken back or not.
    this.#both(this.#claim(1))
  }

  take(one: Step): void {
    this.#now += one.wait
    const operation = this.#operation(one)
    if (one.isTakenBack) {
      const undo: Undo = []
      decide(this.#shaken, operation, partsOf(operation), [], undo)
      this.#shaken.takeBack(undo)
    } else this.#note(operation, this.#both(operation))
  }

  /** Until nothing is left that could start. */
  drain(): void {
    for (let round = 0; round < 200; round++) {
      this.#now += 1000
      const claim = this.#claim(3)
      this.#note(claim, this.#both(claim))
      const complete = this.#settle((lease) => ({ ...lease, kind: 'complete', result: null }))
      this.#note(complete, this.#both(complete))
    }
  }

  #both(operation: Operation): readonly unknown[] {
    const [calm, shaken] = [this.#calm, this.#shaken].map((table) => {
      const parts: Part[] = []
      decide(table, operation, partsOf(operation), parts)
      return parts.map(({ answer }) => answer)
    })
    expect(shaken, operation.name).toEqual(calm)
    return calm ?? []
  }

  #operation({ kind, jobs, pick }: Step): Operation {
    const id = this.#ids[pick % Math.max(1, this.#ids.length)] ?? 'none'
    switch (kind) {
      case 'claim':
        return this.#claim(1 + (pick % 4))
      case 'settle': {
        const due = { runAt: this.#now + (pick % 3) * 1000, delay: (pick % 3) * 1000 }
        const error = { name: 'Error', message: 'boom' }
        const ends: ((lease: LeaseRef) => Settlement)[] = [
          (lease) => ({ ...lease, kind: 'complete', result: null }),
          (lease) => ({ ...lease, kind: 'retry', ...due, error, counts: 'failure' }),
          (lease) => ({ ...lease, kind: 'release', runAt: this.#now, delay: null }),
        ]
        return this.#settle(ends[pick % 3] as (lease: LeaseRef) => Settlement)
      }
      case 'pause':
        return { name: 'pause', request: { scope: { queueName: 'q' }, paused: pick % 2 === 0 } }
      case 'amend': {
        const amendment = [{ kind: 'cancel', id, reason: 'enough' } as const, { kind: 'remove', id } as const][pick % 2]
        return { name: 'amend', request: { batch: amendment === undefined ? [] : [amendment], now: this.#now } }
      }
      default: {
        const due = { createdAt: this.#now }
        const added = jobs.map((job) =>
          newJob({ ...job, ...due, runAt: this.#now + (job.delay ?? 0), id: `${++this.#names}` }),
        )
        return { name: 'enqueue', request: { jobs: added, now: this.#now } }
      }
    }
  }

  #claim(limit: number): Operation {
    const request = { session: SESSION, requestId: `${++this.#names}`, lanes: LANES, limit, have: ['online'] }
    return { name: 'claim', request: { ...request, suspects: 'none', now: this.#now } }
  }

  #settle(end: (lease: LeaseRef) => Settlement): Operation {
    return { name: 'settle', request: { batch: this.#held.slice(0, 3).map(end), now: this.#now } }
  }

  #note({ name }: Operation, answers: readonly unknown[]): void {
    if (name === 'enqueue') this.#ids.push(...acceptedIds(answers[0] as EnqueueAnswer))
    if (name === 'claim') this.#held.push(...(answers[0] as ClaimAnswer).jobs.map(({ id, fence }) => ({ id, fence })))
    if (name === 'settle') this.#held = this.#held.slice(3)
  }
}

function acceptedIds(answer: EnqueueAnswer): readonly string[] {
  return answer.accepted ? answer.jobs.map(({ id }) => id) : []
}

test('what is taken back leaves a table as it was: the same jobs start in the same order', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }), (steps) => {
      const tables = new Tables()
      for (const one of steps) tables.take(one)
      tables.drain()
    }),
    { numRuns: 200 },
  )
})

const CLAIM = {
  name: 'claim',
  request: { session: SESSION, lanes: LANES, limit: 1, have: [], suspects: 'none' },
} as const

/** A table with one session. */
class Table {
  readonly #table = new JobTable()
  #claims = 0

  constructor() {
    this.decide({ name: 'session', request: { open: SESSION, leaseDuration: 30_000, now: NOW } })
  }

  decide(operation: Operation, undo?: Undo): unknown {
    const parts: Part[] = []
    decide(this.#table, operation, partsOf(operation), parts, undo)
    return parts[0]?.answer
  }

  takeBack(undo: Undo): void {
    this.#table.takeBack(undo)
  }

  /** Answers the group that it stands in. */
  add(id: string, serial: 'relaxed' | 'strict' = 'relaxed'): unknown {
    this.decide({
      name: 'enqueue',
      request: { jobs: [newJob({ id, type: 'plain', queueName: 'q', serial })], now: NOW },
    })
    return this.#table.row('jobs', id)?.queue
  }

  claim(): LeaseRef | undefined {
    const request = { ...CLAIM.request, requestId: `${++this.#claims}`, now: NOW }
    return (this.decide({ ...CLAIM, request }) as ClaimAnswer).jobs[0]
  }

  groupOf(id: string): unknown {
    return this.#table.row('jobs', id)?.queue
  }
}

test('a place that a job keeps in its serial queue is kept when its cancellation is taken back', () => {
  const table = new Table()
  table.add('kept', 'strict')
  const lease = table.claim() as LeaseRef
  const due = { runAt: NOW + 60_000, delay: 60_000 }
  const error = { name: 'Error', message: 'boom' }
  table.decide({
    name: 'settle',
    request: {
      batch: [{ id: lease.id, fence: lease.fence, kind: 'retry', ...due, error, counts: 'failure' }],
      now: NOW,
    },
  })
  table.add('behind')
  const undo: Undo = []
  table.decide(
    { name: 'amend', request: { batch: [{ kind: 'cancel', id: 'kept', reason: 'enough' }], now: NOW } },
    undo,
  )
  table.takeBack(undo)
  expect(table.claim()).toBeUndefined()
})

test('a group that nobody waits in any more is forgotten, and kept by no job', () => {
  const table = new Table()
  const first = table.add('claimed')
  expect(first).toBeDefined()
  table.claim()
  expect(table.groupOf('claimed')).toBeNull()
  const second = table.add('removed')
  expect(second).not.toBe(first)
  table.decide({ name: 'amend', request: { batch: [{ kind: 'remove', id: 'removed' }], now: NOW } })
  const third = table.add('next')
  expect(third).not.toBe(second)
  expect(table.add('beside it')).toBe(third)
})
