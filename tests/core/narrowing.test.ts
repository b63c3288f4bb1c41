// Conditions on fields that the table has an index or an order of: a list looks at few jobs besides those that fit.
import { beforeAll, expect, test } from 'vitest'
import type { JobRecord, ListOrder, NewJob, Where } from '../../src/core/storage/contract.ts'
import { decide, type Operation, type Part } from '../../src/core/storage/job-table/decide.ts'
import { JobTable } from '../../src/core/storage/job-table/job-table.ts'
import { list } from '../../src/core/storage/job-table/query.ts'
import { newJob } from '../../src/testing/index.ts'
import { NOW } from './kit-targets.ts'

const JOBS = 20_000
const RARE = 10
/** A list first looks at so many in the order asked for, which here has none of the rare ones. */
const FIRST_LOOK = 2000
const LATER = NOW + JOBS
const HOUR = 3_600_000

const table = new JobTable()
/** How many jobs a search has looked at: their timeouts are read by nothing else. */
let looks = 0

function done(operation: Operation): unknown {
  const parts: Part[] = []
  decide(table, operation, [0], parts)
  return parts[0]?.answer
}

const isRare = (n: number): boolean => n >= JOBS / 2 && n < JOBS / 2 + RARE

function job(n: number): NewJob {
  const rare = { type: 'rare', queueName: `rare ${n}`, jobKey: `key ${n}`, priority: 7 }
  return newJob({ id: `job ${n}`, type: 'common', createdAt: NOW + n, runAt: NOW + n, ...(isRare(n) && rare) })
}

function claim(type: string, limit: number): readonly JobRecord[] {
  const request = {
    requestId: type,
    session: 's',
    now: LATER,
    limit,
    lanes: [{ type }],
    have: [],
    suspects: 'none',
  } as const
  return (done({ name: 'claim', request }) as { readonly jobs: readonly JobRecord[] }).jobs
}

beforeAll(() => {
  done({ name: 'session', request: { open: 's', leaseDuration: 30_000, now: NOW } })
  done({ name: 'enqueue', request: { jobs: Array.from({ length: JOBS }, (_, n) => job(n)), now: NOW } })
  const delayed = { type: 'delayed', createdAt: NOW + JOBS / 2, runAt: LATER + HOUR, delay: HOUR }
  done({ name: 'enqueue', request: { jobs: [newJob({ id: 'delayed', ...delayed })], now: NOW } })
  for (const { id, fence } of claim('rare', RARE).slice(0, 5)) {
    const error = { name: 'Error', message: 'no' }
    const failed = { kind: 'fail', id, fence, counts: 'failure', error } as const
    done({ name: 'settle', request: { batch: [failed], now: LATER } })
  }
  for (const row of table.tables.jobs.values()) {
    const { timeout } = row
    Object.defineProperty(row, 'timeout', { get: () => (looks++, timeout), enumerable: true, configurable: true })
  }
})

function found(where: Where, orderBy: readonly [ListOrder] = [{ path: ['createdAt'], direction: 'asc' }]): number {
  // The timeout is asked first, so each job that is looked at counts.
  const asked = { timeout: { gte: 0 }, ...where } as Where
  looks = 0
  const jobs = list(table, { where: asked, orderBy, limit: 50, after: null, now: LATER }).jobs.length
  // Each job that is answered is copied.
  looks -= jobs
  return jobs
}

test('without an index a list looks at all jobs: what counts them here sees that', () => {
  expect([found({ session: { eq: 's' } }), looks]).toEqual([5, FIRST_LOOK + JOBS + 1])
})

test.each<[string, Where, number]>([
  ['id', { id: { in: ['job 1', 'job 10001', 'nobody'] } }, 2],
  ['status failed', { status: { eq: 'failed' } }, 5],
  ['status running', { status: { eq: 'running' } }, 5],
  ['status completed', { status: { eq: 'completed' } }, 0],
  ['status, one of several', { status: { in: ['failed', 'running'] } }, 10],
])('a condition on %s looks at the jobs that fit and no other', (_, where, fits) => {
  expect([found(where), looks]).toEqual([fits, fits])
})

test.each<[string, Where, number]>([
  ['status scheduled', { status: { eq: 'scheduled' } }, 1],
  ['type', { type: { eq: 'rare' } }, RARE],
  ['type, one of several', { type: { in: ['rare', 'delayed'] } }, RARE + 1],
  ['key', { jobKey: { eq: `key ${JOBS / 2}` } }, 1],
  ['key, from and to', { jobKey: { gte: 'key', lt: 'kez' } }, RARE],
  ['queueName', { queueName: { eq: `rare ${JOBS / 2}` } }, 1],
  ['priority', { priority: { gt: 1 } }, RARE],
  ['createdAt', { createdAt: { gte: NOW + JOBS / 2, lt: NOW + JOBS / 2 + 5 } }, 6],
  ['runAt', { runAt: { gt: LATER } }, 1],
  ['startedAt', { startedAt: { gte: LATER } }, RARE],
  ['finishedAt', { finishedAt: { gte: LATER } }, 5],
  [
    'several, the narrowest of them',
    { and: [{ status: { eq: 'pending' } }, { createdAt: { lte: NOW + JOBS } }], priority: { eq: 7 } },
    0,
  ],
])('a condition on %s looks at few others', (_, where, fits) => {
  for (const direction of ['asc', 'desc'] as const) {
    expect(found(where, [{ path: ['createdAt'], direction }])).toBe(fits)
    expect(looks).toBeLessThanOrEqual(FIRST_LOOK + RARE + 1)
  }
})

test.each<readonly [ListOrder['direction'], ListOrder['direction']]>([
  ['asc', 'asc'],
  ['asc', 'desc'],
  ['desc', 'asc'],
  ['desc', 'desc'],
])('ordered by two fields, of which the first is the same for nearly all, few are looked at: %s, %s', (one, two) => {
  const orderBy = [
    { path: ['priority'], direction: one },
    { path: ['createdAt'], direction: two },
  ] as const
  const page = (after: string | null) => {
    looks = 0
    const where = { timeout: { gte: 0 } } as Where
    return list(table, { where, orderBy, limit: 50, after, now: LATER })
  }
  const sign = (direction: ListOrder['direction']): number => (direction === 'asc' ? 1 : -1)
  const order = (a: JobRecord, b: JobRecord): number =>
    sign(one) * (a.priority - b.priority) ||
    sign(two) * (a.createdAt - b.createdAt) ||
    sign(two) * (a.sequence - b.sequence)
  const all = [...table.tables.jobs.values()].sort(order).map(({ id }) => id)
  let after: string | null = null
  for (let at = 0; at < 200; at += 50) {
    const { jobs, cursor } = page(after)
    expect(jobs.map(({ id }) => id)).toEqual(all.slice(at, at + 50))
    expect(looks).toBeLessThanOrEqual(FIRST_LOOK + 200)
    after = cursor
  }
})

test('an order of two fields that is kept follows what jobs become', () => {
  const orderBy = [
    { path: ['priority'], direction: 'desc' },
    { path: ['createdAt'], direction: 'asc' },
  ] as const
  const first = () =>
    list(table, { where: {}, orderBy, limit: 20, after: null, now: LATER }).jobs.map(({ id, priority }) => [
      id,
      priority,
    ])
  expect(first().length).toBe(20)
  const amended = [
    { kind: 'reschedule', id: 'job 15000', priority: 9 },
    { kind: 'reschedule', id: 'job 14000', priority: 9 },
    { kind: 'remove', id: 'job 0' },
  ] as const
  for (const one of amended) done({ name: 'amend', request: { batch: [one], now: LATER } })
  const late = newJob({ id: 'late', priority: 9, createdAt: LATER, runAt: LATER })
  done({ name: 'enqueue', request: { jobs: [late], now: LATER } })
  const rare = Array.from({ length: RARE }, (_, n) => [`job ${JOBS / 2 + n}`, 7])
  const top = [['job 14000', 9], ['job 15000', 9], ['late', 9], ...rare, ['job 1', 1], ['job 2', 1]]
  expect(first().slice(0, top.length)).toEqual(top)
})
