import { describe, expect, test } from 'vitest'
import { JobTable } from '../../src/core/storage/job-table/job-table.ts'
import { Draft } from '../../src/core/storage/job-table/draft.ts'
import { JobRow, storedJob, toRecord } from '../../src/core/storage/job-table/rows.ts'

const FIELDS = { type: 'email', payload: { to: 'a' }, maxRetries: 3, createdAt: 1000 }

describe('a row of the table', () => {
  test('has the seldom fields of every job, and carries none of them until it is given one', () => {
    const row = new JobRow('a', 1, 1, FIELDS)
    expect(Object.keys(row)).not.toContain('jobKey')
    expect(toRecord(row)).toMatchObject({ jobKey: null, failures: 0, groups: [], delay: null, superseded: false })
    row.failures = 2
    expect(storedJob(row)).toMatchObject({ failures: 2 })
    expect(new JobRow('b', 2, 1, FIELDS).failures).toBe(0)
  })

  test('is made again from what is stored of it, fields of a newer version too', () => {
    const to = { ...FIELDS, jobKey: 'k', delay: 50, runAt: 1050, requires: ['online'], ofTheFuture: 7 }
    const stored = storedJob(new JobRow('a', 4, 9, to))
    expect(stored).toEqual({ ...to, sequence: 4, version: 9 })
    expect(storedJob(new JobRow('a', 4, 9, stored))).toEqual(stored)
  })

  test('shows in a draft what it inherits beside what is to be written', () => {
    const table = new JobTable()
    const unit = [{ table: 'jobs', key: 'a', expect: 0, version: 1, to: { ...FIELDS, jobKey: 'k' } }] as const
    expect(table.apply(unit)).toBe(true)
    const draft = new Draft(table)
    draft.put('jobs', 'a', { failures: 1 })
    expect(draft.get('jobs', 'a')).toMatchObject({ failures: 1, jobKey: 'k', interruptions: 0, groups: [] })
    draft.put('jobs', 'b', { type: 'email' })
    expect(draft.get('jobs', 'b')).toMatchObject({ type: 'email', absorbed: [], superseded: false })
    expect(table.row('jobs', 'a')?.failures).toBe(0)
  })
})
