// What a queue in files is for: jobs that outlive their process, seen with real processes on the built package. The
// system that holdfast is modelled on documents these five, and breaks each of them.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test as base } from 'vitest'
import { readSegment } from '../../torture/journal-lines.mjs'
import type { EnqueueOptions, Job, PauseScope } from '../../src/index.ts'
import { segmentPath, segmentsIn } from '../../torture/segments.mjs'
import { type JobEvent, JobsProcess, type JobsProcessOptions, type Payload, root } from './node-fs/jobs-process.ts'

/** How far ahead a moment lies at first, ms: a second process has to be ready by then. */
const AHEAD = 2000
/** Nothing here is judged by how long it takes: this is for what never comes. ms */
const TIMEOUT = 180_000

/** Nothing of it is lost or changed on the way through JSON, a journal and another process. */
const DATA = {
  text: 'Grüße, 世界 👋 \u2028 "quoted" \\ back\nline\r\t\u0000\u007f',
  numbers: [0, -1.5, 1e21, 5e-324, Number.MAX_SAFE_INTEGER],
  nested: { empty: {}, list: [[], [null, true, false]], __key: 'plain', 'a key\nwith a break': '\n00000000 {}' },
  long: 'x\n'.repeat(50_000),
}

const returns = (data: unknown = DATA): Payload => ({ does: 'return', data })

/** The folder of one test, and its processes there. Most tests wait for moments, so several go at the same time. */
class Place {
  readonly home: string = mkdtempSync(join(tmpdir(), 'holdfast-processes-'))
  /** Where the jobs are: there, unless a test says otherwise. */
  directory: string = this.home
  readonly #processes: JobsProcess[] = []

  async open(options: Partial<JobsProcessOptions> = {}): Promise<JobsProcess> {
    const opened = await JobsProcess.open({ directory: this.directory, ...options })
    this.#processes.push(opened)
    return opened
  }

  async clear(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.kill()))
    rmSync(this.home, { recursive: true, force: true })
  }
}

const test = base.extend<{ place: Place }>({
  // Vitest reads from the pattern which others it takes.
  // eslint-disable-next-line no-empty-pattern -- it takes none
  place: async ({}, use) => {
    const place = new Place()
    await use(place)
    await place.clear()
  },
})

type Ending = (place: Place, process: JobsProcess) => Promise<JobsProcess>

/** Each answers the process that goes on. */
const endings: [string, Ending][] = [
  [
    'a close and reopen',
    async (_, process) => {
      await process.close()
      await process.reopen()
      return process
    },
  ],
  [
    'a kill -9',
    async (place, process) => {
      await process.kill()
      return place.open()
    },
  ],
]

/**
 * Sees a job before its time in the process that goes on, and what it is then. Where the machine was so busy that its time
 * had come before that process was ready, once more with a later one.
 */
async function beforeItsTime(
  place: Place,
  end: Ending,
  begin: (process: JobsProcess, ahead: number) => Promise<Job>,
): Promise<{ after: JobsProcess; found: Job<Payload> | null; runAt: number }> {
  for (let ahead = AHEAD; ; ahead *= 2) {
    const before = await place.open()
    const { id, runAt } = await begin(before, ahead)
    const after = await end(place, before)
    const found = await after.get(id)
    if (Date.now() < runAt) return { after, found, runAt }
    await after.kill()
  }
}

describe.concurrent.each(endings)('across %s', (_, end) => {
  test(
    'a failed job is retried at its time',
    async ({ place }) => {
      const { after, found, runAt } = await beforeItsTime(place, end, async (before, ahead) => {
        const backoff = { kind: 'fixed', delay: ahead, jitter: 0 } as const
        const { id } = await before.enqueue({ does: 'throw once', data: DATA }, { backoff })
        await before.work()
        const { job } = await before.told('retrying', id)
        before.events.length = 0
        return job
      })
      expect(found).toMatchObject({ status: 'scheduled', failures: 1, runAt })
      const id = found?.id ?? ''
      await after.work()
      const started = await after.told('started', id)
      expect(started.at).toBeGreaterThanOrEqual(runAt)
      expect(started.job).toMatchObject({ attempts: 2, payload: { does: 'throw once', data: DATA } })
      await after.told('completed', id)
    },
    TIMEOUT,
  )

  test(
    'priority order holds',
    async ({ place }) => {
      const before = await place.open()
      const priorities = ['normal', 'low', 'critical', 'high', -7, 'normal', 99, 'critical'] as const
      for (const [at, priority] of priorities.entries()) await before.enqueue(returns({ at, priority }), { priority })

      const after = await end(place, before)
      await after.work()
      await after.idle()
      const order = after.events.filter(({ event }) => event === 'started').map(({ job }) => job.payload.data)
      const inOrder = [6, 2, 7, 3, 0, 5, 1, 4].map((at) => ({ at, priority: priorities[at] }))
      expect(order).toEqual(inOrder)
    },
    TIMEOUT,
  )

  test.for<[what: string, options: (ahead: number) => EnqueueOptions]>([
    ['a delay', (ahead) => ({ delay: ahead })],
    ['a moment', (ahead) => ({ runAt: new Date(Date.now() + ahead) })],
  ])('a job with %s starts at its time', { timeout: TIMEOUT }, async ([, options], { place }) => {
    const { after, found, runAt } = await beforeItsTime(place, end, async (before, ahead) => {
      await before.work()
      return before.enqueue(returns(), options(ahead))
    })
    expect(found).toMatchObject({ status: 'scheduled', runAt })
    await after.work()
    const started = await after.told('started', found?.id ?? '')
    expect(started.at).toBeGreaterThanOrEqual(runAt)
    expect(started.job.payload).toEqual(returns())
  })

  test(
    'the payload comes back equal',
    async ({ place }) => {
      const before = await place.open()
      const { id } = await before.enqueue(returns())

      const after = await end(place, before)
      expect((await after.get(id))?.payload).toEqual(returns())
      await after.work()
      expect((await after.told('started', id)).job.payload).toEqual(returns())
      expect((await after.told('completed', id)).job.payload).toEqual(returns())
      expect((await after.get(id))?.status).toBe('completed')
    },
    TIMEOUT,
  )
})

test.for(['disk', 'process'] as const)(
  'what was acknowledged with durability `%s` is there after a kill -9 in the midst of calls',
  { timeout: TIMEOUT },
  async (durability, { place }) => {
    // A log that is rolled meanwhile too.
    const dying = await place.open({ durability, rollAt: 50_000 })
    await dying.work(4)
    const acknowledged: string[] = []
    await new Promise<void>((resolve) => {
      const enqueueOn = async (): Promise<void> => {
        for (;;) {
          const { id } = await dying.enqueue({ does: 'return', data: 'x'.repeat(500) })
          if (acknowledged.push(id) === 500) resolve()
        }
      }
      for (let caller = 0; caller < 10; caller++) void enqueueOn()
    })
    const isCompletion = ({ event }: JobEvent): boolean => event === 'completed'
    while (!dying.events.some(isCompletion)) await sleep(5)
    await dying.kill()
    const completed = dying.events.filter(isCompletion)
    expect(segmentsIn(place.directory).at(-1)).toBeGreaterThan(1)

    const after = await place.open({ durability })
    for (const id of acknowledged) expect((await after.get(id))?.id).toBe(id)
    for (const { job } of completed) expect((await after.get(job.id))?.status).toBe('completed')
    await after.work(4)
    await after.idle()
    for (const id of acknowledged) expect((await after.get(id))?.status).toBe('completed')
  },
)

// The lease of these jobs is an hour, so what runs elsewhere does by proof: how soon is measured by `npm run bench -- node-fs-restart`.
describe.concurrent('a job whose process died runs elsewhere by proof', () => {
  const hangs: Payload = { does: 'hang', data: DATA }

  /** A process that runs the job, for as long as it lives. */
  async function holder(place: Place, id: string, options: Partial<JobsProcessOptions> = {}): Promise<JobsProcess> {
    const process = await place.open(options)
    await process.work()
    await process.told('started', id)
    return process
  }

  function interruptedOnce({ job }: JobEvent): void {
    expect(job).toMatchObject({ attempts: 2, interruptions: 1, payload: hangs })
  }

  test.for<[where: string, inside: string, options: Partial<JobsProcessOptions>]>([
    ['', '', {}],
    [', in a folder whose path is too long for a socket', 'x'.repeat(120), {}],
    [', both workers of node:cluster', '', { clustered: true }],
  ])(
    'after a kill -9, where another process is at work%s',
    { timeout: TIMEOUT },
    async ([, inside, options], { place }) => {
      place.directory = join(place.home, inside)
      const other = await place.open(options)
      const { id } = await other.enqueue(hangs)
      const dying = await holder(place, id, options)
      await other.work()
      await dying.kill()
      interruptedOnce(await other.told('started', id))
    },
  )

  test(
    'after the reopening, where all others had closed',
    async ({ place }) => {
      const other = await place.open()
      const { id } = await other.enqueue(hangs)
      const dying = await holder(place, id)
      await other.close()
      await dying.kill()
      await other.reopen()
      await other.work()
      interruptedOnce(await other.told('started', id))
    },
    TIMEOUT,
  )

  test(
    'at once, where the death was proven before the executor started',
    async ({ place }) => {
      const other = await place.open()
      const { id } = await other.enqueue(hangs)
      const dying = await holder(place, id)
      await dying.kill()
      const isProven = async (): Promise<boolean> => (await other.sessions()).some(({ ended }) => ended)
      while (!(await isProven())) await sleep(50)
      await other.work()
      interruptedOnce(await other.told('started', id))
    },
    TIMEOUT,
  )

  test(
    'at once, and counted as nothing, where its process closed in good order',
    async ({ place }) => {
      const other = await place.open()
      const { id } = await other.enqueue(hangs)
      const leaving = await holder(place, id)
      await other.work()
      await leaving.close({ grace: 0 })
      const started = await other.told('started', id)
      expect(started.job).toMatchObject({ attempts: 1, interruptions: 0, payload: hangs })
    },
    TIMEOUT,
  )

  test(
    'and not while it lives',
    async ({ place }) => {
      const other = await place.open()
      const { id } = await other.enqueue(hangs)
      await holder(place, id)
      await other.work()
      // Longer than a proof takes.
      await sleep(2500)
      expect(other.events.filter(({ event }) => event === 'started')).toEqual([])
    },
    TIMEOUT,
  )
})

test.concurrent.for<[what: string, scope: PauseScope, options: EnqueueOptions]>([
  ['a type', { type: 'work' }, {}],
  ['a serial queue', { queueName: 'queue' }, { queueName: 'queue' }],
  ['everything', { all: true }, {}],
])(
  'a pause of %s that a process made before its kill -9 holds in those that are there and those that come, until it is ended',
  { timeout: TIMEOUT },
  async ([, scope, options], { place }) => {
    const [pausing, left] = [await place.open(), await place.open()]
    await Promise.all([pausing.work(), left.work()])
    expect(await pausing.pause(scope)).toBe(true)
    await pausing.kill()
    const { id } = await left.enqueue(returns(), options)
    const right = await place.open()
    await right.work()
    expect([await left.pauses(), await right.pauses()]).toEqual([[scope], [scope]])

    // They are at work, and look around for longer than an executor that has nothing to do sleeps.
    const free = 'all' in scope ? [] : await Promise.all([left.enqueueOther(returns()), right.enqueueOther(returns())])
    for (const other of free) await Promise.any([left.told('completed', other.id), right.told('completed', other.id)])
    await sleep(1500)
    expect(await right.get(id)).toMatchObject({ status: 'pending', attempts: 0, fence: 0 })

    expect(await right.resume(scope)).toBe(true)
    await Promise.any([left.told('completed', id), right.told('completed', id)])
    expect(await left.get(id)).toMatchObject({ status: 'completed', attempts: 1 })
  },
)

describe('old and new code on one directory', () => {
  /** What a later version might add: a field of every new job, one of every claim, and one of every record. */
  const ADDED: [from: string, to: string][] = [
    [
      'payload: copyPlain(job.payload),\n    maxRetries',
      "payload: copyPlain(job.payload),\n    tenant: { name: 'acme' },\n    maxRetries",
    ],
    ['claimId: claim.claimId,', "claimId: claim.claimId,\n    region: 'north',"],
    ['{ id: recordId, format: LOG_FORMAT, units }', "{ id: recordId, format: LOG_FORMAT, origin: 'newer', units }"],
  ]

  let newer: string
  beforeEach(() => {
    mkdirSync(join(root, '.holdfast'), { recursive: true })
    // Inside the repository, so that what dist imports is found.
    newer = mkdtempSync(join(root, '.holdfast', 'newer-'))
    cpSync(join(root, 'dist'), join(newer, 'dist'), { recursive: true })
    writeFileSync(join(newer, 'package.json'), '{ "type": "module" }')
    patch(join(newer, 'dist'))
  })
  afterEach(() => {
    rmSync(newer, { recursive: true, force: true })
  })

  /** A patch that does not fit would make new code that is the old one. */
  function patch(dist: string): void {
    const files = readdirSync(dist).filter((name) => name.endsWith('.js'))
    for (const [from, to] of ADDED) {
      const places = files.filter((name) => readFileSync(join(dist, name), 'utf8').includes(from))
      expect(places, from).toHaveLength(1)
      const file = join(dist, places[0] ?? '')
      writeFileSync(file, readFileSync(file, 'utf8').replace(from, to))
    }
  }

  const numbered = (from: number, count: number): Payload[] =>
    Array.from({ length: count }, (__, at) => returns({ number: from + at }))

  test(
    'both work at once, each runs the other’s jobs, and neither loses what it does not know',
    async ({ place }) => {
      const [old, next] = await Promise.all([
        place.open({ rollAt: 20_000 }),
        place.open({ packageRoot: newer, rollAt: 20_000 }),
      ])
      await Promise.all([old.work(2), next.work(2)])
      const ofOld: string[] = []
      const ofNext: string[] = []
      const ranBy = (process: JobsProcess, ids: readonly string[]): number =>
        process.events.filter(({ event, job }) => event === 'completed' && ids.includes(job.id)).length
      const bothRanBoth = (): boolean => ranBy(old, ofNext) > 0 && ranBy(next, ofOld) > 0
      for (let batch = 0; batch < 10 || !bothRanBoth(); batch++) {
        const [left, right] = await Promise.all([
          old.enqueueMany(numbered(batch * 10, 10)),
          next.enqueueMany(numbered(1000 + batch * 10, 10)),
        ])
        ofOld.push(...left)
        ofNext.push(...right)
      }
      await Promise.all([old.idle(), next.idle()])
      const all = [...ofOld, ...ofNext].sort()
      expect(await old.counts()).toMatchObject({ completed: all.length, pending: 0, running: 0, failed: 0 })
      expect(await next.counts()).toEqual(await old.counts())

      const completions = (): string[] =>
        [...old.events, ...next.events].flatMap(({ event, job }) => (event === 'completed' ? job.id : []))
      // The table shows an outcome before it is on the disk, and so acknowledged.
      while (completions().length < all.length) await sleep(5)
      expect(completions().sort()).toEqual(all)
    },
    TIMEOUT,
  )

  test(
    'a snapshot that old code makes keeps the fields of new code',
    async ({ place }) => {
      const next = await place.open({ packageRoot: newer })
      const [kept] = await next.enqueueMany([returns({ kept: true })])
      await next.close()
      const [before] = segmentsIn(place.directory).slice(-1)

      const old = await place.open({ rollAt: 20_000 })
      await old.work(2)
      await old.enqueueMany(numbered(0, 100))
      await old.idle()
      await old.close()
      const newest = segmentsIn(place.directory).at(-1) ?? 0
      expect(newest).toBeGreaterThan(before ?? 0)
      const { rows } = readSegment(readFileSync(segmentPath(place.directory, newest)))
      const row = rows.find(([table, key]) => table === 'jobs' && key === kept)?.[2]
      expect(row).toMatchObject({ tenant: { name: 'acme' }, payload: returns({ kept: true }) })
    },
    TIMEOUT,
  )
})
