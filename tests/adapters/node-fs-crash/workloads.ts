import type { NewJob } from '../../../src/core/storage/contract.ts'
import { newJob } from '../../../src/testing/index.ts'
import { NOW } from '../../core/kit-targets.ts'
import { type Client, completion } from './client.ts'
import type { Stage } from './stage.ts'

/** What processes do while the disk fails at one of their calls. */
export interface Workload {
  readonly name: string
  /** A log longer than this goes on in a new segment. Bytes. */
  readonly rollAt: number
  /** How many processes have the directory open when the calls begin to count. */
  readonly processes: number
  /** The disk fails in it, whatever a sweep adds. */
  readonly faulty?: boolean
  /** What happened long before. */
  readonly before?: (stage: Stage) => Promise<unknown>
  readonly run: (stage: Stage) => Promise<unknown>
}

const NEVER = 2 ** 22
/** A handful of records. */
const TINY = 1500
const ERROR = { name: 'Error', message: 'no' }

export const workloads: readonly Workload[] = [
  {
    name: 'one enqueue',
    rollAt: NEVER,
    processes: 1,
    run: (stage) => stage.client(0).enqueue(newJob({ id: 'only' })),
  },
  {
    name: 'many concurrent enqueues',
    rollAt: NEVER,
    processes: 1,
    run: async (stage) => {
      const enqueues: Promise<unknown>[] = []
      for (let at = 0; at < 12; at++) {
        enqueues.push(stage.client(0).enqueue(newJob({ id: `c${at}` })))
        // Some join a flush, some come while one is under way.
        if (at % 4 === 3) await Promise.resolve().then(() => undefined)
      }
      await Promise.all(enqueues)
    },
  },
  {
    name: 'a bulk in parts',
    rollAt: NEVER,
    processes: 1,
    run: (stage) => stage.client(0).enqueue(...jobs('bulk', 5, 'x'.repeat(220_000))),
  },
  { name: 'keyed enqueues', rollAt: NEVER, processes: 1, run: (stage) => keyed(stage.client(0)) },
  {
    name: 'claim and settle',
    rollAt: NEVER,
    processes: 1,
    before: async (stage) => stage.client(0).enqueue(...jobs('w', 6)),
    run: (stage) => everyOutcome(stage.client(0)),
  },
  {
    name: 'outcomes with chained jobs',
    rollAt: NEVER,
    processes: 1,
    before: async (stage) => stage.client(0).enqueue(...jobs('w', 3)),
    run: async (stage) => {
      const client = stage.client(0)
      await client.open('s')
      for (const job of await client.claim('s', 3)) {
        const enqueue = [1, 2].map((n) => newJob({ id: `${job.id}-then-${n}`, type: 'chained' }))
        await client.settle({ ...completion(job), enqueue })
      }
    },
  },
  {
    name: 'two writers race',
    rollAt: NEVER,
    processes: 2,
    before: async (stage) => stage.client(0).enqueue(...jobs('w', 8)),
    run: (stage) => Promise.all([busy(stage.client(0), 'a', 3), busy(stage.client(1), 'b', 3)]),
  },
  {
    name: 'amendments',
    rollAt: NEVER,
    processes: 1,
    before: async (stage) => stage.client(0).enqueue(...jobs('w', 5)),
    run: async (stage) => {
      const client = stage.client(0)
      await client.amend({ kind: 'cancel', id: 'w0', reason: 'left' }, { kind: 'remove', id: 'w1' })
      await client.amend({ kind: 'reschedule', id: 'w2', priority: 7 })
      await client.amend({ kind: 'cancel', id: 'w3', reason: 'left' })
      await client.amend({ kind: 'remove', id: 'w3' })
    },
  },
  {
    name: 'pauses',
    rollAt: TINY,
    processes: 1,
    // Of types without jobs: a survey runs all there are.
    run: async (stage) => {
      const client = stage.client(0)
      await client.pause('one', true)
      await client.pause('two', true)
      await busy(client, 'a', 2)
      await client.pause('one', false)
      await client.pause('three', true)
    },
  },
  { name: 'rolls', rollAt: TINY, processes: 1, run: (stage) => busy(stage.client(0), 'a', 6) },
  {
    name: 'two writers roll',
    rollAt: TINY,
    processes: 2,
    run: (stage) => Promise.all([busy(stage.client(0), 'a', 4), busy(stage.client(1), 'b', 4)]),
  },
  {
    name: 'reopening after a crash',
    rollAt: TINY,
    processes: 0,
    before: (stage) => beginAndDie(stage, 'append'),
    run: reopenAndRepeat,
  },
  {
    name: 'reopening after a crash in a roll',
    rollAt: TINY,
    processes: 0,
    before: (stage) => beginAndDie(stage, 'link'),
    run: reopenAndRepeat,
  },
  {
    name: 'repeats of calls whose answer was lost',
    rollAt: NEVER,
    processes: 2,
    // The record is in the cache, and who wrote it died before it was synced.
    before: (stage) => beginAndDie(stage, 'sync'),
    run: async (stage) => {
      await stage.client(0).enqueue(...jobs('late', 3))
      await stage.client(1).enqueue(...jobs('late', 3))
    },
  },
  {
    name: 'a sync fails',
    faulty: true,
    rollAt: NEVER,
    processes: 2,
    run: async (stage) => {
      const [one, other] = [stage.client(0), stage.client(1)]
      let failures = 1
      one.process.fault = ({ name }) => (name === 'sync' && failures-- > 0 ? 'EIO' : null)
      await one.enqueue(newJob({ id: 'dropped' }))
      await Promise.all([insist(one, newJob({ id: 'dropped' })), other.enqueue(newJob({ id: 'other' }))])
    },
  },
  {
    name: 'a sync fails and nobody else is there',
    faulty: true,
    rollAt: NEVER,
    processes: 1,
    run: async (stage) => {
      const client = stage.client(0)
      let failures = 1
      client.process.fault = ({ name }) => (name === 'sync' && failures-- > 0 ? 'EIO' : null)
      await insist(client, newJob({ id: 'dropped' }))
    },
  },
  {
    name: 'the disk is full for a while',
    faulty: true,
    rollAt: TINY,
    processes: 1,
    run: async (stage) => {
      const client = stage.client(0)
      await client.enqueue(newJob({ id: 'before' }))
      let appends = 0
      client.process.fault = ({ name }) => {
        if (name !== 'append') return null
        appends += 1
        return appends === 1 ? 'short write' : appends < 4 ? 'ENOSPC' : null
      }
      for (let at = 0; at < 3; at++) await client.enqueue(newJob({ id: `full${at}` }))
      for (let at = 0; at < 3; at++) await insist(client, newJob({ id: `full${at}` }))
    },
  },
]

/** Enqueues, claims and completes, as one process among others does. */
export async function busy(client: Client, name: string, rounds: number): Promise<void> {
  await client.open(name)
  for (let round = 0; round < rounds; round++) {
    await client.enqueue(...jobs(`${name}${round}-`, 2))
    await client.work(name, 3)
  }
}

/** Until the storage says yes, as a caller does after an unknown outcome. */
async function insist(client: Client, job: NewJob): Promise<void> {
  for (let tries = 0; tries < 4; tries++) if (await client.enqueue(job)) return
}

async function keyed(client: Client): Promise<void> {
  const job = (id: string, payload: unknown, jobKeyMode: NewJob['jobKeyMode'] = 'replace') =>
    newJob({ id, payload, jobKey: 'the key', jobKeyMode })
  await client.enqueue(job('k1', 'first'))
  await client.enqueue(job('k2', 'second'))
  await client.enqueue(job('k3', 'not stored', 'unsafeDedupe'))
  await client.open('s')
  await client.work('s', 1)
  await client.enqueue(job('k4', 'after'))
  await client.enqueue(job('k5', 'after that'))
}

async function everyOutcome(client: Client): Promise<void> {
  await client.open('s')
  const [a, b, c, d, e, f] = await client.claim('s', 6)
  if (!a || !b || !c || !d || !e || !f) return
  await client.settle(completion(a), { ...ref(b), kind: 'fail', error: ERROR, counts: 'failure' })
  await client.settle({ ...ref(c), kind: 'retry', runAt: NOW, delay: 0, error: ERROR, counts: 'failure' })
  await client.settle({ ...ref(d), kind: 'release', runAt: NOW, delay: null })
  await client.settle({ ...ref(e), kind: 'cancelled', reason: 'left' })
  await client.work('s', 2)
  await client.settle(completion(f))
}

function ref({ id, fence }: { readonly id: string; readonly fence: number }): { id: string; fence: number } {
  return { id, fence }
}

/** A process that works for a while and dies at its last `call`. What it asked for last is `late0`, `late1`, `late2`. */
async function beginAndDie(stage: Stage, call: 'append' | 'link' | 'sync'): Promise<void> {
  const client = await stage.open()
  if (client === null) return
  await busy(client, 'early', 3)
  client.process.fault = ({ name }) => (name === call ? (call === 'append' ? 'crash midway' : 'crash') : null)
  for (let at = 0; at < 20 && !client.process.gone; at++)
    await client.enqueue(...(call === 'link' ? jobs(`late${at}-`, 3) : jobs('late', 3)))
}

async function reopenAndRepeat(stage: Stage): Promise<void> {
  const [one, other] = await Promise.all([stage.open(), stage.open()])
  await Promise.all([one?.enqueue(...jobs('late', 3)), other?.enqueue(...jobs('late', 3))])
}

export function jobs(name: string, count: number, text = 'text'): NewJob[] {
  return Array.from({ length: count }, (_, at) =>
    newJob({ id: `${name}${at}`, payload: { for: `${name}${at}`, text } }),
  )
}
