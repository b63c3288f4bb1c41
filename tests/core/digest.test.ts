import { expect, test } from 'vitest'
import { digestOf } from '../../src/core/storage/digest.ts'

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

test('digests are safe integers, and of many payloads no two are equal', () => {
  const digests = Array.from({ length: 50_000 }, (_, n) => of({ n, text: `user-${n % 100}` }))
  expect(digests.every(Number.isSafeInteger)).toBe(true)
  expect(new Set(digests).size).toBe(digests.length)
})
