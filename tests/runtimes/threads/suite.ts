// What has to hold wherever handlers run. Each kind of runner has a test file that calls this with itself.
import { expect, test } from 'vitest'
import { memory } from '../../../src/adapters/memory/index.ts'
import {
  type Environment,
  type ExecutorOptions,
  type Job,
  type JobQueue,
  openQueue,
  type QueueOptions,
} from '../../../src/index.ts'
import { checked, echo, fails, follows, grown, grownBefore, parcel, poison, sample, waits } from './jobs.ts'

export const jobs = [echo, fails, waits, checked, follows, parcel, grown]

export interface Bench extends AsyncDisposable {
  readonly queue: JobQueue
  /** Enqueues a job, and answers it when it has ended or waits again. */
  ran(job: (typeof jobs)[number] | typeof poison, payload: unknown, id?: string): Promise<Job>
}

/** A queue in memory with an executor that runs. */
export async function bench(options: ExecutorOptions, queueOptions: Partial<QueueOptions> = {}): Promise<Bench> {
  const queue = await openQueue({ storage: memory(), jobs: [...jobs, poison], ...queueOptions })
  // Threads that die are told of; here that is the point.
  queue.on('error', () => undefined)
  await queue.createExecutor(options).start()
  return {
    queue,
    async ran(job, payload, id) {
      const ended = firstOf(queue, ['completed', 'failed', 'cancelled', 'released', 'retrying'])
      const { id: given } = await queue.enqueue(job as typeof echo, payload, id === undefined ? {} : { id })
      await ended(given)
      return (await queue.get(given)) as Job
    },
    [Symbol.asyncDispose]: () => queue.close({ grace: 0 }),
  }
}

/** Listens from now on; resolves when one of these events was told of the job. */
export function firstOf(
  queue: JobQueue,
  names: readonly (
    | 'started'
    | 'completed'
    | 'failed'
    | 'cancelled'
    | 'released'
    | 'retrying'
    | 'interrupted'
    | 'lost'
  )[],
): (id: string) => Promise<void> {
  const told = new Set<string>()
  let look = (): void => undefined
  const stops = names.map((name) =>
    queue.on(name, ({ job }) => {
      told.add(job.id)
      look()
    }),
  )
  return (id) =>
    new Promise((resolve) => {
      look = () => {
        if (!told.has(id)) return
        for (const stop of stops) stop()
        resolve()
      }
      look()
    })
}

/** A page that is told when it is frozen. */
class StandingPage {
  #frozen = false
  #stood = 0
  readonly #watchers = new Set<() => void>()

  get environment(): Partial<Environment> {
    return {
      monotonic: () => performance.now() + this.#stood,
      frozen: () => this.#frozen,
      onVisibilityChange: (watcher) => {
        this.#watchers.add(watcher)
        return () => this.#watchers.delete(watcher)
      },
    }
  }

  standStill(span: number): void {
    this.#tell(true)
    this.#stood += span
    this.#tell(false)
  }

  #tell(frozen: boolean): void {
    this.#frozen = frozen
    for (const watcher of this.#watchers) watcher()
  }
}

/** The one job that failed was never tried, and says why. */
async function cutOff(queue: JobQueue): Promise<void> {
  const { jobs: failed } = await queue.list({ where: { status: { eq: 'failed' } } }).page()
  expect(failed).toMatchObject([{ attempts: 0, error: { name: 'HoldfastError', code: 'HOLDFAST_AUTOMATION' } }])
}

/** What handlers said that their signals told them, up to now. */
export function reasonsHeard(queue: JobQueue): () => readonly unknown[] {
  const heard: unknown[] = []
  queue.on('log', ({ message, fields }) => message === 'told' && heard.push(fields))
  return () => heard
}

export function told(code: string): object {
  return { aborted: true, code, isError: true }
}

/** `options`: an executor that runs `handlers` with `{ cache: 'warm' }` for state. */
export function runnerSuite(options: () => ExecutorOptions): void {
  test('a handler gets its payload and the whole context, and its result is stored', async () => {
    await using at = await bench(options())
    const told: unknown[] = []
    at.queue.on('progress', ({ value }) => told.push(value))
    at.queue.on('log', ({ message, fields }) => told.push(message, fields))
    const job = await at.ran(echo, { deep: [1, 'two', null] }, 'a')
    expect(job).toMatchObject({ status: 'completed', attempts: 1, progress: { half: true } })
    expect(job.result).toEqual({
      payload: { deep: [1, 'two', null] },
      attempt: 1,
      fence: job.fence,
      state: { cache: 'warm' },
      id: 'a',
      left: 1,
    })
    expect(told).toEqual([{ half: true }, 'half way', { at: 1 }])
  })

  test('its deadline moves by the time in which the page stood still', async () => {
    const page = new StandingPage()
    await using at = await bench(options(), { environment: page.environment })
    const started = firstOf(at.queue, ['started'])
    const { id } = await at.queue.enqueue(follows, 'until its deadline moves')
    await started(id)
    page.standStill(10_000)
    const outcome = await at.queue.result(id)
    expect(outcome.status).toBe('completed')
    expect('result' in outcome && outcome.result).toBeGreaterThanOrEqual(10_000)
  })

  test('200 jobs at once each have their own result', async () => {
    await using at = await bench({ ...options(), concurrency: 8 })
    const stored = await at.queue.enqueueMany(
      Array.from({ length: 200 }, (_, payload) => ({ job: checked, payload: String(payload) })),
    )
    await at.queue.idle()
    for (const { id, payload } of stored) expect((await at.queue.get(id))?.result).toBe(payload)
    expect((await at.queue.counts()).completed).toBe(200)
  })

  test('a payload of bytes, Blobs, Maps and Dates arrives as it was, also one that a handler enqueues', async () => {
    await using at = await bench(options())
    const unpacked = ['1,2,3', 'text/plain', 'a blob', 1, 86_400_000]
    const given = sample()
    expect((await at.ran(parcel, given)).result).toEqual(unpacked)
    // It was copied, and not taken away.
    expect(given.bytes.byteLength).toBe(3)
    expect((await at.ran(follows, 'parcel')).status).toBe('completed')
    expect(await at.queue.result('from inside')).toEqual({ status: 'completed', result: unpacked })
  })

  test('a payload that an older version stored is brought up before the handler sees it; what is stored stays', async () => {
    const storage = memory()
    await using old = await openQueue({ storage, jobs: [grownBefore] })
    const { id } = await old.enqueue(grownBefore, 'a text')
    await using at = await bench(options(), { storage })
    const payload = { text: 'a text', from: 1 }
    expect(await at.queue.result(id)).toEqual({ status: 'completed', result: { payload, shown: payload } })
    expect(await at.queue.get(id)).toMatchObject({ payload: 'a text', payloadVersion: 1 })
  })

  test.each(['of another version', 'chain of another version'])(
    'a handler stores no payload for a version that it is not of: %s',
    async (what) => {
      await using at = await bench(options())
      expect((await at.ran(follows, what)).error?.code).toBe('HOLDFAST_UNKNOWN_JOB')
      expect(await at.queue.counts()).toMatchObject({ failed: 1, pending: 0, completed: 0 })
    },
  )

  test('an error comes back with name, message, stack, code and cause', async () => {
    await using at = await bench(options())
    const { error } = await at.ran(fails, 'own')
    expect(error).toMatchObject({ name: 'BadDisk', message: 'The disk is bad', code: 'EIO' })
    expect(error?.cause).toMatchObject({ name: 'TypeError', message: 'deep down' })
    // The function that threw.
    expect(error?.stack).toMatch(/\bown\b/)
    expect((await at.ran(fails, 'text')).error).toEqual({ name: 'Error', message: 'only a text' })
  })

  test('what a handler throws decides as it does inline: a snooze counts as nothing, a permanent failure ends it', async () => {
    await using at = await bench(options())
    expect(await at.ran(fails, 'later')).toMatchObject({ status: 'scheduled', attempts: 0, failures: 0 })
    const permanent = await at.ran(fails, 'forever')
    expect(permanent).toMatchObject({ status: 'failed', error: { code: 'HOLDFAST_FAILED_PERMANENTLY' } })
  })

  test.each(['function', 'date', 'progress'])('a value that JSON would alter fails its job: %s', async (how) => {
    await using at = await bench(options())
    expect(await at.ran(fails, how)).toMatchObject({ status: 'failed', error: { code: 'HOLDFAST_INVALID_PAYLOAD' } })
  })

  test('a handler enqueues, reads and counts, with the schema and defaults of the definition', async () => {
    await using at = await bench(options())
    const { result } = await at.ran(follows, 'enqueue')
    expect(result).toMatchObject({ same: 'checked text' })
    expect(await at.queue.get('enqueued')).toMatchObject({ payload: 'checked text', priority: 2 })
    expect((await at.ran(follows, 'many')).result).toBe(2)
    expect((await at.ran(follows, 'wrong')).error?.code).toBe('HOLDFAST_SCHEMA_MISMATCH')
  })

  test('the functions of its queue may be taken out of it', async () => {
    await using at = await bench(options())
    expect((await at.ran(follows, 'taken out')).result).toBe('checked text')
  })

  test('what its queue refuses is told with its details', async () => {
    await using at = await bench(options())
    expect((await at.ran(follows, 'refused')).result).toEqual({
      ...{ code: 'HOLDFAST_SCHEMA_MISMATCH', field: 'payload', value: 7 },
      issues: [{ message: 'no text' }],
    })
  })

  test.each([
    'an instance',
    'an instance among many',
    'an instance in a Map',
    'an instance in a chain',
    'a symbol key',
    'a function',
  ])('what a handler would have altered on its way to the queue is refused: %s', async (what) => {
    await using at = await bench(options())
    expect((await at.ran(follows, what)).error?.code).toBe('HOLDFAST_INVALID_PAYLOAD')
    expect(await at.queue.counts()).toMatchObject({ failed: 1, pending: 0, completed: 0 })
  })

  test('what a handler tells of may hold what no payload does, and gives the same jobs', async () => {
    await using at = await bench(options())
    const payloads = { 'insert:points': '${x}, ${at}', 'update:points': ['${old}'], 'delete:points': '${big}' }
    for (const [on, payload] of Object.entries(payloads))
      await at.queue.automate({ name: on, on, enqueue: { job: 'echo', payload, delay: '1h' } })
    expect((await at.ran(follows, 'an instance in events')).result).toEqual([
      ['scheduled', '1, 1970-01-01T00:00:00.000Z'],
      ['scheduled', [{ x: 1 }]],
      ['failed', null],
    ])
  })

  test.each(['odd options', 'an odd job', 'what is like a job'])('so is what is none: %s', async (what) => {
    await using at = await bench(options())
    expect((await at.ran(follows, what)).error?.code).toBe('HOLDFAST_INVALID_OPTION')
  })

  test.each([
    ['many that are no list', 'HOLDFAST_INVALID_OPTION', 'items'],
    ['many with what is none', 'HOLDFAST_INVALID_OPTION', 'items[1]'],
    ['many with what none has', 'HOLDFAST_INVALID_OPTION', 'items[1].delay'],
    ['many with an odd job', 'HOLDFAST_INVALID_OPTION', 'items[1].job'],
    ['many with an odd payload', 'HOLDFAST_INVALID_PAYLOAD', 'items[1].payload.at'],
    ['many with another version', 'HOLDFAST_UNKNOWN_JOB', 'items[1].job'],
  ])('of many jobs the field begins with the item that is wrong: %s', async (what, ...refusal) => {
    await using at = await bench(options())
    expect((await at.ran(follows, what)).result).toEqual(refusal)
    expect(await at.queue.counts()).toMatchObject({ pending: 0, completed: 1 })
  })

  test('what a handler puts out is heard by listeners, moved where it asked for that, and stored nowhere', async () => {
    await using at = await bench(options())
    const told: unknown[] = []
    at.queue.on('output', ({ job, value }) => told.push(job.id, value))
    expect(await at.ran(follows, 'output', 'a')).toMatchObject({ status: 'completed', result: 0, progress: null })
    const [first, value, second, copy] = told as [string, { bytes: ArrayBuffer; date: Date }, string, string]
    expect([first, [...new Uint8Array(value.bytes)], value.date.getTime()]).toEqual(['a', [1, 2, 3], 7])
    expect([second, copy, told.length]).toEqual(['a', 'a copy', 4])
  })

  test.each([
    ['output of a function', 'HOLDFAST_INVALID_PAYLOAD'],
    ['output of what cannot be moved', 'HOLDFAST_INVALID_PAYLOAD'],
    ['output with an odd option', 'HOLDFAST_INVALID_OPTION'],
  ])('an output that cannot be is a typed error: %s', async (what, code) => {
    await using at = await bench(options())
    expect((await at.ran(follows, what)).error?.code).toBe(code)
  })

  test('a log whose message is no text harms nobody', async () => {
    await using at = await bench(options())
    expect((await at.ran(follows, 'an odd log')).result).toBe('logged')
  })

  test('a handler that emits what triggers its job is cut off', async () => {
    await using at = await bench(options())
    await at.queue.automate({ name: 'loop', on: 'insert:loops', enqueue: { job: follows, payload: 'emit' } })
    await at.queue.emit('insert:loops', null)
    await at.queue.idle()
    expect(await at.queue.counts()).toMatchObject({ completed: 16, failed: 1 })
    await cutOff(at.queue)
  })

  test.each(['enqueue', 'enqueueMany', 'onComplete'])(
    'a handler that makes by %s what an automation follows is cut off',
    async (way) => {
      await using at = await bench(options())
      const enqueue = { job: follows, payload: `next by ${way}` }
      await at.queue.automate({ name: 'loop', on: 'job:completed', where: { type: { eq: 'echo' } }, enqueue })
      await at.queue.enqueue(echo, null)
      await at.queue.idle()
      expect(await at.queue.counts()).toMatchObject({ completed: 33, failed: 1 })
      await cutOff(at.queue)
    },
  )

  test('what a handler chains is stored with its completion, and only then', async () => {
    await using at = await bench(options())
    expect((await at.ran(follows, 'chain')).status).toBe('completed')
    expect(await at.queue.get('chained')).toMatchObject({ payload: 'checked chained', priority: 2 })
    expect((await at.ran(follows, 'chain and fail')).status).toBe('failed')
    expect(await at.queue.get('never')).toBe(null)
    expect((await at.ran(follows, 'chain wrongly')).error?.code).toBe('HOLDFAST_SCHEMA_MISMATCH')
  })

  test('a handler that has returned can chain no more', async () => {
    await using at = await bench(options())
    expect((await at.ran(follows, 'chain too late')).status).toBe('completed')
    await expect.poll(async () => (await at.queue.get('late'))?.payload).toBe('HOLDFAST_LEASE_LOST')
  })

  // Nothing but its signal ends the handler: the grace is longer than the test.
  const patient = (): ExecutorOptions => ({ ...options(), killGrace: '10m' })

  test('a cancel and a timeout abort the signal with their reason, and the handler ends by it', async () => {
    await using at = await bench(patient())
    const heard = reasonsHeard(at.queue)
    const started = firstOf(at.queue, ['started'])
    const cancelled = firstOf(at.queue, ['cancelled'])
    const { id } = await at.queue.enqueue(waits, null)
    await started(id)
    await at.queue.cancel(id, 'user left')
    await cancelled(id)
    expect(await at.queue.get(id)).toMatchObject({ status: 'cancelled', cancelReason: 'user left' })
    const late = await at.queue.enqueue(waits, null, { timeout: 30 })
    expect(await at.queue.result(late.id)).toMatchObject({ status: 'failed', error: { code: 'HOLDFAST_TIMEOUT' } })
    expect((await at.queue.get(late.id))?.error).not.toHaveProperty('cause')
    await expect.poll(heard).toEqual([told('HOLDFAST_CANCELLED'), told('HOLDFAST_TIMEOUT')])
  })

  test('a stop gives back what does not end in time, counted as nothing', async () => {
    await using at = await bench(patient())
    const heard = reasonsHeard(at.queue)
    const started = firstOf(at.queue, ['started'])
    const released = firstOf(at.queue, ['released'])
    const { id } = await at.queue.enqueue(waits, null)
    await started(id)
    const closed = at.queue.close({ grace: 0 })
    await released(id)
    expect(await at.queue.get(id)).toMatchObject({ status: 'pending', attempts: 0 })
    await closed
    expect(heard()).toEqual([told('HOLDFAST_STOPPING')])
  })
}
