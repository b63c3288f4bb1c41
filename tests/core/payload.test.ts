import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkedJson } from '../../src/core/payload.ts'
import { problemOf } from './doubles.ts'

const LIMIT = 262_144
const check = (value: unknown, limit = LIMIT): unknown => checkedJson('payload', value, limit)

/** An array nested so deep, or an object around it. */
function nested(levels: number): unknown {
  let value: unknown = 0
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { value }
  return value
}

class Custom {
  readonly n = 1
}

function revokedProxy(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

const cycle: Record<string, unknown> = { list: [] }
;(cycle['list'] as unknown[]).push({ back: cycle })

describe('what JSON would alter is refused, naming its place', () => {
  test.each<[string, unknown, string]>([
    ['undefined in an array', { a: [1, undefined] }, 'payload.a[1]'],
    ['NaN', { a: Number.NaN }, 'payload.a'],
    ['infinity', [Infinity], 'payload[0]'],
    ['minus infinity', -Infinity, 'payload'],
    ['a BigInt', { id: 1n }, 'payload.id'],
    ['a Map', { m: new Map() }, 'payload.m'],
    ['a Set', { s: new Set([1]) }, 'payload.s'],
    ['a Date', { at: new Date(0) }, 'payload.at'],
    ['a RegExp', [/x/], 'payload[0]'],
    ['an Error', { error: new Error('x') }, 'payload.error'],
    ['bytes', { data: new Uint8Array(2) }, 'payload.data'],
    ['a boxed text', [Object('x')], 'payload[0]'],
    ['a cycle', cycle, 'payload.list[0].back'],
    ['a function', { f: () => 1 }, 'payload.f'],
    ['a symbol', [[Symbol('s')]], 'payload[0][0]'],
    ['a symbol key', { a: { [Symbol('s')]: 1 } }, 'payload.a'],
    // eslint-disable-next-line no-sparse-arrays -- a hole is the point
    ['a hole', { list: [1, , 3] }, 'payload.list[1]'],
    ['an array with a name', Object.assign([1], { extra: 2 }), 'payload.extra'],
    ['an instance of a class', { c: new Custom() }, 'payload.c'],
    ['a foreign prototype', Object.create({ inherited: 1 }) as unknown, 'payload'],
    ['a subclass of Array', { a: new (class List extends Array<number> {})() }, 'payload.a'],
    ['a promise', { p: Promise.resolve() }, 'payload.p'],
    [
      'a property that throws',
      {
        list: [
          {
            get a(): never {
              throw new Error('never to be read')
            },
          },
        ],
      },
      'payload.list[0]',
    ],
    [
      'a proxy that throws',
      {
        p: new Proxy(
          {},
          {
            ownKeys: () => {
              throw new TypeError('no keys')
            },
          },
        ),
      },
      'payload.p',
    ],
    ['a proxy that was revoked', revokedProxy(), 'payload'],
  ])('%s', async (_, value, field) => {
    expect(await problemOf(() => check(value))).toEqual({ code: 'HOLDFAST_INVALID_PAYLOAD', field })
  })

  test('what a payload throws when it is read is the cause', async () => {
    const thrown = new Error('never to be read')
    const value = {
      get a(): never {
        throw thrown
      },
    }
    expect(() => check(value)).toThrow(expect.objectContaining({ code: 'HOLDFAST_INVALID_PAYLOAD', cause: thrown }))
  })

  test('a value with its own toJSON says what it wants, and that is not what is there', async () => {
    const value = { money: { amount: 1, toJSON: () => '1 EUR' } }
    expect((await problemOf(() => check(value))).code).toBe('HOLDFAST_INVALID_PAYLOAD')
  })
})

describe('what JSON carries is kept', () => {
  test.each<[string, unknown]>([
    ['null', null],
    ['texts of all kinds', ['', 'ü', '\u0000', '"\\', '😀', '\ud800']],
    ['numbers', [0, -1.5, 1e300, Number.MAX_SAFE_INTEGER, 5e-324]],
    ['booleans', [true, false]],
    ['empty things', [{}, [], '']],
    ['an object without prototype', Object.assign(Object.create(null) as object, { a: 1 })],
    ['an object of another realm', runInNewContext('({ a: [1] })')],
    ['a frozen object', Object.freeze({ a: Object.freeze([1]) })],
  ])('%s', (_, value) => {
    expect(JSON.stringify(check(value))).toBe(JSON.stringify(value))
  })

  test('an own property that is undefined is left out, as JSON does', () => {
    expect(check({ a: undefined, b: { c: undefined } })).toStrictEqual({ b: {} })
  })

  test('a missing payload is null', () => {
    expect(check(undefined)).toBe(null)
  })

  test('minus zero is zero', () => {
    expect(Object.is(check(-0), 0)).toBe(true)
  })

  test('a value that appears twice is no cycle', () => {
    const shared = { n: 1 }
    expect(check({ a: shared, b: [shared, shared] })).toEqual({ a: { n: 1 }, b: [{ n: 1 }, { n: 1 }] })
  })

  test('a key named __proto__ stays a key', () => {
    const value: unknown = JSON.parse('{"__proto__": {"admin": true}, "constructor": 1}')
    const copy = check(value) as object
    expect(JSON.stringify(copy)).toBe('{"__proto__":{"admin":true},"constructor":1}')
    expect((copy as { admin?: boolean }).admin).toBe(undefined)
  })

  test('it is a copy', () => {
    const value = { list: [{ n: 1 }] }
    const copy = check(value) as typeof value
    expect(copy).toEqual(value)
    expect([copy === value, copy.list === value.list, copy.list[0] === value.list[0]]).toEqual([false, false, false])
  })

  test('every JSON value comes back as JSON would bring it back', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 20 }), (text) => {
        const value: unknown = JSON.parse(text)
        expect(JSON.stringify(check(value))).toBe(JSON.stringify(value))
      }),
    )
  })

  test('any value is either refused or unchanged by JSON', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withSparseArray: true,
    })
    fc.assert(
      fc.property(anything, (value) => {
        let copy: unknown
        try {
          copy = check(value)
        } catch {
          return
        }
        expect(JSON.parse(JSON.stringify(copy))).toEqual(copy)
      }),
      { numRuns: 500 },
    )
  })
})

describe('limits', () => {
  test('64 levels are kept, 65 are not', async () => {
    expect(JSON.stringify(check(nested(64)))).toBe(JSON.stringify(nested(64)))
    // To the first value that is too deep, however much deeper it goes on.
    for (const levels of [65, 66, 100_001]) {
      const steps = levels % 2 === 0 ? '.value[0]' : '[0].value'
      const field = `payload${steps.repeat(32)}`
      expect(await problemOf(() => check(nested(levels)))).toEqual({ code: 'HOLDFAST_INVALID_PAYLOAD', field })
    }
  })

  test.each([
    ['ASCII', 'x'],
    ['two bytes', 'ü'],
    ['three bytes', '€'],
    ['a pair of surrogates', '😀'],
    ['an escape', '\n'],
    ['a control character', '\u0001'],
  ])('the limit counts bytes of JSON as UTF-8: %s', async (_, character) => {
    const value = { text: character.repeat(100) }
    const bytes = new TextEncoder().encode(JSON.stringify(value)).length
    expect(check(value, bytes)).toEqual(value)
    expect(await problemOf(() => check(value, bytes - 1))).toEqual({
      code: 'HOLDFAST_PAYLOAD_TOO_LARGE',
      field: 'payload',
    })
  })

  test('half a surrogate pair counts as JSON writes it', async () => {
    const bytes = JSON.stringify('\ud800').length
    expect(check('\ud800', bytes)).toBe('\ud800')
    expect((await problemOf(() => check('\ud800', bytes - 1))).code).toBe('HOLDFAST_PAYLOAD_TOO_LARGE')
  })

  test('every value is measured exactly', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const bytes = new TextEncoder().encode(JSON.stringify(value)).length
        expect(() => check(value, bytes)).not.toThrow()
        expect(() => check(value, bytes - 1)).toThrow()
      }),
    )
  })
})
