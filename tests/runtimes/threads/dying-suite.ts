// What has to hold of every runner that can end a thread: handlers that do not end, and threads that do.
import { expect, test } from 'vitest'
import { type EnqueueItem, type ExecutorOptions, fixed } from '../../../src/index.ts'
import { SharedLog, sharedStorage } from '../../../src/testing/index.ts'
import { checked, poison, waits } from './jobs.ts'
import { bench, firstOf, jobs, reasonsHeard, told } from './suite.ts'

const everything = [...jobs, poison]

export interface DyingOptions {
  /** An executor with one thread that runs up to 4 jobs at once, and no grace. */
  readonly options: () => ExecutorOptions
  /** What kills a thread here, beside the acts that every platform has. */
  readonly deadly: readonly string[]
}

export function dyingSuite({ options, deadly }: DyingOptions): void {
  const started = (): ExecutorOptions => ({ ...options(), jobs: everything })

  test('an endless loop ends at its timeout, and its job is tried again in a new thread', async () => {
    await using at = await bench(started())
    const interrupted: unknown[] = []
    at.queue.on('interrupted', (event) => interrupted.push(event))
    const { id } = await at.queue.enqueue(poison, 'loop', { timeout: 100, backoff: fixed(1) })
    expect(await at.queue.result(id)).toMatchObject({ status: 'failed', error: { code: 'HOLDFAST_TIMEOUT' } })
    expect(await at.queue.get(id)).toMatchObject({ attempts: 2, failures: 2, interruptions: 0 })
    expect(interrupted).toEqual([])
    expect((await at.ran(poison, 'good')).result).toBe('good')
  })

  test('an endless loop ends when its job is cancelled', async () => {
    await using at = await bench(started())
    const running = firstOf(at.queue, ['started'])
    const { id } = await at.queue.enqueue(poison, 'loop')
    await running(id)
    await at.queue.cancel(id, 'enough')
    expect(await at.queue.result(id)).toMatchObject({ status: 'cancelled' })
    expect((await at.ran(poison, 'good')).result).toBe('good')
  })

  test('an endless loop does not hold up a stop, and is given back', async () => {
    await using at = await bench(started())
    const running = firstOf(at.queue, ['started'])
    const released = firstOf(at.queue, ['released'])
    const { id } = await at.queue.enqueue(poison, 'loop')
    await running(id)
    const closed = at.queue.close({ grace: 0 })
    await released(id)
    expect(await at.queue.get(id)).toMatchObject({ status: 'pending', attempts: 0, interruptions: 0 })
    await closed
  })

  test('when a thread is ended for one job, the others in it are given back, counted as nothing', async () => {
    await using at = await bench(started())
    const running = firstOf(at.queue, ['started'])
    const released = firstOf(at.queue, ['released'])
    const beside = await at.queue.enqueue(poison, 'silent')
    await running(beside.id)
    await at.queue.enqueue(poison, 'loop', { timeout: 100, maxRetries: 0 })
    await released(beside.id)
    const job = await at.queue.get(beside.id)
    expect(job).toMatchObject({ failures: 0, interruptions: 0 })
    expect((job?.attempts ?? 0) + Number(job?.status !== 'running')).toBe(1)
  })

  /** Runs two jobs in one thread, of which another handle takes one that does not heed its signal. */
  async function robbed(killGrace: ExecutorOptions['killGrace'] & {}) {
    const log = new SharedLog()
    const at = await bench({ ...started(), killGrace }, { storage: sharedStorage(log) })
    const other = sharedStorage(log)
    await other.open()
    const heard = reasonsHeard(at.queue)
    const lost = firstOf(at.queue, ['lost'])
    const [running, released] = [firstOf(at.queue, ['started']), firstOf(at.queue, ['released'])]
    const deaf = await at.queue.enqueue(poison, 'deaf', { leaseDuration: '1s' })
    const beside = await at.queue.enqueue(waits, null, { priority: 'low' })
    await running(beside.id)
    const [held] = await other.get([deaf.id])
    const later = { runAt: Date.now() + 3_600_000, delay: 3_600_000 }
    const taken = { kind: 'retry', id: deaf.id, fence: held?.fence ?? 0, counts: 'interruption', ...later } as const
    const error = { name: 'Error', message: 'It fell silent' }
    expect(await other.settle({ batch: [{ ...taken, error }], now: Date.now() })).toMatchObject([{ verdict: 'ok' }])
    await lost(deaf.id)
    // What the other handle made of it stands.
    expect(await at.queue.get(deaf.id)).toMatchObject({ status: 'scheduled', interruptions: 1, failures: 0 })
    return {
      ...at,
      heard,
      givenBack: () => released(beside.id),
      beside: () => at.queue.get(beside.id),
      [Symbol.asyncDispose]: async () => {
        await at[Symbol.asyncDispose]()
        await other.close()
      },
    }
  }

  test('a lease that is lost to another handle aborts the signal in the thread', async () => {
    await using at = await robbed('10m')
    await expect.poll(at.heard).toEqual([told('HOLDFAST_LEASE_LOST')])
    expect(await at.beside()).toMatchObject({ status: 'running', attempts: 1 })
  })

  test('the thread of a job that lost its lease and does not end is ended, and the other jobs in it are given back', async () => {
    await using at = await robbed(0)
    await at.givenBack()
    const job = await at.beside()
    expect(job).toMatchObject({ failures: 0, interruptions: 0 })
    expect((job?.attempts ?? 0) + Number(job?.status !== 'running')).toBe(1)
    expect((await at.ran(poison, 'good')).result).toBe('good')
  })

  test.each(deadly)('a job that kills its thread ends failed, with exact counts: %s', async (act) => {
    await using at = await bench(started())
    const died: unknown[] = []
    at.queue.on('interrupted', ({ job }) => died.push(job.error?.code))
    const { id } = await at.queue.enqueue(poison, act, { backoff: fixed(1) })
    const outcome = await at.queue.result(id)
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'HOLDFAST_WORKER_DIED', message: 'worker died' } })
    expect(await at.queue.get(id)).toMatchObject({ attempts: 3, failures: 0, interruptions: 3 })
    expect(died).toEqual(['HOLDFAST_WORKER_DIED', 'HOLDFAST_WORKER_DIED'])
    expect((await at.ran(poison, 'good')).result).toBe('good')
  })

  test('a job whose worker never answers times out', async () => {
    await using at = await bench(started())
    const { id } = await at.queue.enqueue(poison, 'silent', { timeout: 50, maxRetries: 0 })
    expect(await at.queue.result(id)).toMatchObject({ status: 'failed', error: { code: 'HOLDFAST_TIMEOUT' } })
    expect(await at.queue.get(id)).toMatchObject({ attempts: 1, failures: 1 })
  })

  test('a worker that answers twice, or for runs that are none, settles each job once', async () => {
    await using at = await bench(started())
    const ended: string[] = []
    at.queue.on('completed', ({ job }) => ended.push(job.id))
    const liar = await at.ran(poison, 'liar')
    expect(liar).toMatchObject({ status: 'completed', attempts: 1, result: 'a lie' })
    const twice = await at.ran(poison, 'twice')
    expect(twice).toMatchObject({ status: 'completed', attempts: 1, result: 'twice' })
    const good = await at.ran(poison, 'good')
    expect(good).toMatchObject({ status: 'completed', attempts: 1, result: 'good' })
    expect(ended).toEqual([liar.id, twice.id, good.id])
  })

  test('200 healthy jobs complete beside every kind of poison', async () => {
    await using at = await bench(started())
    const endless = ['loop', 'silent']
    const poisons = [...deadly, ...endless, 'twice'].map((payload) => ({
      job: poison,
      payload,
      options: { id: payload, timeout: endless.includes(payload) ? 300 : 30_000, backoff: fixed(1) },
    }))
    const healthy: EnqueueItem[] = Array.from({ length: 200 }, (_, payload) => ({
      job: checked,
      payload: String(payload),
    }))
    healthy.splice(50, 0, ...poisons)
    await at.queue.enqueueMany(healthy)
    await at.queue.idle({ includeScheduled: true })
    expect(await at.queue.counts()).toMatchObject({ completed: 201, failed: deadly.length + 2 })
    for await (const { result, payload } of at.queue.list({ where: { type: { eq: 'checked' } } }))
      expect(result).toBe(payload)
    const exact = { attempts: 3, failures: 0, interruptions: 3 }
    for (const act of deadly) expect(await at.queue.get(act)).toMatchObject(exact)
    // They may have been beside a thread's death, as everything else here, and each such is an interruption more.
    for (const act of endless) expect((await at.queue.get(act))?.failures).toBe(2)
    expect(await at.queue.get('twice')).toMatchObject({ status: 'completed', result: 'twice', failures: 0 })
  })
}
