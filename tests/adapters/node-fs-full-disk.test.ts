// A disk that is full for a while: what was not stored is not said to be, and what handlers came to is not lost.
import { expect, onTestFinished, test, vi } from 'vitest'
import { nodeFs } from '../../src/adapters/node-fs/index.ts'
import { defineJob, HoldfastError, openQueue } from '../../src/index.ts'
import { type DiskFault, newJob, SimulatedDisk } from '../../src/testing/index.ts'
import { Stage } from '../core/doubles.ts'
import { allJobs, NOW } from '../core/kit-targets.ts'

const task = defineJob({ type: 'task', maxRetries: 0 })

const full: readonly DiskFault[] = ['ENOSPC', 'short write']

test('what a full disk does not take is told and not there, and the next call works', async () => {
  const process = new SimulatedDisk().process()
  const storage = nodeFs({ directory: '/jobs', fileSystem: process })
  await storage.open()
  await storage.enqueue({ jobs: [newJob({ id: 'a' })], now: NOW })
  process.fault = ({ name }) => (name === 'append' ? 'ENOSPC' : null)
  const refused = storage.enqueue({ jobs: [newJob({ id: 'b' })], now: NOW })
  await expect(refused).rejects.toMatchObject({ code: 'HOLDFAST_STORAGE_FULL' })
  expect((await allJobs(storage)).map(({ id }) => id)).toEqual(['a'])
  expect(storage.health?.().state).toBe('failing')
  process.fault = () => null
  await storage.enqueue({ jobs: [newJob({ id: 'c' })], now: NOW })
  expect((await allJobs(storage)).map(({ id }) => id)).toEqual(['a', 'c'])
  expect(storage.health?.().state).toBe('ok')
  await storage.close()
})

test.each(full)(
  'when the disk is full (%s) nothing is acknowledged; with space again outcomes of handlers that ran are settled',
  async (fault) => {
    const disk = new SimulatedDisk()
    const process = disk.process()
    const queue = await openQueue({ storage: nodeFs({ directory: '/jobs', fileSystem: process }), jobs: [task] })
    const other = await openQueue({ storage: nodeFs({ directory: '/jobs', fileSystem: disk.process() }) })
    onTestFinished(() => Promise.all([queue.close({ grace: 0 }), other.close()]).then(() => undefined))
    const told: unknown[] = []
    queue.on('error', ({ error }) => told.push(HoldfastError.is(error) && error.code))
    const ended: string[] = []
    for (const name of ['completed', 'failed'] as const) queue.on(name, ({ job }) => ended.push(job.id))

    const stage = new Stage()
    for (const id of ['a', 'b', 'c']) await queue.enqueue(task, id, { id })
    await queue.createExecutor({ concurrency: 2, handlers: [task.handler(stage.run)] }).start()
    await vi.waitFor(() => expect(stage.running).toEqual(['a', 'b']))

    process.fault = ({ name }) => (name === 'append' ? fault : null)
    stage.end('a', { answer: 42 })
    stage.fail('b', new Error('no such customer'))
    await expect(queue.enqueue(task, 'd', { id: 'd' })).rejects.toMatchObject({ code: 'HOLDFAST_STORAGE_FULL' })
    // More than one try of the settle.
    await vi.waitFor(() => expect(told.length).toBeGreaterThan(2), { timeout: 5000 })
    expect(new Set(told)).toEqual(new Set(['HOLDFAST_STORAGE_FULL']))
    expect(queue.health().state).toBe('failing')
    expect(ended).toEqual([])
    expect(stage.started).toEqual(['a', 'b'])
    for (const [id, status] of Object.entries({ a: 'running', b: 'running', c: 'pending' }))
      expect((await other.get(id))?.status).toBe(status)
    expect(await other.get('d')).toBeNull()

    process.fault = () => null
    await vi.waitFor(() => expect(stage.running).toEqual(['c']), { timeout: 10_000 })
    expect([...ended].sort()).toEqual(['a', 'b'])
    expect(await other.get('a')).toMatchObject({ status: 'completed', result: { answer: 42 }, attempts: 1 })
    expect(await other.get('b')).toMatchObject({
      status: 'failed',
      error: { message: 'no such customer' },
      attempts: 1,
    })
    await queue.enqueue(task, 'd', { id: 'd' })
    stage.end('c')
    await vi.waitFor(() => expect(stage.running).toEqual(['d']), { timeout: 5000 })
    stage.end('d')
    await queue.idle()
    expect(stage.started).toEqual(['a', 'b', 'c', 'd'])
    expect(await other.counts()).toMatchObject({ completed: 3, failed: 1, running: 0, pending: 0 })
    expect(queue.health().state).toBe('ok')
  },
  30_000,
)
