import { expect, test } from 'vitest'
import { partOf, testOf } from '../../src/core/storage/condition-test.ts'

test('a payload is looked at last, and only where all else fits', () => {
  const read: string[] = []
  const fits = testOf({ payload: { n: { eq: 1 } }, status: { eq: 'failed' }, type: { eq: 'a' } }, true, (job, name) => {
    read.push(name)
    return partOf(job, name)
  })
  expect(fits({ status: 'failed', type: 'b', payload: { n: 1 } })).toBe(false)
  expect(read).toEqual(['status', 'type'])
  expect(fits({ status: 'failed', type: 'a', payload: { n: 1 } })).toBe(true)
  expect(read.slice(2)).toEqual(['status', 'type', 'payload'])
})
