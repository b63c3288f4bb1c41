/* eslint-disable @typescript-eslint/no-unsafe-assignment -- matchers of Vitest are of any type */
import { expect } from 'vitest'
import { type AqlResult, aql } from '../../src/aql/index.ts'
import type { StorageAdapter } from '../../src/core/storage/contract.ts'
import { defineJob, openQueue } from '../../src/index.ts'

const failing = defineJob({ type: 'failing', maxRetries: 1, backoff: { kind: 'fixed', delay: 0, jitter: 0 } })

/** Runs what the documentation of AQL shows, one text after the other, on a storage of any kind. */
export async function keepsItsPromises(storage: StorageAdapter): Promise<void> {
  await using queue = await openQueue({ storage })
  const { execute } = aql(queue)
  const done = async (text: string, variables: Record<string, unknown> = {}): Promise<Record<string, unknown>> => {
    const { data, errors }: AqlResult = await execute(text, { variables })
    expect(errors, text).toEqual([])
    return JSON.parse(JSON.stringify(data)) as Record<string, unknown>
  }

  const enqueued = await done(`mutation { enqueueJob(type: "send_email", payload: { to: "user@example.com" },
    priority: HIGH, runAt: "2126-12-31T23:59:59Z", retries: 5) { jobId status } }`)
  expect(enqueued).toEqual({ enqueueJob: { jobId: expect.any(String), status: 'SCHEDULED' } })
  const { jobId } = enqueued['enqueueJob'] as { jobId: string }

  const many = await done(
    'mutation { enqueueJobs(type: "resize", payloads: [{ id: 1 }, { id: 2 }], priority: LOW) { jobId } }',
  )
  expect(many).toEqual({ enqueueJobs: [{ jobId: expect.any(String) }, { jobId: expect.any(String) }] })

  const defined = await done(`define handler "welcome_new_user" { on: "insert:users",
    action: { enqueueJob(type: "send_email", payload: { user_id: "\${id}", template: "welcome" }) } }`)
  expect(defined).toEqual({ welcome_new_user: { name: 'welcome_new_user', on: 'insert:users', enabled: true } })
  expect((await queue.emit('insert:users', { id: 7 })).map(({ payload }) => payload)).toEqual([
    { user_id: 7, template: 'welcome' },
  ])

  const executor = queue.createExecutor({
    handlers: [
      failing.handler(() => {
        throw new Error('no')
      }),
    ],
  })
  const { id } = await queue.enqueue(failing, { n: 1 })
  await executor.start()
  await queue.result(id)
  await executor.stop()
  const failed = await done(
    `query { _jobs(where: { status: { eq: "FAILED" } }, orderBy: { createdAt: DESC }, limit: 20) { id type error last_retry } }`,
  )
  expect(failed).toEqual({
    _jobs: [{ id, type: 'failing', error: 'no', last_retry: expect.stringMatching(/^\d{4}-.*Z$/) }],
  })

  const found = await done(
    'query ($to: String! = "user@example.com") { mine: _jobs(where: { payload: { to: { eq: $to } } }) { id, max_retries priority scheduled_at } _jobsCount(where: { job_type: { eq: "resize" } }) _stats { scheduled failed total } }',
  )
  expect(found).toEqual({
    mine: [{ id: jobId, max_retries: 5, priority: 'HIGH', scheduled_at: '2126-12-31T23:59:59.000Z' }],
    _jobsCount: 2,
    _stats: { scheduled: 1, failed: 1, total: 5 },
  })

  const first = await done(
    '{ _jobs(first: 2, orderBy: "createdAt") { edges { cursor node { type } } pageInfo { hasNextPage endCursor } } }',
  )
  const { edges, pageInfo } = first['_jobs'] as {
    edges: { cursor: string }[]
    pageInfo: { hasNextPage: boolean; endCursor: string }
  }
  expect([edges.length, pageInfo.hasNextPage, pageInfo.endCursor]).toEqual([2, true, edges[1]?.cursor])
  const next = await done(
    'query ($after: String) { _jobs(first: 9, after: $after, orderBy: createdAt) { edges { node { type } } pageInfo { hasNextPage } } }',
    { after: pageInfo.endCursor },
  )
  expect(next['_jobs']).toMatchObject({ edges: [{}, {}, {}], pageInfo: { hasNextPage: false } })

  const steered = await done(
    `mutation ($id: ID!, $failed: [ID!]!) { # one after the other
      cancelJob(id: $id, reason: "user left") { status }
      retryJobs(ids: $failed) { id status }
      removeJob(id: $id) { id }
      pause(type: "resize")
      again: pause(type: "resize")
      resume(type: "resize")
    }`,
    { id: jobId, failed: [id] },
  )
  expect(steered).toEqual({
    cancelJob: { status: 'CANCELLED' },
    retryJobs: [{ id, status: 'PENDING' }],
    removeJob: { id: jobId },
    pause: true,
    again: false,
    resume: true,
  })
}
