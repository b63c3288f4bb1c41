import { expect, test } from 'vitest'
import { digestOf, samePayload } from '../../src/core/storage/digest.ts'

const of = (payload: unknown, type = 'task'): number => digestOf({ type, payload })

test('a digest does not depend on the order of keys', () => {
  expect(of({ a: 1, b: { c: [1, 2], d: null } })).toBe(of({ b: { d: null, c: [1, 2] }, a: 1 }))
})

test('what differs in a type, a name, an order or a kind has another digest', () => {
  const payloads = [
    1,
    '1',
    [1],
    ['1'],
    [[1]],
    { a: 1 },
    { a: '1' },
    { b: 1 },
    [1, 2],
    [2, 1],
    null,
    'null',
    true,
    '',
    {},
    [],
  ]
  const digests = payloads.flatMap((payload) => [of(payload), of(payload, 'other')])
  expect(new Set(digests).size).toBe(2 * payloads.length)
})

test('what is no JSON has digests too: by its kind and what it holds, a Map without regard to the order of its keys', () => {
  const bytes = (...items: number[]): Uint8Array => new Uint8Array(items)
  const same: (() => unknown)[] = [
    () => new Date(1),
    () => bytes(1, 2),
    () => bytes(0, 1, 2).subarray(1),
    () => bytes(1, 2).buffer,
    () => new DataView(bytes(1, 2).buffer),
    () => new Map([['a', [new Date(1)]]]),
    () => new Blob(['ab'], { type: 'x/y' }),
    () => new File(['ab'], 'name', { lastModified: 1 }),
  ]
  for (const make of same) {
    expect(of({ deep: make() })).toBe(of({ deep: make() }))
    expect(samePayload({ deep: make() }, { deep: make() })).toBe(true)
  }
  const [ab, ba] = [new Map(Object.entries({ a: 1, b: 2 })), new Map(Object.entries({ b: 2, a: 1 }))]
  expect([of(ab) === of(ba), samePayload(ab, ba)]).toEqual([true, true])
  // The two views hold the same bytes.
  const kinds = [
    ...same.map((make) => make()),
    new Date(2),
    bytes(2, 1),
    bytes(1, 2, 0),
    new Int8Array([1, 2]),
    null,
    {},
  ]
  expect(new Set(kinds.map((value) => of(value))).size).toBe(kinds.length - 1)
})

test('two Blobs that say the same of themselves are taken for the same, whatever they hold', () => {
  const blob = (text: string, type = 'x/y'): Blob => new Blob([text], { type })
  expect([samePayload(blob('ab'), blob('cd')), of(blob('ab')) === of(blob('cd'))]).toEqual([true, true])
  expect([samePayload(blob('ab'), blob('abc')), samePayload(blob('ab'), blob('ab', 'x/z'))]).toEqual([false, false])
  const file = (lastModified: number): File => new File(['ab'], 'name', { lastModified })
  expect(samePayload(file(1), file(2))).toBe(false)
})

test('digests are safe integers, and of many payloads no two are equal', () => {
  const digests = Array.from({ length: 50_000 }, (_, n) => of({ n, text: `user-${n % 100}` }))
  expect(digests.every(Number.isSafeInteger)).toBe(true)
  expect(new Set(digests).size).toBe(digests.length)
})
