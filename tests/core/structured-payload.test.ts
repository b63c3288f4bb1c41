import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { checkedStructured } from '../../src/core/structured-payload.ts'
import { copyPlain } from '../../src/core/storage/plain.ts'
import { problemOf } from './doubles.ts'

const LIMIT = 262_144
const check = (value: unknown, limit = LIMIT, binaryLimit = 1000): unknown =>
  checkedStructured('payload', value, limit, binaryLimit)

const detached = new ArrayBuffer(8)
const ofDetached = new Uint8Array(detached)
structuredClone(detached, { transfer: [detached] })

/** What fetch-blob and jsdom have: the looks of a Blob that no platform can store. */
class Polyfill {
  readonly #text = 'text'
  get size(): number {
    return this.#text.length
  }
  get [Symbol.toStringTag](): string {
    return 'Blob'
  }
}

class Custom {
  readonly n = 1
}
class Later extends Date {}
class Pretender {
  get [Symbol.toStringTag](): string {
    return 'Map'
  }
  entries(): Iterator<unknown> {
    return [['a', 1]].values()
  }
}

const cycle = new Map<string, unknown>()
cycle.set('back', { list: [cycle] })

function nested(levels: number): unknown {
  let value: unknown = 0
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? new Map([['in', value]]) : [value]
  return value
}

describe('what would come back as something else is refused, naming its place', () => {
  test.each<[string, unknown, string]>([
    ['a Set', { s: new Set([1]) }, 'payload.s'],
    ['a RegExp', [/x/], 'payload[0]'],
    ['an Error', { error: new Error('x') }, 'payload.error'],
    ['a WeakMap', { m: new WeakMap() }, 'payload.m'],
    ['a promise', { p: Promise.resolve() }, 'payload.p'],
    ['a function', { f: () => 1 }, 'payload.f'],
    ['a symbol', [Symbol('s')], 'payload[0]'],
    ['an instance of a class', { c: new Custom() }, 'payload.c'],
    ['an instance of a subclass', { at: new Later(0) }, 'payload.at'],
    ['a Buffer', { b: Buffer.from('x') }, 'payload.b'],
    ['an invalid Date', { at: new Date(Number.NaN) }, 'payload.at'],
    ['a Date with a name of its own', { at: Object.assign(new Date(0), { zone: 'CET' }) }, 'payload.at'],
    ['shared memory', { s: new SharedArrayBuffer(1) }, 'payload.s'],
    ['a view of shared memory', { s: new Uint8Array(new SharedArrayBuffer(1)) }, 'payload.s'],
    ['a detached buffer', { d: detached }, 'payload.d'],
    ['a view of a detached buffer', { d: ofDetached }, 'payload.d'],
    ['a polyfill of Blob', { photo: new Polyfill() }, 'payload.photo'],
    ['what calls itself a Map', { m: new Pretender() }, 'payload.m'],
    ['NaN in a Map', { m: new Map([['n', Number.NaN]]) }, 'payload.m.get("n")'],
    ['undefined in a Map', new Map([['n', undefined]]), 'payload.get("n")'],
    ['a BigInt', { n: 1n }, 'payload.n'],
    ['an object as key', new Map([[{}, 1]]), 'payload.get(an object)'],
    ['NaN as key', new Map([[Number.NaN, 1]]), 'payload.get(NaN)'],
    ['undefined as key', new Map([[undefined, 1]]), 'payload.get(undefined)'],
    ['deep in Maps and lists', { a: [new Map([[1, { b: new Set() }]])] }, 'payload.a[0].get(1).b'],
    ['a Map that contains itself', cycle, 'payload.get("back").list[0]'],
  ])('%s', async (_, value, field) => {
    expect(await problemOf(() => check(value))).toEqual({ code: 'HOLDFAST_INVALID_PAYLOAD', field })
  })
})

test.each([new Blob(['tide']), new File(['tide'], 'tide.txt')])(
  'where the storage keeps no Blobs, %s is refused by its path, and its bytes are taken',
  async (value) => {
    const refusing = (payload: unknown): unknown => checkedStructured('payload', payload, LIMIT, 1000, false)
    const found = await problemOf(() => refusing({ list: [new Map([['photo', value]])] }))
    expect(found).toEqual({ code: 'HOLDFAST_PAYLOAD_FORMAT', field: 'payload.list[0].get("photo")' })
    const bytes = { list: [await value.arrayBuffer()] }
    expect(refusing(bytes)).toEqual(bytes)
  },
)

describe('what is kept', () => {
  test.each<[string, unknown]>([
    ['JSON', { a: [1, 'two', null, { b: true }] }],
    ['a Date', { at: new Date(5) }],
    ['Maps', new Map<unknown, unknown>([['a', new Map([[1, [{}]]])]])],
    ['buffers', { a: new ArrayBuffer(3), b: new Uint8Array([1, 2]).buffer }],
    ['views', [new Uint8Array([1]), new Float64Array([0.5, Number.NaN]), new BigInt64Array([1n])]],
    ['the same value twice', [new Date(1), new Date(1)]],
  ])('%s', (_, value) => {
    expect(check(value)).toStrictEqual(value)
  })

  test('a missing payload is null, and a property that is undefined is left out, as in JSON', () => {
    expect(check(undefined)).toBe(null)
    expect(check({ a: undefined, m: new Map([['b', { c: undefined }]]) })).toStrictEqual({ m: new Map([['b', {}]]) })
  })

  test('a DataView, with its bytes', () => {
    const copy = check(new DataView(new Uint8Array([7, 8, 9]).buffer, 1)) as DataView
    expect([copy.byteLength, copy.getUint8(0), copy.getUint8(1)]).toEqual([2, 8, 9])
  })

  test('Blobs and Files, which nobody can change, as they are', async () => {
    const blob = new Blob(['tide'], { type: 'text/plain' })
    const file = new File(['tide'], 'tide.txt', { lastModified: 5 })
    const copy = check({ blob, list: [file], map: new Map([['f', file]]) }) as Record<string, unknown>
    expect([copy['blob'], copy['list'], (copy['map'] as Map<string, unknown>).get('f')]).toEqual([blob, [file], file])
    const kept = (copyPlain(copy)['list'] as File[])[0] as File
    expect([kept.name, kept.lastModified, await kept.text()]).toEqual(['tide.txt', 5, 'tide'])
  })

  test('values of another realm', () => {
    const foreign: unknown = runInNewContext(
      '({ at: new Date(5), map: new Map([["k", [1]]]), bytes: new Uint8Array([1, 2]), buffer: new ArrayBuffer(2) })',
    )
    const copy = check(foreign) as { at: Date; map: Map<string, number[]>; bytes: Uint8Array; buffer: ArrayBuffer }
    expect([copy.at instanceof Date, copy.at.getTime()]).toEqual([true, 5])
    expect([copy.map instanceof Map, copy.map.get('k')]).toEqual([true, [1]])
    expect([...copy.bytes, copy.buffer.byteLength]).toEqual([1, 2, 2])
    // What a storage read back may be of another realm too.
    expect(copyPlain(runInNewContext('({ map: new Map([["k", { at: new Date(5) }]]) })'))).toStrictEqual({
      map: new Map([['k', { at: new Date(5) }]]),
    })
  })

  test('it is a copy, all the way down', () => {
    const value = {
      at: new Date(1),
      map: new Map([['list', [1]]]),
      bytes: new Uint8Array([1]),
      buffer: new ArrayBuffer(1),
    }
    const copy = check(value) as typeof value
    value.at.setTime(2)
    value.map.get('list')?.push(2)
    value.bytes[0] = 2
    new Uint8Array(value.buffer)[0] = 2
    expect(copy).toEqual({
      at: new Date(1),
      map: new Map([['list', [1]]]),
      bytes: new Uint8Array([1]),
      buffer: new ArrayBuffer(1),
    })
  })

  test('a view keeps its own bytes and not those beside it in its buffer', () => {
    const all = new Uint8Array(1000).fill(7)
    const copy = check(all.subarray(10, 12)) as Uint8Array
    expect([copy.length, copy.buffer.byteLength]).toEqual([2, 2])
  })
})

describe('limits', () => {
  test('64 levels are kept, 65 are not', async () => {
    expect(() => check(nested(64))).not.toThrow()
    expect((await problemOf(() => check(nested(65)))).code).toBe('HOLDFAST_INVALID_PAYLOAD')
  })

  test('binary parts count together', async () => {
    const parts = [
      new ArrayBuffer(100),
      new Uint8Array(new ArrayBuffer(1000), 0, 100),
      new Float64Array(10),
      new DataView(new ArrayBuffer(20)),
      new Map([['blob', new Blob(['x'.repeat(50)])]]),
      new File(['x'.repeat(50)], 'f'),
    ]
    expect(() => check(parts, LIMIT, 400)).not.toThrow()
    expect(await problemOf(() => check(parts, LIMIT, 399))).toEqual({
      code: 'HOLDFAST_PAYLOAD_TOO_LARGE',
      field: 'payload',
    })
  })

  test('with a limit of 0 there are none', async () => {
    expect(() => check({ empty: new ArrayBuffer(0) }, LIMIT, 0)).not.toThrow()
    expect((await problemOf(() => check([new ArrayBuffer(1)], LIMIT, 0))).code).toBe('HOLDFAST_PAYLOAD_TOO_LARGE')
  })

  test('all else counts as JSON, a Map as its entries, and bytes do not', async () => {
    const value = { map: new Map([['key', 'x'.repeat(100)]]), at: new Date(0), bytes: new Uint8Array(900) }
    const json = JSON.stringify({ map: [['key', 'x'.repeat(100)]], at: new Date(0), bytes: 0 }).length
    expect(() => check(value, json)).not.toThrow()
    expect(await problemOf(() => check(value, json - 1))).toEqual({
      code: 'HOLDFAST_PAYLOAD_TOO_LARGE',
      field: 'payload',
    })
  })

  test('no payload escapes the limit by what it is made of', async () => {
    for (const value of [
      new Map(Array.from({ length: 100 }, (_, n) => [n, null])),
      Array.from({ length: 100 }, () => new Map()),
      Array.from({ length: 100 }, () => new Date(0)),
      Array.from({ length: 100 }, () => new ArrayBuffer(0)),
    ])
      expect((await problemOf(() => check(value, 199))).code).toBe('HOLDFAST_PAYLOAD_TOO_LARGE')
  })
})
