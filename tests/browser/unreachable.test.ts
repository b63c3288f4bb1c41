import { expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import { defineJob, openQueue } from '../../src/index.ts'

const upload = defineJob({ type: 'upload', requires: 'online' })

/**
 * Nobody listens there: it is none of the ports that systems hand out by themselves, to servers and to connections; nor
 * one that browsers refuse before they try.
 */
const NOBODY = 'http://127.0.0.1:19321/'

// The words are each engine's own: tests/core/offline.test.ts has those of others.
test('a server that is not there, as this engine says it: the attempt counts nothing', async () => {
  const queue = await openQueue({ storage: memory(), jobs: [upload] })
  const thrown: unknown[] = []
  const handler = upload.handler(async () => {
    try {
      await fetch(NOBODY)
    } catch (error) {
      thrown.push(error)
      throw error
    }
  })
  await queue.enqueue(upload, null, { id: 'a' })
  await queue.createExecutor({ handlers: [handler] }).processUntilIdle()
  const job = await queue.get('a')
  expect(thrown).toEqual([expect.any(TypeError)])
  expect(job, String(thrown[0])).toMatchObject({ status: 'scheduled', unreached: 1, attempts: 0, failures: 0 })
  await queue.close()
})
