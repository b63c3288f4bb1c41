// A disk that is full for a while: what was not stored is not said to be, and what handlers came to is not lost.
import { expect, onTestFinished, test, vi } from 'vitest'
import { nodeFs } from '../../src/adapters/node-fs/index.ts'
import { defineJob, HoldfastError, openQueue } from '../../src/index.ts'
import { type DiskFault, ManualClock, newJob, SimulatedDisk } from '../../src/testing/index.ts'
import { Stage } from '../core/doubles.ts'
import { allJobs, NOW } from '../core/kit-targets.ts'

const task = defineJob({ type: 'task', maxRetries: 0 })

/** Nothing here is judged by how long it takes: this is for what never comes. */
function until(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 100_000 })
}

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

test('health says that a disk takes no writes until something is written again, by whomever', async () => {
  const disk = new SimulatedDisk()
  const process = disk.process()
  const [storage, other] = [process, disk.process()].map((fileSystem) => nodeFs({ directory: '/jobs', fileSystem }))
  if (storage === undefined || other === undefined) throw new Error('no storage')
  await storage.open()
  await other.open()
  const enqueue = (to: typeof storage, id: string) => to.enqueue({ jobs: [newJob({ id })], now: NOW })
  /** Asks the log, and finds nothing to write. */
  const look = () => storage.prune({ rules: [], spareSince: 0, limit: 1, now: NOW })
  const isFull = async (id: string): Promise<void> => {
    process.fault = ({ name }) => (name === 'append' ? 'ENOSPC' : null)
    await expect(enqueue(storage, id)).rejects.toMatchObject({ code: 'HOLDFAST_STORAGE_FULL' })
    await look()
    expect(storage.health?.().state).toBe('failing')
    process.fault = () => null
  }
  await isFull('a')
  await enqueue(other, 'b')
  await look()
  expect(storage.health?.().state).toBe('ok')
  await isFull('c')
  await enqueue(storage, 'd')
  expect(storage.health?.().state).toBe('ok')
  await Promise.all([storage.close(), other.close()])
})

test('ten minutes without a disk are told the logger once by each service, and so is their end', async () => {
  const process = new SimulatedDisk().process()
  const lines: string[] = []
  const line =
    (level: string) =>
    (message: string): void =>
      void lines.push(`${level}: ${message}`)
  const logger = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
  const clock = new ManualClock()
  const storage = nodeFs({ directory: '/jobs', fileSystem: process })
  const queue = await openQueue({ storage, jobs: [task], environment: clock, logger })
  let errors = 0
  queue.on('error', () => (errors += 1))
  const stage = new Stage()
  await queue.enqueue(task, null, { id: 'a' })
  await queue.createExecutor({ handlers: [task.handler(stage.run)] }).start()
  await clock.settle()
  expect(stage.running).toEqual(['a'])
  process.fault = () => 'EIO'
  stage.end('a')
  await clock.advance('10m')
  const services = ['claim', 'heartbeat', 'pruner', 'reaper', 'settle']
  expect(errors).toBeGreaterThan(500)
  expect(lines.sort()).toEqual(services.map((service) => `error: The ${service} service met an error`))
  process.fault = () => null
  await clock.advance('1m')
  expect(lines.slice(services.length).sort()).toEqual(
    services.map((service) => `info: The ${service} service works again`),
  )
  expect((await queue.get('a'))?.status).toBe('completed')
  await queue.close()
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
    await until(() => expect(stage.running).toEqual(['a', 'b']))

    process.fault = ({ name }) => (name === 'append' ? fault : null)
    stage.end('a', { answer: 42 })
    stage.fail('b', new Error('no such customer'))
    await expect(queue.enqueue(task, 'd', { id: 'd' })).rejects.toMatchObject({ code: 'HOLDFAST_STORAGE_FULL' })
    // More than one try of the settle.
    await until(() => expect(told.length).toBeGreaterThan(2))
    expect(new Set(told)).toEqual(new Set(['HOLDFAST_STORAGE_FULL']))
    expect(queue.health().state).toBe('failing')
    expect(ended).toEqual([])
    expect(stage.started).toEqual(['a', 'b'])
    for (const [id, status] of Object.entries({ a: 'running', b: 'running', c: 'pending' }))
      expect((await other.get(id))?.status).toBe(status)
    expect(await other.get('d')).toBeNull()

    process.fault = () => null
    await until(() => expect(stage.running).toEqual(['c']))
    // A claim may be tried again before a settle is.
    await until(() => expect([...ended].sort()).toEqual(['a', 'b']))
    expect(await other.get('a')).toMatchObject({ status: 'completed', result: { answer: 42 }, attempts: 1 })
    expect(await other.get('b')).toMatchObject({
      status: 'failed',
      error: { message: 'no such customer' },
      attempts: 1,
    })
    await queue.enqueue(task, 'd', { id: 'd' })
    stage.end('c')
    await until(() => expect(stage.running).toEqual(['d']))
    stage.end('d')
    await queue.idle()
    expect(stage.started).toEqual(['a', 'b', 'c', 'd'])
    expect(await other.counts()).toMatchObject({ completed: 3, failed: 1, running: 0, pending: 0 })
    expect(queue.health().state).toBe('ok')
  },
  120_000,
)
