import type { Condition, Json } from '../../core/storage/contract.ts'
import { equal } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { NOW } from './moments.ts'
import { ids } from './site.ts'

/** Payloads by the id of their job. */
const PAYLOADS: Readonly<Record<string, Json>> = {
  none: {},
  null: { v: null },
  false: { v: false },
  true: { v: true },
  one: { v: 1 },
  two: { v: 2 },
  text: { v: 'user@example.com' },
  list: { v: ['a', 1] },
  object: { v: { w: [{ x: 'deep' }] } },
}

/** Each condition on `v` with the jobs it holds for. */
const CONDITIONS: Readonly<Record<string, readonly [Condition, readonly string[]]>> = {
  '`eq` holds for the equal of the same type': [{ eq: 1 }, ['one']],
  '`eq` compares lists and objects by what is in them': [{ eq: { w: [{ x: 'deep' }] } }, ['object']],
  '`eq` with null does not hold for what is missing': [{ eq: null }, ['null']],
  '`ne` holds for what is missing': [{ ne: 1 }, Object.keys(PAYLOADS).filter((id) => id !== 'one')],
  '`in` holds for the listed': [{ in: [2, 'a', ['a', 1]] }, ['two', 'list']],
  '`nin` holds for what is missing': [{ nin: [1, 2, null, true] }, ['none', 'false', 'text', 'list', 'object']],
  'values of different types have an order': [{ gte: 'a', lte: ['b'] }, ['text', 'list']],
  'a list comes before every object': [{ gt: 'zzz', lt: {} }, ['list']],
  'values of one type have their own': [{ gt: false, lt: 2 }, ['true', 'one']],
  'null comes before all values': [{ lt: false }, ['null']],
  '`lt` holds for no missing value': [{ lt: 'z' }, ['null', 'false', 'true', 'one', 'two', 'text']],
  '`contains` finds a part of a text': [{ contains: '@' }, ['text']],
  '`contains` finds a member of a list': [{ contains: 1 }, ['list']],
  '`containsAny` finds one of several': [{ containsAny: ['z', 'a'] }, ['text', 'list']],
  '`containsAll` finds all of them': [{ containsAll: ['a', 1] }, ['list']],
  '`containsAll` of nothing holds for texts and lists': [{ containsAll: [] }, ['text', 'list']],
  '`startsWith` looks at the beginning of a text': [{ startsWith: 'user' }, ['text']],
  '`endsWith` looks at the end of a text': [{ endsWith: 'example.com' }, ['text']],
  '`matches` finds a pattern': [{ matches: '^[a-z]+@e.a' }, ['text']],
  '`isNull` holds for null and what is missing': [{ isNull: true }, ['none', 'null']],
  '`isNotNull` holds for the others': [{ isNotNull: true, contains: 'a' }, ['text', 'list']],
  'paths lead into objects and lists': [{ w: { 0: { x: { eq: 'deep' } } } }, ['object']],
  "only what is an object's own is in it": [{ constructor: { isNotNull: true } }, []],
  '`and`, `or` and `not` hold for values too': [
    { or: [{ eq: 1 }, { not: { lt: ['b'] } }], not: { isNull: true } },
    ['one', 'object'],
  ],
}

/** Conditions on what a payload holds. */
export const operators: readonly ConformanceCase[] = Object.entries(CONDITIONS).flatMap(([sentence, [v, expected]]) =>
  area('operators', {
    [sentence]: async (site) => {
      await site.addAll(Object.entries(PAYLOADS).map(([id, payload]) => ({ id, payload })))
      await site.settled(async (storage) => {
        const orderBy = [{ path: ['createdAt'], direction: 'asc' }] as const
        const { jobs } = await storage.list({ where: { payload: { v } }, orderBy, limit: 3, after: null, now: NOW })
        equal(ids(jobs), expected.slice(0, 3), `the first jobs found by ${JSON.stringify(v)}`)
        const { jobs: all } = await storage.list({
          where: { payload: { v } },
          orderBy,
          limit: 100,
          after: null,
          now: NOW,
        })
        equal(ids(all), expected, `the jobs found by ${JSON.stringify(v)}`)
      })
    },
  }),
)
