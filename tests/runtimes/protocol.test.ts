// What an executor and its threads say to each other, as it goes over a port.
import { expect, test } from 'vitest'
import type { JobRecord } from '../../src/core/storage/contract.ts'
import { runMessage, runsOf } from '../../src/runtimes/threads/protocol.ts'

/** So far as it matters here. */
const record = (fields: object): JobRecord =>
  ({ type: 'task', priority: 1, history: [], ...fields }) as unknown as JobRecord

const runs = [
  record({ id: 'a', payload: { n: 1 }, fence: 7 }),
  record({ id: 'b', payload: { n: 2 }, fence: 7 }),
  record({ id: 'c', payload: null, fence: 9, priority: 2, history: [{ attempt: 1 }] }),
  // A storage may leave out what has its default.
  record({ id: 'd', payload: undefined, queueName: 'one' }),
].map((job, at) => ({ run: at + 1, record: job, deadline: 1000 + at }))

test('each attempt arrives as it was, and what its job shares with the first of its message goes over once', () => {
  const message = structuredClone(runMessage(runs))
  expect(runsOf({ ...message })).toEqual(runs)
  expect(message.runs[1]?.own).toEqual({ id: 'b', payload: { n: 2 }, history: [] })
})

test('one attempt goes over alone', () => {
  const message = runMessage(runs.slice(0, 1))
  expect([runsOf({ ...message }), message.runs[0]?.own]).toEqual([runs.slice(0, 1), {}])
})

test.each([{}, { runs: 7 }, { first: null, runs: [null, 7, 'text'] }])(
  'of what is no such message nothing is run: %j',
  (message) => {
    expect(runsOf(message)).toEqual([])
  },
)
