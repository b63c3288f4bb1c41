import { expect, test } from 'vitest'
import { indexedDb } from '../../src/adapters/indexeddb/index.ts'
import { memory } from '../../src/adapters/memory/index.ts'
import { aql } from '../../src/aql/index.ts'
import { openQueue } from '../../src/index.ts'
import { keepsItsPromises } from '../aql/promises.ts'

test('every text that the documentation shows does what it says, on IndexedDB', async () => {
  const name = `aql ${crypto.randomUUID()}`
  await keepsItsPromises(indexedDb({ name }))
  expect(Object.keys(Object.prototype)).toEqual([])
})

// Errors of WebKit have a line and a column of their own.
test.each([
  ['{\n  _jobs(wher: {}) { id } }', 2, 9],
  ['{\n  _jobs(where: { type: { eq: 5 } }) { id } }', 2, 26],
  ['{\n  _jobs(', 2, 9],
  ['define handler "a" {\n on: "nobody", action: { enqueueJob(type: "a") } }', 2, 2],
])('an error says where in the text it is: %s', async (text, line, column) => {
  await using queue = await openQueue({ storage: memory() })
  expect((await aql(queue).execute(text)).errors).toMatchObject([{ line, column }])
})
