// The pool of threads, with threads that the test plays: who is replaced and when, and what a thread that lies achieves.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test, vi } from 'vitest'
import type { Attempt } from '../../src/core/attempt.ts'
import type { AttemptEnds, RunnerHost } from '../../src/core/runner.ts'
import { defineJob, RetryLater } from '../../src/index.ts'
import { calling } from '../../src/runtimes/threads/calls.ts'
import { openPool } from '../../src/runtimes/threads/options.ts'
import { Pool } from '../../src/runtimes/threads/pool.ts'
import type { Port, PortEvents } from '../../src/runtimes/threads/port.ts'
import { MARK, thrownData } from '../../src/runtimes/threads/protocol.ts'
import { ManualClock } from '../../src/testing/index.ts'
import { codeOf, notedErrors } from '../core/doubles.ts'

const task = defineJob({ type: 'task' })

interface Request {
  readonly kind: string
  readonly message: { readonly id: string }
  readonly runs?: readonly unknown[]
}

/** A thread that does what the test says, and agrees to whatever it is asked by a call. */
class Played implements Port {
  readonly #events: PortEvents
  ended = false
  /** Whether it answers calls, and ends when it is told to. */
  heeds = true
  /** What it answers calls with, if that is an error. */
  refuses: Error | null = null
  /** How many runs it was given by each message. */
  readonly given: number[] = []
  /** As threads of Node do that nobody has told anything. */
  keepsProcess = true

  constructor(events: PortEvents) {
    this.#events = events
  }

  post(data: unknown): void {
    const { kind, message, runs } = (data as { readonly [MARK]: Request })[MARK]
    if (kind === 'run') this.given.push(runs?.length ?? 0)
    if (kind === 'request' && this.heeds)
      this.say({
        kind: 'answer',
        message: {
          id: message.id,
          type: 'RAW',
          value: this.refuses === null ? { value: undefined } : { error: thrownData(this.refuses) },
        },
      })
  }

  /** As it comes over a port: a copy. */
  say(message: unknown): void {
    this.#events.message(structuredClone({ [MARK]: message }))
  }

  die(): void {
    this.ended = true
    this.#events.died(new Error('It was killed'))
  }

  keep(alive: boolean): void {
    this.keepsProcess = alive
  }

  terminate(): Promise<void> {
    this.ended = true
    return this.heeds ? Promise.resolve() : new Promise(() => undefined)
  }
}

function attempt(id: string): Attempt {
  return { record: { id }, deadline: 0 } as unknown as Attempt
}

/** What pools are opened with: threads that the test plays, and a host that notes what it is told. */
function stage({ concurrency = 4 } = {}) {
  const clock = new ManualClock()
  const timers: { delay: number; background: boolean }[] = []
  const threads: Played[] = []
  const told: [string, Attempt, unknown][] = []
  const tell = (what: keyof AttemptEnds) => (ended: Attempt, value: unknown) => void told.push([what, ended, value])
  const onRoom = vi.fn<() => void>()
  const { service, errors, log } = notedErrors()
  const host = {
    queue: {},
    environment: {
      monotonic: clock.monotonic,
      startTimer: (run: () => void, delay: number, background: boolean) => {
        timers.push({ delay, background })
        return clock.startTimer(run, delay)
      },
    },
    definitions: new Map([['task', task]]),
    concurrency,
    ends: { returned: tell('returned'), threw: tell('threw'), gone: tell('gone') },
    onRoom,
    errors: service,
  } as unknown as RunnerHost
  const connect = (events: PortEvents): Port => {
    const thread = new Played(events)
    threads.push(thread)
    return thread
  }
  return { host, connect, clock, timers, threads, told, onRoom, errors, log }
}

function pool({ size = 1, jobsPerWorker = 1 } = {}) {
  const { host, connect, ...at } = stage()
  const opened = new Pool({ host, connect, size, jobsPerWorker, readyWithin: 60_000 })
  const exposes = async (index: number): Promise<void> => {
    at.threads[index]?.say({ kind: 'exposed', handlers: [{ type: 'task', version: 1 }] })
    await at.clock.settle()
  }
  return { pool: opened, exposes, ...at }
}

test.each([
  { processors: 8, concurrency: 5, jobsPerWorker: 2, threads: 3 },
  { processors: 2, concurrency: 5, jobsPerWorker: 2, threads: 2 },
  { processors: 2, size: 4, concurrency: 9, jobsPerWorker: 1, threads: 4 },
  { processors: 2, size: 4, concurrency: 3, jobsPerWorker: 1, threads: 3 },
])('there are as many threads as processors or asked for, and no more than are of use: %j', (given) => {
  const { processors, size, concurrency, jobsPerWorker } = given
  const { host, connect, threads } = stage({ concurrency })
  openPool({ spawn: () => null, size, jobsPerWorker, readyWithin: 60_000 }, { connect, processors }, host)
  expect(threads).toHaveLength(given.threads)
})

test('jobs that are started in one turn travel in one message', async () => {
  const at = pool({ jobsPerWorker: 3 })
  await at.exposes(0)
  for (const id of ['a', 'b', 'c']) at.pool.run(attempt(id))
  await at.clock.settle()
  expect(at.threads[0]?.given).toEqual([3])
})

test('a thread that is given up by a close is not replaced', async () => {
  const at = pool({ size: 2 })
  await at.exposes(0)
  await at.pool.ready
  const closed = at.pool.close()
  await at.clock.advance('1m')
  await closed
  expect(at.threads.map(({ ended }) => ended)).toEqual([true, true])
})

test('nor is one that died before the close, whose pause is not over', async () => {
  const at = pool()
  await at.exposes(0)
  at.threads[0]?.die()
  await at.pool.close()
  await at.clock.advance('1m')
  expect(at.threads).toHaveLength(1)
})

test('a thread that dies while others are still being started is replaced', async () => {
  const at = pool({ size: 2 })
  await at.exposes(0)
  at.threads[0]?.die()
  await at.clock.advance('1s')
  await at.exposes(1)
  await at.exposes(2)
  expect(at.pool.places).toBe(2)
})

test('so is one that dies before the pool has heard that it was ready', async () => {
  const at = pool()
  at.onRoom.mockImplementationOnce(() => at.threads[0]?.die())
  await at.exposes(0)
  await at.pool.ready
  await at.exposes(1)
  expect(at.pool.places).toBe(1)
})

test('a setup that does not end is not waited for longer than readyWithin', async () => {
  const at = pool()
  const [thread] = at.threads as [Played]
  thread.heeds = false
  await at.exposes(0)
  await at.clock.advance(59_999)
  expect(thread.ended).toBe(false)
  const ready = at.pool.ready.catch(codeOf)
  await at.clock.advance('20s')
  expect([await ready, thread.ended]).toEqual(['HOLDFAST_WORKER_NOT_READY', true])
})

test('a state that is not disposed of, and a thread that does not end, hold up a close for 5 s each', async () => {
  const at = pool()
  await at.exposes(0)
  const [thread] = at.threads as [Played]
  thread.heeds = false
  let closed = false
  void at.pool.close().then(() => (closed = true))
  await at.clock.advance(4999)
  expect(thread.ended).toBe(false)
  await at.clock.advance(1)
  expect([thread.ended, closed]).toEqual([true, false])
  await at.clock.advance(5000)
  expect(closed).toBe(true)
})

test('threads that die for no job are replaced after 100 ms, 200 ms and so on, up to 10 s', async () => {
  const at = pool()
  await at.exposes(0)
  for (const pause of [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]) {
    const before = at.threads.length
    at.threads.at(-1)?.die()
    expect(at.timers.at(-1)?.delay).toBe(pause)
    await at.clock.advance(pause - 1)
    expect(at.threads).toHaveLength(before)
    await at.clock.advance(1)
    expect(at.threads).toHaveLength(before + 1)
    await at.exposes(before)
  }
})

test('so are those that die while they start, before they expose anything; one that is of use ends the series', async () => {
  const at = pool()
  await at.exposes(0)
  const diesWithin = async (pause: number): Promise<void> => {
    const before = at.threads.length
    at.threads.at(-1)?.die()
    await at.clock.advance(pause - 1)
    expect(at.threads).toHaveLength(before)
    await at.clock.advance(1)
    expect(at.threads).toHaveLength(before + 1)
  }
  for (const pause of [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]) await diesWithin(pause)
  await at.exposes(at.threads.length - 1)
  at.pool.run(attempt('a'))
  at.threads.at(-1)?.die()
  await diesWithin(100)
})

test('of workers that die without having run a job the logger is told once, and once more when one has run one', async () => {
  const at = pool()
  await at.exposes(0)
  for (let died = 0; died < 5; died++) {
    at.threads.at(-1)?.die()
    await at.clock.advance('10s')
    await at.exposes(at.threads.length - 1)
  }
  expect([at.errors.length, at.log.map(codeOf)]).toEqual([5, ['HOLDFAST_WORKER_DIED']])
  at.pool.run(attempt('a'))
  at.threads.at(-1)?.say({ kind: 'news', news: [{ run: 1, kind: 'returned', value: null }] })
  expect(at.log.slice(1)).toEqual([5])
})

test('each state that cannot be disposed of is told the logger: nobody tries that again', async () => {
  const at = pool({ size: 2 })
  await at.exposes(0)
  await at.exposes(1)
  for (const thread of at.threads) thread.refuses = new Error('It is busy')
  await at.pool.close()
  expect(at.log).toHaveLength(2)
})

test('the pause keeps the process alive: there may be jobs that wait for the thread', async () => {
  const at = pool()
  await at.exposes(0)
  at.threads[0]?.die()
  expect(at.timers.at(-1)).toEqual({ delay: 100, background: false })
})

test('a thread that dies under a job is replaced at once', async () => {
  const at = pool()
  await at.exposes(0)
  at.pool.run(attempt('a'))
  at.threads[0]?.die()
  expect(at.threads).toHaveLength(2)
})

/** A pool whose threads each run one job and, in native code, do not end when they are told to. */
async function deaf(size: number) {
  const at = pool({ size })
  for (let index = 0; index < size; index++) await at.exposes(index)
  const threads = [...at.threads]
  const runs = threads.map((thread, index) => {
    thread.heeds = false
    return attempt(`job ${index}`)
  })
  for (const run of runs) at.pool.run(run)
  return { ...at, killed: threads, runs }
}

test('a thread that is killed for a job is replaced at the kill; its job is gone when it has ended', async () => {
  const { pool: opened, threads, told, exposes, killed, runs } = await deaf(1)
  const [thread, run] = [killed[0] as Played, runs[0] as Attempt]
  opened.kill(run)
  expect([thread.ended, threads.length]).toEqual([true, 2])
  await exposes(1)
  expect([opened.places, told]).toEqual([1, []])
  thread.die()
  expect([told, threads.length]).toEqual([[['gone', run, null]], 2])
})

test('of threads that are killed together one is replaced before its end: there is never more than one above size', async () => {
  const { pool: opened, threads, clock, killed, runs } = await deaf(3)
  for (const run of runs) opened.kill(run)
  for (const [ended, thread] of killed.entries()) {
    expect(threads.length - ended).toBe(4)
    thread.die()
  }
  await clock.advance('1m')
  expect(threads.length - killed.length).toBe(3)
})

test('a thread that is killed while another waits for the end of its pause is replaced, and so is that one', async () => {
  const at = pool({ size: 2 })
  await at.exposes(0)
  await at.exposes(1)
  const run = attempt('a')
  at.pool.run(run)
  at.threads[1]?.die()
  at.pool.kill(run)
  await at.clock.settle()
  expect(at.threads).toHaveLength(3)
  await at.clock.advance(100)
  expect(at.threads).toHaveLength(4)
})

test('a thread keeps the process alive while it starts and while it runs a job', async () => {
  const at = pool({ jobsPerWorker: 2 })
  const [thread] = at.threads as [Played]
  expect(thread.keepsProcess).toBe(true)
  await at.exposes(0)
  expect(thread.keepsProcess).toBe(false)
  for (const id of ['a', 'b']) at.pool.run(attempt(id))
  const left = [1, 2].map((run) => {
    expect(thread.keepsProcess).toBe(true)
    thread.say({ kind: 'news', news: [{ run, kind: 'returned', value: null, chained: [] }] })
    return thread.keepsProcess
  })
  expect(left).toEqual([true, false])
})

test('no thread gets more than jobsPerWorker: what was claimed for one that has died is given back', async () => {
  const at = pool({ size: 2, jobsPerWorker: 2 })
  await at.exposes(0)
  await at.exposes(1)
  expect(at.pool.places).toBe(4)
  at.threads[0]?.die()
  const attempts = ['a', 'b', 'c'].map(attempt)
  for (const each of attempts) at.pool.run(each)
  expect(at.told).toEqual([['gone', attempts[2], null]])
  await at.clock.settle()
  expect(at.pool.places).toBe(0)
})

test('nothing is called any more on the other side when the line to it is cut', () => {
  const sent: unknown[] = []
  const calls = calling((message) => sent.push(message))
  void calls.call('one')
  calls.cut()
  void calls.call('two')
  expect(sent).toHaveLength(1)
})

/** Lets its only thread die under a job; answers what tells whether anything of it is kept. */
function lost({ threads, pool: opened }: ReturnType<typeof pool>): WeakRef<Played> {
  const [thread] = threads.splice(0)
  opened.run(attempt('a'))
  thread?.die()
  return new WeakRef(thread as Played)
}

test('of a thread that is over nothing is kept', async () => {
  const at = pool()
  await at.exposes(0)
  const thread = lost(at)
  // Errors hold on to what was under way where they were made.
  at.told.length = 0
  at.errors.length = 0
  await at.clock.settle()
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const kept = (): unknown => {
    collect()
    return thread.deref()
  }
  await expect.poll(kept).toBe(undefined)
})

const endless: { name: string; cause?: unknown } = { name: 'Error' }
endless.cause = endless

test.each([
  ['a cause that is its own', endless],
  ['a span that is none', { ours: 'RetryLater', after: Infinity }],
  ['a text that is none', { name: { toString: 1 }, message: { toString: 1 }, cause: { toString: 1 } }],
  ['nothing', null],
])('an error with %s ends its run as thrown, and no more', async (_, error) => {
  const at = pool()
  await at.exposes(0)
  const run = attempt('a')
  at.pool.run(run)
  at.threads[0]?.say({ kind: 'news', news: [{ run: 1, kind: 'threw', error }] })
  expect(at.told).toMatchObject([['threw', { record: { id: 'a' } }, expect.any(Error)]])
  expect(RetryLater.is(at.told[0]?.[2])).toBe(false)
  at.threads[0]?.say({ kind: 'broken', error })
  expect(at.errors.map(codeOf)).toEqual(['HOLDFAST_WORKER_DIED'])
})

const handler = { type: 'task', version: 1 }

test.each([[[{ toString: 1 }, null]], [7], [handler], [[{ ...handler, version: '1' }]], [[{ type: 'task' }]]])(
  'handlers that are none are not those of a job: %j',
  async (handlers) => {
    const at = pool()
    at.threads[0]?.say({ kind: 'exposed', handlers })
    expect(await at.pool.ready.catch(codeOf)).toBe('HOLDFAST_WORKER_NOT_READY')
  },
)
