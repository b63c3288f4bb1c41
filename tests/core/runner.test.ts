// The seam between executor and runner: what the executor makes of whatever a runner tells it, and in whatever order.
import { expect, test } from 'vitest'
import type { Attempt } from '../../src/core/attempt.ts'
import type { OpenRunner, RunnerHost } from '../../src/core/runner.ts'
import { defineJob, HoldfastError, type Logger, type Runner } from '../../src/index.ts'
import { SharedLog, sharedStorage, testQueue } from '../../src/testing/index.ts'
import { codeOf, Gate } from './doubles.ts'

const task = defineJob({ type: 'task', timeout: '30s' })

/** A runner whose runs the test ends. */
class Puppet implements Runner, OpenRunner {
  readonly kills = true
  readonly gate = new Gate()
  ready: Promise<void> = Promise.resolve()
  places = 2
  host: RunnerHost | null = null
  readonly running = new Map<string, Attempt>()
  /** What it was told to do, in order. */
  readonly told: string[] = []

  open(host: RunnerHost): OpenRunner {
    this.host = host
    return this
  }

  get ends(): RunnerHost['ends'] {
    if (this.host === null) throw new Error('It was not opened')
    return this.host.ends
  }

  attempt(id: string): Attempt {
    const attempt = this.running.get(id)
    if (attempt === undefined) throw new Error(`${id} was not run`)
    return attempt
  }

  run(attempt: Attempt): void {
    this.running.set(attempt.record.id, attempt)
    this.told.push(`run ${attempt.record.id}`)
  }

  abort({ record, ending }: Attempt): void {
    this.told.push(`abort ${record.id} ${codeOf(ending)}`)
  }

  kill({ record }: Attempt): void {
    this.told.push(`kill ${record.id}`)
  }

  close(): Promise<void> {
    this.told.push('close')
    this.gate.fail(new HoldfastError('HOLDFAST_STOPPING', 'closed'))
    return Promise.resolve()
  }
}

/** A queue whose executor has a puppet for runner and runs one job `a`. */
async function running(options: Parameters<typeof testQueue>[0] = {}) {
  const { queue, clock } = await testQueue(options)
  const puppet = new Puppet()
  const executor = queue.createExecutor({ runner: puppet, jobs: [task] })
  await executor.start()
  await queue.enqueue(task, null, { id: 'a' })
  await clock.settle()
  return { queue, clock, executor, puppet }
}

const died = new HoldfastError('HOLDFAST_WORKER_DIED', 'worker died', { cause: new TypeError('outside') })

test('a job whose worker died was interrupted, and says of what', async () => {
  const { queue, clock, puppet, executor } = await running()
  puppet.ends.gone(puppet.attempt('a'), died)
  await clock.settle()
  expect(await queue.get('a')).toMatchObject({
    attempts: 2,
    failures: 0,
    interruptions: 1,
    error: { code: 'HOLDFAST_WORKER_DIED', message: 'worker died', cause: { name: 'TypeError' } },
  })
  expect(executor.stats()).toMatchObject({ interrupted: 1, failed: 0, retried: 0, running: 1 })
})

test('a job whose thread was ended for the sake of another is given back, counted as nothing', async () => {
  const { queue, clock, puppet, executor } = await running()
  puppet.places = 0
  puppet.ends.gone(puppet.attempt('a'), null)
  await clock.settle()
  expect(await queue.get('a')).toMatchObject({ status: 'pending', attempts: 0, interruptions: 0 })
  expect(executor.stats()).toMatchObject({ released: 1, running: 0 })
})

test('nothing is claimed for which the runner has no place, and all of it once it has', async () => {
  const { queue, clock, puppet, executor } = await running()
  puppet.places = 0
  await queue.enqueue(task, null, { id: 'b' })
  await clock.advance('1m')
  expect(executor.stats().free).toBe(0)
  expect(await queue.get('b')).toMatchObject({ status: 'pending', attempts: 0 })
  puppet.places = 1
  puppet.host?.onRoom()
  await clock.settle()
  expect((await queue.get('b'))?.status).toBe('running')
})

test('at its timeout an attempt is aborted, after a grace of 1 s killed; its slot is free when it is gone', async () => {
  const { queue, clock, puppet, executor } = await running()
  await clock.advance(30_999)
  expect(puppet.told).toEqual(['run a', 'abort a HOLDFAST_TIMEOUT'])
  await clock.advance(1)
  expect(puppet.told.at(-1)).toBe('kill a')
  expect(await queue.get('a')).toMatchObject({ status: 'scheduled', failures: 1, error: { code: 'HOLDFAST_TIMEOUT' } })
  expect(executor.stats()).toMatchObject({ overdue: 1 })
  puppet.ends.gone(puppet.attempt('a'), null)
  expect(executor.stats()).toMatchObject({ overdue: 0, running: 0 })
  await clock.settle()
  expect(await queue.get('a')).toMatchObject({ failures: 1, interruptions: 0 })
})

test('a worker that dies while it was asked to end has ended for the reason it was asked', async () => {
  const { queue, clock, puppet } = await running()
  await queue.cancel('a', 'enough')
  puppet.ends.gone(puppet.attempt('a'), died)
  await clock.settle()
  expect(await queue.get('a')).toMatchObject({ status: 'cancelled', cancelReason: 'enough', interruptions: 0 })
})

test('a result that was on its way when its worker died counts, and the death of it does not', async () => {
  const { queue, clock, puppet } = await running()
  const attempt = puppet.attempt('a')
  puppet.ends.returned(attempt, 'done')
  puppet.ends.gone(attempt, died)
  puppet.ends.returned(attempt, 'again')
  puppet.ends.threw(attempt, new Error('and again'))
  await clock.settle()
  expect(await queue.get('a')).toMatchObject({ status: 'completed', result: 'done', failures: 0, interruptions: 0 })
})

test('a result that comes after the kill changes nothing, and frees the slot once', async () => {
  const { queue, clock, puppet, executor } = await running()
  await clock.advance(31_000)
  const attempt = puppet.attempt('a')
  puppet.ends.returned(attempt, 'too late')
  puppet.ends.gone(attempt, null)
  await clock.settle()
  expect(await queue.get('a')).toMatchObject({ status: 'scheduled', failures: 1, result: null })
  expect(executor.stats()).toMatchObject({ overdue: 0, running: 0, free: 2 })
})

test('cancelled, timed out and lost at once, an attempt is asked once, killed once, and settled as what came first', async () => {
  const log = new SharedLog()
  const { queue, clock, puppet } = await running({ storage: sharedStorage(log) })
  await queue.cancel('a', 'enough')
  await clock.advance(999)
  // Its lease is taken from it, and its time is up, while its grace still runs.
  await queue.cancel('a', 'once more')
  await clock.advance('1m')
  expect(puppet.told.filter((what) => what.startsWith('abort'))).toEqual(['abort a HOLDFAST_CANCELLED'])
  expect(puppet.told.filter((what) => what.startsWith('kill'))).toEqual(['kill a'])
  expect(await queue.get('a')).toMatchObject({ status: 'cancelled', cancelReason: 'enough' })
})

test('a handler whose lease is lost is aborted at once and killed after the grace, and nothing is settled', async () => {
  const log = new SharedLog()
  const storage = sharedStorage(log)
  const { queue, clock, puppet, executor } = await running({ storage })
  const other = sharedStorage(log)
  await other.open()
  const [record] = await other.get(['a'])
  await other.settle({
    batch: [{ id: 'a', fence: record?.fence ?? 0, kind: 'release', runAt: clock.now() + 1e6, delay: 1e6 }],
    now: clock.now(),
  })
  // The next beat, and the grace.
  await clock.advance('11s')
  expect(puppet.told).toEqual(['run a', 'abort a HOLDFAST_LEASE_LOST', 'kill a'])
  expect(executor.stats()).toMatchObject({ lost: 1, overdue: 1 })
  puppet.ends.gone(puppet.attempt('a'), null)
  await clock.settle()
  expect(executor.stats()).toMatchObject({ lost: 1, overdue: 0, released: 0 })
  expect(await queue.get('a')).toMatchObject({ status: 'scheduled', attempts: 0 })
})

test('a stop while the runner is not ready gives it up, and the start rejects', async () => {
  const { queue } = await testQueue()
  const puppet = new Puppet()
  puppet.ready = puppet.gate.promise
  const executor = queue.createExecutor({ runner: puppet, jobs: [task] })
  const starting = executor.start().catch(codeOf)
  await executor.stop()
  expect(await starting).toBe('HOLDFAST_STOPPING')
  expect(executor.stats()).toMatchObject({ state: 'idle', claimed: 0 })
})

test('without a list of jobs a runner is to have those of the queue', async () => {
  const { queue } = await testQueue({ jobs: [task] })
  const puppet = new Puppet()
  await queue.createExecutor({ runner: puppet }).start()
  expect([...(puppet.host?.definitions.keys() ?? [])]).toEqual(['task'])
})

test('processUntilIdle of a paused executor comes to its end, also where a runner kills', async () => {
  const { queue } = await testQueue()
  const executor = queue.createExecutor({ runner: new Puppet(), jobs: [task] })
  await executor.start()
  await executor.pause()
  await queue.enqueue(task, null)
  expect(await executor.processUntilIdle()).toMatchObject({ processed: 0 })
})

test('what a runner tells of its workers is told each time, the logger once and when they work again', async () => {
  const lines: unknown[] = []
  const line =
    (level: string): Logger['info'] =>
    (message, fields) =>
      void lines.push([level, message, fields?.['errors']])
  const logger = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
  const { queue, puppet } = await running({ logger })
  const told: string[] = []
  queue.on('error', ({ service, error }) => told.push(`${service} ${codeOf(error)}`))
  for (let start = 0; start < 3; start++)
    puppet.host?.errors.again(new HoldfastError('HOLDFAST_WORKER_NOT_READY', 'it ended before it was ready'))
  expect(told).toEqual(Array.from({ length: 3 }, () => 'runner HOLDFAST_WORKER_NOT_READY'))
  puppet.host?.onRoom()
  expect(lines).toHaveLength(1)
  puppet.host?.errors.over()
  expect(lines).toEqual([
    ['error', 'The runner service met an error', undefined],
    ['info', 'The runner service works again', 3],
  ])
})
