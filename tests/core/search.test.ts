import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import type { JobRecord, ListOrder, ListRequest, StorageAdapter, Where } from '../../src/core/storage/contract.ts'
import { decide } from '../../src/core/storage/job-table/decide.ts'
import { JobTable } from '../../src/core/storage/job-table/job-table.ts'
import { list, statusOf } from '../../src/core/storage/job-table/query.ts'
import type { JobRow } from '../../src/core/storage/job-table/rows.ts'
import { compilePattern } from '../../src/core/storage/pattern.ts'
import { newJob, SharedLog, sharedStorage } from '../../src/testing/index.ts'
import { allJobs, NOW } from './kit-targets.ts'
import { compare, holds } from './naive-query.ts'

const word = fc.constantFrom('a', 'b', 'ab', 'a.b', 'x@y', '')
const name = fc.constantFrom('a', 'b', 'list', 'length', '__proto__', '0')
const scalar = fc.oneof(word, fc.integer({ min: -2, max: 2 }), fc.boolean(), fc.constant(null))
const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'list', 'length', '0'), tie('value'), { maxKeys: 3 }),
  ),
})).value

const patterns = fc.constantFrom('a', '^a', 'b$', '^a*b?$', '.@.', '^[ab]+$', '\\.', '^\\w.?\\w$', '$', 'a+.*b')

/** Operators with operands of this kind. */
function filter(operand: fc.Arbitrary<unknown>): fc.Arbitrary<object> {
  const one = { eq: operand, ne: operand, gt: operand, gte: operand, lt: operand, lte: operand, contains: operand }
  const many = fc.array(operand, { maxLength: 3 })
  const texts = { startsWith: word, endsWith: word, matches: patterns }
  const model = {
    ...one,
    in: many,
    nin: many,
    containsAny: many,
    containsAll: many,
    ...texts,
    isNull: fc.boolean(),
    isNotNull: fc.boolean(),
  }
  const operators = Object.entries(model).map(([key, each]) => each.map((given: unknown) => ({ [key]: given })))
  return fc
    .array(fc.oneof(...operators), { minLength: 1, maxLength: 2 })
    .map((some) => Object.assign({}, ...some) as object)
}

const moment = fc.integer({ min: NOW - 3, max: NOW + 8 })
const status = fc.constantFrom('pending', 'scheduled', 'running', 'completed', 'failed', 'cancelled')
const payloadCondition = fc.letrec((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    filter(value),
    fc.dictionary(name, tie('condition'), { minKeys: 1, maxKeys: 2 }),
    fc.record({ not: tie('condition') }),
    fc.record({ or: fc.array(tie('condition'), { maxLength: 2 }) }),
  ),
})).condition

const where = fc.letrec((tie) => ({
  where: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    fc.record({ status: filter(status) }),
    fc.record({ type: filter(fc.constantFrom('mail', 'scan', 'none')) }),
    fc.record({ id: filter(fc.integer({ min: 0, max: 40 }).map((n) => `job ${n}`)) }),
    fc.record(
      { queueName: filter(fc.constantFrom('q', 'r', null)), jobKey: filter(fc.constantFrom('k1', 'k2', null)) },
      { requiredKeys: [] },
    ),
    fc.record({ priority: filter(fc.oneof(fc.integer({ min: 0, max: 3 }), word)) }),
    fc.record({ runAt: filter(moment), createdAt: filter(moment) }, { requiredKeys: ['runAt'] }),
    fc.record(
      { finishedAt: filter(fc.oneof(moment, fc.constant(null))), startedAt: filter(moment) },
      { requiredKeys: [] },
    ),
    fc.record({ payload: payloadCondition }),
    fc.record({ and: fc.array(tie('where'), { maxLength: 3 }) }),
    fc.record({ or: fc.array(tie('where'), { maxLength: 3 }) }),
    fc.record({ not: tie('where') }),
  ),
})).where as fc.Arbitrary<Where>

const field = fc.constantFrom(
  'createdAt',
  'runAt',
  'startedAt',
  'finishedAt',
  'priority',
  'type',
  'status',
  'queueName',
  'jobKey',
  'id',
)
const order: fc.Arbitrary<ListOrder> = fc.record({
  path: fc.oneof(
    { weight: 3, arbitrary: field.map((one) => [one] as const) },
    { weight: 1, arbitrary: fc.array(name, { maxLength: 2 }).map((path) => ['payload', ...path] as const) },
  ),
  direction: fc.constantFrom('asc', 'desc'),
})

const jobs = fc.array(
  fc.record({
    type: fc.constantFrom('mail', 'scan'),
    payload: value,
    priority: fc.integer({ min: 0, max: 3 }),
    age: fc.integer({ min: -2, max: 2 }),
    wait: fc.constantFrom(0, 0, 3, 6),
    queueName: fc.constantFrom(null, null, 'q', 'r'),
    jobKey: fc.constantFrom(null, null, null, 'k1', 'k2'),
    end: fc.constantFrom('waits', 'runs', 'complete', 'fail', 'cancel', 'remove', 'retry'),
  }),
  { maxLength: 50 },
)
type Made = typeof jobs extends fc.Arbitrary<infer Jobs> ? Jobs : never

async function populate(storage: StorageAdapter, made: Made): Promise<void> {
  await storage.open()
  await storage.session({ open: 's', leaseDuration: 30_000, now: NOW })
  for (const [n, { age, wait, end, ...more }] of made.entries()) {
    const id = `job ${n}`
    await storage.enqueue({
      jobs: [newJob({ id, ...more, createdAt: NOW + age, runAt: NOW + age + wait, delay: wait === 0 ? null : -1 })],
      now: NOW,
    })
    // Some are read in between, so that orders are kept while jobs change.
    if (n % 7 === 3)
      await storage.list({
        where: {},
        orderBy: [{ path: ['startedAt'], direction: 'asc' }],
        limit: 1,
        after: null,
        now: NOW,
      })
    if (end === 'cancel') await storage.amend({ batch: [{ kind: 'cancel', id, reason: 'x' }], now: NOW + age })
    if (end === 'remove') await storage.amend({ batch: [{ kind: 'remove', id }], now: NOW })
    if (end !== 'runs' && end !== 'complete' && end !== 'fail' && end !== 'retry') continue
    const lanes = [{ type: 'mail' }, { type: 'scan' }]
    const claim = {
      requestId: id,
      session: 's',
      now: NOW + age + wait,
      limit: 1,
      lanes,
      have: [],
      suspects: 'none',
    } as const
    const error = { name: 'Error', message: '' }
    for (const { id: claimed, fence } of (await storage.claim(claim)).jobs) {
      const lease = { id: claimed, fence }
      if (end === 'complete')
        await storage.settle({ batch: [{ ...lease, kind: 'complete', result: null }], now: NOW + wait })
      if (end === 'fail')
        await storage.settle({ batch: [{ ...lease, kind: 'fail', error, counts: 'failure' }], now: NOW + wait })
      if (end === 'retry')
        await storage.settle({
          batch: [{ ...lease, kind: 'retry', runAt: NOW + 5, delay: 5, error, counts: 'failure' }],
          now: NOW,
        })
    }
  }
}

function expected(
  records: readonly JobRecord[],
  { where: condition, orderBy, now }: Pick<ListRequest, 'where' | 'orderBy' | 'now'>,
): string[] {
  const seen = (job: JobRecord): Record<string, unknown> => ({ ...job, status: statusOf(job, now) })
  const at = (job: JobRecord, path: readonly string[]): unknown =>
    path.reduce<unknown>((from, key) => {
      const inside = typeof from === 'object' && from !== null && Object.keys(from).includes(key)
      return inside ? (from as Record<string, unknown>)[key] : undefined
    }, seen(job)) ?? null
  const sorted = records
    .filter((job) => holds(seen(job), condition))
    .sort((a, b) => {
      for (const { path, direction } of orderBy) {
        const differs = compare(at(a, path), at(b, path))
        if (differs !== 0) return direction === 'asc' ? differs : -differs
      }
      return orderBy.at(-1)?.direction === 'asc' ? a.sequence - b.sequence : b.sequence - a.sequence
    })
  return sorted.map(({ id }) => id)
}

async function pages(
  storage: StorageAdapter,
  request: Pick<ListRequest, 'where' | 'orderBy' | 'now'>,
  limit: number,
): Promise<string[]> {
  const found: string[] = []
  let after: string | null = null
  do {
    const page: Awaited<ReturnType<StorageAdapter['list']>> = await storage.list({ ...request, limit, after })
    expect(page.cursors.length).toBe(page.jobs.length)
    found.push(...page.jobs.map(({ id }) => id))
    after = page.cursor
  } while (after !== null)
  return found
}

const storages: readonly [string, () => StorageAdapter][] = [
  ['memory', () => memory()],
  [
    'a log that keeps payloads beside',
    () => {
      const log = new SharedLog()
      log.keepsPayloadsAbove = 20
      return sharedStorage(log)
    },
  ],
]

describe.each(storages)('in %s', (_name, make) => {
  test('every search finds what a plain filter and sort of all jobs would, page by page', async () => {
    const searches = fc.array(
      fc.record({
        where,
        orderBy: fc.array(order, { minLength: 1, maxLength: 3 }),
        limit: fc.constantFrom(1, 1, 2, 50),
      }),
      { minLength: 5, maxLength: 12 },
    )
    await fc.assert(
      fc.asyncProperty(jobs, searches, async (made, asked) => {
        const storage = make()
        await populate(storage, made)
        const all = await allJobs(storage)
        for (const { where: condition, orderBy, limit } of asked) {
          const request = { where: condition, orderBy: orderBy as unknown as ListRequest['orderBy'], now: NOW + 2 }
          const found = await pages(storage, request, limit)
          expect(found, JSON.stringify(request)).toEqual(expected(all, request))
        }
        await storage.close()
      }),
      { numRuns: Number(process.env['HOLDFAST_SEARCH_RUNS'] ?? 60) },
    )
  })
})

test('a list that is ordered by payloads looks into each of them once', async () => {
  const table = new JobTable()
  const made = Array.from({ length: 200 }, (_, n) => newJob({ id: `job ${n}`, payload: { n: { of: (n * 37) % 200 } } }))
  decide(table, { name: 'enqueue', request: { jobs: made, now: NOW } }, [0], [])
  const looks = { payloadOf: vi.fn((row: JobRow) => row.payload), isFull: false }
  const orderBy = [{ path: ['payload', 'n'], direction: 'asc' }] as const
  const { jobs: found } = list(table, { where: {}, orderBy, limit: 50, after: null, now: NOW }, looks)
  expect(found.map(({ payload }) => payload)).toEqual(Array.from({ length: 50 }, (_, n) => ({ n: { of: n } })))
  expect(looks.payloadOf).toHaveBeenCalledTimes(200)
})

describe('patterns', () => {
  const pieces = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', '\\.', '-', 'é')
  const pattern = fc
    .tuple(
      fc.boolean(),
      fc.array(fc.tuple(pieces, fc.constantFrom('', '', '*', '+', '?')), { maxLength: 6 }),
      fc.boolean(),
    )
    .map(([start, row, end]) => `${start ? '^' : ''}${row.flat().join('')}${end ? '$' : ''}`)
  const text = fc
    .array(fc.constantFrom('a', 'b', '.', '-', 'é', '\n', '💧'), { maxLength: 12 })
    .map((all) => all.join(''))

  test('find what regular expressions find', () => {
    fc.assert(
      fc.property(pattern, text, (one, given) => {
        expect(compilePattern(one)?.(given), one).toBe(new RegExp(one, 'su').test(given))
      }),
      { numRuns: 2000 },
    )
  })

  test('that hang a backtracking engine look at each character of the text once', () => {
    const isIn = compilePattern(`${'a*'.repeat(30)}b$`)
    let looks = 0
    const text = {
      *[Symbol.iterator]() {
        for (; looks < 20_000; looks++) yield 'a'
      },
    }
    expect(isIn?.(text as unknown as string)).toBe(false)
    expect(looks).toBe(20_000)
  })
})
