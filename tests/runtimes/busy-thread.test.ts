import { expect, test } from 'vitest'
import { defineJob, type Job, openQueue } from '../../src/index.ts'
import { workerThreads } from '../../src/runtimes/node/index.ts'
import { SharedLog, sharedStorage } from '../../src/testing/index.ts'
import { bench } from './threads/suite.ts'
import { workerFile } from './worker-files.ts'

const spawn = await workerFile('jobs.worker')

/** Here more than three leases of a second; `npm run test:long` blocks for 2 minutes under the default lease. */
const [block, leaseDuration] = process.env['HOLDFAST_LONG'] === '1' ? [120_000, 30_000] : [3500, 1000]

test('a handler that blocks its thread for several leases keeps its job', { timeout: 150_000 }, async () => {
  const log = new SharedLog()
  const busy = defineJob({ type: 'poison', leaseDuration })
  await using at = await bench(
    { runner: workerThreads({ spawn, size: 1 }), jobs: [busy] },
    { storage: sharedStorage(log), jobs: [busy] },
  )
  // Another session, which has time, and takes back what falls silent.
  await using other = await openQueue({ storage: sharedStorage(log) })
  await other.createExecutor({ handlers: [busy.handler(() => 'taken')] }).start()
  const { id } = await at.queue.enqueue(busy, 'block', { id: String(block) })
  expect(await at.queue.result(id)).toEqual({ status: 'completed', result: 'done' })
  const { attempts, interruptions, startedAt, finishedAt } = (await at.queue.get(id)) as Job
  expect({ attempts, interruptions }).toEqual({ attempts: 1, interruptions: 0 })
  expect(Number(finishedAt) - Number(startedAt)).toBeGreaterThanOrEqual(block)
  console.log(`A handler blocked its thread for ${block} ms under a lease of ${leaseDuration} ms and kept its job`)
})
