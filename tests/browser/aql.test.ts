import { expect, test } from 'vitest'
import { indexedDb } from '../../src/adapters/indexeddb/index.ts'
import { keepsItsPromises } from '../aql/promises.ts'

test('every text that the documentation shows does what it says, on IndexedDB', async () => {
  const name = `aql ${crypto.randomUUID()}`
  await keepsItsPromises(indexedDb({ name }))
  expect(Object.keys(Object.prototype)).toEqual([])
})
