import { expect, test } from 'vitest'
import { Audit } from '../../playground/src/audit.ts'
import type { Line } from '../../playground/src/ledger.ts'
import type { Job, JobStatus } from '../../src/index.ts'

/** An audit of a ledger and a queue that a test writes by hand. */
function audited() {
  const lines: Line[] = []
  const queue = new Map<string, JobStatus>()
  const written: string[] = []
  const ledger = { readOn: async () => lines.splice(0), accepted: (id: string) => void written.push(id) }
  const get = async (id: string): Promise<Job | null> => {
    const status = queue.get(id)
    return status === undefined ? null : ({ id, status, fence: 7 } as Job)
  }
  return { lines, queue, written, audit: new Audit(ledger, get) }
}

test('what was acknowledged and has an end is done, whether or not the queue still knows it', async () => {
  const { lines, queue, audit } = audited()
  lines.push({ acknowledged: ['a', 'b'] }, { accepted: [['a', 7]] })
  queue.set('b', 'failed')
  expect(await audit.look()).toEqual({ acknowledged: 2, done: 1, lost: 0, twice: 0 })
})

test('a job that the queue does not know is lost when it is asked for again, and found when it comes back', async () => {
  const { lines, queue, audit } = audited()
  lines.push({ acknowledged: ['a', 'b'] })
  queue.set('a', 'pending').set('b', 'pending')
  await audit.look()
  queue.delete('b')
  expect(await audit.look()).toMatchObject({ lost: 0 })
  expect(await audit.look()).toMatchObject({ lost: 1 })
  queue.set('b', 'running')
  expect(await audit.look()).toMatchObject({ lost: 0 })
})

test('a job that somebody removed is not lost, also where that was written down first', async () => {
  const { lines, queue, audit } = audited()
  lines.push({ acknowledged: ['a', 'b'] })
  queue.set('b', 'pending')
  await audit.look()
  expect(await audit.look()).toMatchObject({ lost: 1 })
  queue.delete('b')
  lines.push({ removed: ['a', 'b', 'c'] }, { acknowledged: ['c'] })
  await audit.look()
  expect(await audit.look()).toEqual({ acknowledged: 3, done: 0, lost: 0, twice: 0 })
})

test('an end that was accepted from two claims counts, the same one told twice does not', async () => {
  const { lines, audit } = audited()
  lines.push(
    { acknowledged: ['a', 'b'] },
    {
      accepted: [
        ['a', 7],
        ['b', 7],
      ],
    },
    { accepted: [['a', 7]] },
  )
  expect(await audit.look()).toMatchObject({ done: 2, twice: 0 })
  lines.push({ accepted: [['b', 8]] })
  expect(await audit.look()).toMatchObject({ done: 2, twice: 1 })
})

test('an end that nobody wrote down is made good for', async () => {
  const { lines, queue, written, audit } = audited()
  lines.push({ acknowledged: ['a'] })
  queue.set('a', 'completed')
  expect(await audit.look()).toMatchObject({ done: 1, lost: 0 })
  expect(written).toEqual(['a'])
})
