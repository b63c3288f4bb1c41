import { describe, expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import { Reaper } from '../../src/core/reaper.ts'
import { serviceErrors } from '../../src/core/service-errors.ts'
import type { NewJob } from '../../src/core/storage/contract.ts'
import { defineJob, openQueue } from '../../src/index.ts'
import { ManualClock, newJob, SharedLog, sharedStorage, testQueue } from '../../src/testing/index.ts'
import { failing, Gate, hooked, never, Stage } from './doubles.ts'
import { NOW } from './kit-targets.ts'

const LEASE = 30_000
const LOOK = LEASE / 3
const YEAR = 365 * 86_400_000

/** A session `victim` that holds jobs, and a reaper that looks at it. `over`: it has proof that these sessions are. */
async function watched(
  jobs: readonly Partial<NewJob>[],
  hooks: Parameters<typeof hooked>[1] = {},
  over: readonly string[] = [],
  random?: number,
) {
  const clock = new ManualClock({ start: NOW })
  const inner = memory()
  const sessions = inner.sessions.bind(inner)
  inner.sessions = async () =>
    (await sessions()).map((session) => (over.includes(session.id) ? { ...session, ended: true as const } : session))
  await inner.open()
  await inner.session({ open: 'victim', leaseDuration: 30_000, now: NOW })
  await inner.session({ open: 'reaper', leaseDuration: 30_000, now: NOW })
  await inner.enqueue({ jobs: jobs.map((job, n) => newJob({ id: `job-${n}`, ...job })), now: NOW })
  const lanes = [{ type: 'task' }, { type: 'other' }]
  await inner.claim({
    requestId: '1',
    session: 'victim',
    now: NOW,
    limit: jobs.length,
    lanes,
    have: [],
    suspects: 'none',
  })
  const taken: Record<string, number> = {}
  const errors: unknown[] = []
  let slept = 0
  const reaper = new Reaper({
    storage: hooked(inner, hooks),
    environment: new Proxy(clock, {
      get: (inner, key): unknown => {
        if (key === 'random' && random !== undefined) return () => random
        return key === 'monotonic' ? () => inner.monotonic() + slept : Reflect.get(inner, key)
      },
    }),
    leaseDuration: LEASE,
    types: ['task'],
    session: () => 'reaper',
    interrupted: ({ id }) => (taken[id] = clock.monotonic()),
    errors: serviceErrors(
      (error) => errors.push(error),
      () => undefined,
    ),
  })
  const beat = (patience = 0) =>
    inner.beat({ session: 'victim', now: clock.now(), holds: [], claiming: ['1'], progress: [], patience })
  const sleep = (span: number) => (slept += span)
  return { clock, inner, reaper, taken, errors, beat, sleep }
}

describe('a reaper', () => {
  test('takes a job back when its session was silent for the lease, and not before', async () => {
    const { clock, inner, taken } = await watched([{}])
    await clock.advance(LEASE - 1)
    expect(taken).toEqual({})
    await clock.advance(2 * LOOK + 1)
    expect(Object.keys(taken)).toEqual(['job-0'])
    expect(await inner.get(['job-0'])).toMatchObject([{ state: 'waiting', interruptions: 1, failures: 0, attempts: 1 }])
  })

  test('begins to count anew at every beat', async () => {
    const { clock, taken, beat } = await watched([{}])
    await clock.advance(25_000)
    await beat()
    await clock.advance(LEASE - 1)
    expect(taken).toEqual({})
    await clock.advance(2 * LOOK + 1)
    expect(Object.keys(taken)).toEqual(['job-0'])
  })

  test('leaves a session that beats', async () => {
    const { clock, taken, beat } = await watched([{}])
    for (let minute = 0; minute < 60; minute++) {
      await clock.advance(LEASE - 1000)
      await beat()
    }
    expect(taken).toEqual({})
  })

  test.each([YEAR, -YEAR])('is not moved by a wall clock that jumps by %i ms', async (jump) => {
    const { clock, taken } = await watched([{}])
    await clock.advance(10_000)
    clock.setWall(clock.now() + jump)
    await clock.advance(LEASE - 10_001)
    expect(taken).toEqual({})
    await clock.advance(2 * LOOK + 1)
    expect(Object.keys(taken)).toEqual(['job-0'])
  })

  test('does not count the time it slept itself', async () => {
    const { clock, taken, sleep } = await watched([{}])
    await clock.advance(15_000)
    sleep(3_600_000)
    await clock.advance(14_999)
    expect(taken).toEqual({})
    await clock.advance(3 * LOOK + 1)
    expect(Object.keys(taken)).toEqual(['job-0'])
  })

  test('a computer that sleeps again and again never lets a living session lose its jobs', async () => {
    const { clock, taken, sleep, beat } = await watched([{}])
    for (let night = 0; night < 20; night++) {
      await clock.advance(LOOK)
      sleep(3_600_000)
      await clock.advance(LOOK / 2)
      await beat()
    }
    expect(taken).toEqual({})
  })

  test('after a sleep all count anew, so that nobody is taken for silent who slept as well', async () => {
    const { clock, taken, sleep } = await watched([{}])
    // Seen to be silent for 20 s at least, and for less than its lease.
    await clock.advance(3 * LOOK)
    sleep(3_600_000)
    await clock.advance(LEASE - 1)
    expect(taken).toEqual({})
    await clock.advance(2 * LOOK + 1)
    expect(Object.keys(taken)).toEqual(['job-0'])
  })

  test('of a sleep that is too short to be told from a late tick hardly anything counts', async () => {
    const { clock, taken, sleep } = await watched([{}])
    // Two looks; the third comes late by an interval.
    await clock.advance(2 * LOOK)
    sleep(LOOK)
    await clock.advance(LOOK)
    expect(taken).toEqual({})
    await clock.advance(LOOK)
    expect(Object.keys(taken)).toEqual(['job-0'])
  })

  test('a process that stood still for an hour takes nothing when it goes on, whoever goes on first', async () => {
    const { clock, taken, beat } = await watched([{}])
    await clock.advance(25_000)
    clock.sleep('1h')
    await clock.advance(LOOK)
    expect(taken).toEqual({})
    await beat()
    await clock.advance(LEASE - 1)
    expect(taken).toEqual({})
  })

  test('a clock that stops in sleep counts only the time awake', async () => {
    const { clock, taken } = await watched([{}])
    await clock.advance(25_000)
    clock.setWall(clock.now() + 3_600_000)
    await clock.advance(LEASE - 25_001)
    expect(taken).toEqual({})
    await clock.advance(2 * LOOK + 1)
    expect(Object.keys(taken)).toEqual(['job-0'])
  })

  test('waits for a hidden page as long as that asked for, and for its lease again once it is seen', async () => {
    const { clock, taken, beat } = await watched([{}])
    await beat(150_000)
    await clock.advance(149_999)
    expect(taken).toEqual({})
    await beat()
    await clock.advance(LEASE - 1)
    expect(taken).toEqual({})
    await clock.advance(2 * LOOK + 1)
    expect(Object.keys(taken)).toEqual(['job-0'])
  })

  test('takes the jobs of a hidden page that stays silent for longer, and clears its name', async () => {
    const { clock, inner, taken, beat } = await watched([{}])
    await beat(150_000)
    await clock.advance(150_000 + 2 * LOOK)
    expect(Object.keys(taken)).toEqual(['job-0'])
    await clock.advance(LOOK)
    expect((await inner.sessions()).map(({ id }) => id)).toEqual(['reaper'])
  })

  test('clears no idle session of a hidden page by its lease', async () => {
    const { clock, inner, beat } = await watched([])
    await beat(150_000)
    await clock.advance(149_999)
    expect((await inner.sessions()).map(({ id }) => id)).toEqual(['victim', 'reaper'])
  })

  test('in a hidden page whose ticks come once a minute it still takes jobs back, and waits longer', async () => {
    const { clock, taken } = await watched([{}])
    clock.setHidden(true)
    await clock.settle()
    const minute = async () => {
      clock.sleep(59_999)
      await clock.advance(1)
    }
    await minute()
    await minute()
    expect(taken).toEqual({})
    await minute()
    expect(Object.keys(taken)).toEqual(['job-0'])
  })

  test('a page that is seen again looks at once, and counts anew', async () => {
    const { clock, taken } = await watched([{}])
    clock.setHidden(true)
    await clock.advance('149s')
    clock.setHidden(false)
    await clock.advance(LEASE - 1)
    expect(taken).toEqual({})
    await clock.advance(LOOK)
    expect(Object.keys(taken)).toEqual(['job-0'])
  })

  test('with proof that a session is over it waits for nothing; without one that is new it does', async () => {
    let over = true
    let beat: () => unknown = () => undefined
    const { clock, inner, taken, ...made } = await watched([{}], { before: (name) => name === 'settle' && beat() })
    const sessions = inner.sessions.bind(inner)
    inner.sessions = async () =>
      (await sessions()).map((session) => ({ ...session, ...(over && { ended: true as const }) }))
    // It came back, under a name that is not over, between the look and what follows from it.
    beat = () => {
      over = false
      return made.beat()
    }
    await clock.advance(LOOK)
    expect([over, taken]).toEqual([false, {}])
    over = true
    beat = () => undefined
    await clock.advance(LOOK)
    expect(Object.keys(taken)).toEqual(['job-0'])
  })

  test('takes all that a session held that is over, also what that wrote as it died, without waiting for its next look', async () => {
    const jobs = Array.from({ length: 1001 }, () => ({}))
    let writes = 1
    const { clock, inner, taken, beat } = await watched(
      jobs,
      { before: (name) => name === 'settle' && writes-- > 0 && beat() },
      ['victim'],
    )
    await clock.settle()
    expect(Object.keys(taken)).toHaveLength(1001)
    expect((await inner.sessions()).map(({ id }) => id)).toEqual(['reaper'])
  })

  test('ends its look, though a session that is said to be over goes on and on', async () => {
    let beat: () => unknown = () => undefined
    const { clock, taken, reaper, ...made } = await watched([{}], { before: (name) => name === 'settle' && beat() }, [
      'victim',
    ])
    beat = made.beat
    await clock.settle()
    await reaper.stop()
    expect(taken).toEqual({})
  })

  test('looks at once when it begins: of a death that was proven before, nobody tells any more', async () => {
    const { clock, taken } = await watched([{}], {}, ['victim'])
    await clock.settle()
    expect(Object.keys(taken)).toEqual(['job-0'])
  })

  test('that had to wait for its first looks counts no silence between what it read at the same time', async () => {
    const away = new Gate()
    const { clock, taken } = await watched([{}], { before: (name) => name === 'sessions' && away.promise }, [], 0.99)
    // The first look and that of the first tick wait together.
    const read = 1.07 * LOOK
    await clock.advance(read)
    away.open()
    await clock.advance(2 * LEASE)
    expect(Object.keys(taken)).toEqual(['job-0'])
    expect(taken['job-0']).toBeGreaterThanOrEqual(read + LEASE)
  })

  test('that was asked to look again while it waited counts no silence of before it read', async () => {
    const away = new Gate()
    const { clock, taken } = await watched([{}], { before: (name) => name === 'sessions' && away.promise }, [], 0)
    const read = 1.5 * LOOK
    await clock.advance(read)
    // A look for each: the next one is made as soon as that which waits has ended.
    clock.setHidden(true)
    clock.setHidden(false)
    away.open()
    await clock.advance(2 * LEASE)
    expect(Object.keys(taken)).toEqual(['job-0'])
    expect(taken['job-0']).toBeGreaterThanOrEqual(read + LEASE)
  })

  test('goes by the lease of each job', async () => {
    const { clock, taken } = await watched([{ leaseDuration: 120_000 }, {}])
    await clock.advance(119_999)
    expect(Object.keys(taken)).toEqual(['job-1'])
    await clock.advance(2 * LOOK + 1)
    expect(Object.keys(taken)).toEqual(['job-1', 'job-0'])
  })

  test('takes only types its executor handles, and leaves the session that holds others', async () => {
    const { clock, inner, taken } = await watched([{ type: 'other' }])
    await clock.advance('10m')
    expect(taken).toEqual({})
    expect((await inner.sessions()).map(({ id }) => id)).toContain('victim')
  })

  test('clears an idle session by the lease that the session has, not by its own', async () => {
    const { clock, inner } = await watched([])
    await inner.session({ open: 'patient', leaseDuration: 10 * LEASE, now: NOW })
    const names = async () => (await inner.sessions()).map(({ id }) => id)
    await clock.advance(9 * LEASE)
    expect(await names()).toEqual(['reaper', 'patient'])
    await clock.advance(2 * LEASE)
    expect(await names()).toEqual(['reaper'])
  })

  test('clears the name of a silent session that holds nothing', async () => {
    const { clock, inner } = await watched([])
    await clock.advance(LEASE - 1)
    expect((await inner.sessions()).map(({ id }) => id)).toEqual(['victim', 'reaper'])
    await clock.advance(2 * LOOK + 1)
    expect((await inner.sessions()).map(({ id }) => id)).toEqual(['reaper'])
  })

  test('takes nothing when the session beats between its look and its settle', async () => {
    let beat: () => unknown = () => undefined
    const { clock, inner, taken, ...made } = await watched([{}], { before: (name) => name === 'settle' && beat() })
    beat = made.beat
    await clock.advance(LEASE + 2 * LOOK)
    expect(taken).toEqual({})
    expect(await inner.get(['job-0'])).toMatchObject([{ state: 'running', interruptions: 0 }])
  })

  test('tells an error of the storage and goes on', async () => {
    const { clock, taken, errors } = await watched([{}], { before: failing('sessions', 1) })
    await clock.advance(LEASE + 3 * LOOK)
    expect([errors.length, Object.keys(taken)]).toEqual([1, ['job-0']])
  })

  test('stops looking when it is stopped', async () => {
    const { clock, reaper, taken } = await watched([{}])
    await reaper.stop()
    await clock.advance('1h')
    expect(taken).toEqual({})
  })
})

const task = defineJob({ type: 'task' })

/** A log with an executor that only reaps: its claims are never answered. */
async function graveyard() {
  const log = new SharedLog()
  const clock = new ManualClock()
  const storage = hooked(sharedStorage(log), { before: (name) => (name === 'claim' ? never : undefined) })
  const { queue } = await testQueue({ storage, clock })
  await queue.createExecutor({ handlers: [task.handler(() => null)] }).start()
  /** A process that takes what it can get, and dies while it runs it. */
  const dies = async () => {
    let dead = false
    const dying = hooked(sharedStorage(log), { silent: true, before: () => (dead ? never : undefined) })
    const victim = await openQueue({ storage: dying, environment: clock })
    const took: string[] = []
    const handler = task.handler((_, { job }) => {
      took.push(job.id)
      return new Gate().promise
    })
    await victim.createExecutor({ handlers: [handler] }).start()
    await clock.settle()
    dead = true
    return took
  }
  return { log, queue, clock, dies }
}

describe('jobs whose worker dies', () => {
  test('are told of as what became of them: interrupted, failed or cancelled', async () => {
    const { queue, clock, dies } = await graveyard()
    const told: unknown[] = []
    for (const name of ['interrupted', 'failed', 'cancelled'] as const)
      queue.on(name, ({ job: { id, status }, ...more }) => told.push([name, id, status, more]))
    await queue.enqueue(task, null, { id: 'again' })
    await dies()
    await queue.enqueue(task, null, { id: 'never', maxInterruptions: 0, priority: 'high' })
    await dies()
    await queue.enqueue(task, null, { id: 'unwanted', priority: 'critical' })
    await dies()
    await queue.cancel('unwanted', 'user left')
    await clock.advance('50s')
    const error = expect.objectContaining({ code: 'HOLDFAST_WORKER_DIED' }) as unknown
    expect(told).toEqual([
      ['interrupted', 'again', 'pending', {}],
      ['failed', 'never', 'failed', { error }],
      ['cancelled', 'unwanted', 'cancelled', { reason: 'user left' }],
    ])
  })

  test('the first interruption runs a job again at once, the second after its backoff', async () => {
    const { queue, clock, dies } = await graveyard()
    await queue.enqueue(task, null, { id: 'a' })
    await dies()
    await clock.advance('1m')
    expect(await queue.get('a')).toMatchObject({ status: 'pending', interruptions: 1, failures: 0 })
    await dies()
    const interrupted: number[] = []
    queue.on('interrupted', () => interrupted.push(clock.now()))
    await clock.advance('50s')
    expect(await queue.get('a')).toMatchObject({ interruptions: 2, runAt: (interrupted[0] ?? 0) + 5000 })
  })

  test('a job that kills its worker four times is failed with `worker died`', async () => {
    const { queue, clock, dies } = await graveyard()
    await queue.enqueue(task, null, { id: 'a' })
    const taken: string[][] = []
    for (let death = 0; death < 4; death++) {
      taken.push(await dies())
      await clock.advance('5m')
    }
    expect(taken).toEqual([['a'], ['a'], ['a'], ['a']])
    expect(await queue.get('a')).toMatchObject({
      status: 'failed',
      attempts: 4,
      failures: 0,
      interruptions: 4,
      error: { code: 'HOLDFAST_WORKER_DIED', message: 'worker died' },
    })
    expect(await dies()).toEqual([])
  })

  test('`maxInterruptions` of the queue says how often that may happen', async () => {
    const { queue, clock, dies } = await graveyard()
    await queue.enqueue(task, null, { id: 'a', maxInterruptions: 0 })
    await dies()
    await clock.advance('1m')
    expect(await queue.get('a')).toMatchObject({ status: 'failed', interruptions: 1 })
  })

  test('after two interruptions a job runs alone', async () => {
    const { queue, clock, dies, log } = await graveyard()
    await queue.enqueue(task, null, { id: 'suspect' })
    for (let death = 0; death < 2; death++) {
      await dies()
      await clock.advance('1m')
    }
    const stage = new Stage()
    const living = await testQueue({ storage: sharedStorage(log), clock })
    await living.queue.enqueueMany(['b', 'c', 'd'].map((id) => ({ job: task, options: { id } })))
    await living.queue.createExecutor({ handlers: [task.handler(stage.run)] }).start()
    await clock.settle()
    const others = stage.running
    expect(others).not.toContain('suspect')
    await living.queue.enqueue(task, null, { id: 'e' })
    await clock.settle()
    expect(stage.running).toEqual(others)
    for (const id of others) stage.end(id)
    await clock.settle()
    expect(stage.running).toEqual(['suspect'])
    stage.end('suspect')
    await clock.settle()
    expect(stage.running).toEqual(['e'])
    expect((await queue.get('suspect'))?.status).toBe('completed')
  })

  test('the attempt that was taken away hears of it and its outcome counts for nothing', async () => {
    const { queue, clock, log } = await graveyard()
    const stage = new Stage()
    let silent = true
    const storage = hooked(sharedStorage(log), {
      before: (name) => {
        if (name === 'beat' && silent) throw new Error('away')
      },
    })
    const frozen = await testQueue({ storage, clock })
    frozen.queue.on('error', () => undefined)
    const lost: string[] = []
    frozen.queue.on('lost', ({ job }) => lost.push(job.id))
    // The others take it back and nobody else can have it: the job waits.
    const executor = frozen.queue.createExecutor({ handlers: [task.handler(stage.run)], concurrency: 1 })
    await executor.start()
    await queue.enqueue(task, null, { id: 'a', leaseDuration: '30s' })
    await clock.advance('59s')
    silent = false
    const first = stage.contexts.get('a')
    expect(stage.started).toEqual(['a'])
    expect(first?.signal.aborted).toBe(true)
    expect(lost).toEqual(['a'])
    stage.end('a', 'too late')
    await clock.settle()
    expect(await queue.get('a')).toMatchObject({ result: null, interruptions: 1 })
  })
})
