import { equal, ok } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { MINUTE, NOW } from './moments.ts'
import { complete } from './settlements.ts'
import { ids, only } from './site.ts'

export const enqueue: readonly ConformanceCase[] = area('enqueue', {
  'a job that comes with an error never waits': async (site) => {
    const failed = { name: 'Error', message: 'not made' }
    await site.addAll([{ id: 'failed', failed }, { id: 'other' }])
    await site.shows('failed', { state: 'failed', error: failed, finishedAt: NOW, attempts: 0 })
    equal(ids((await site.claim()).jobs), ['other'], 'the claimed jobs')
  },

  'a job is stored with all its details': async (site) => {
    const { jobKeyMode: _, ...details } = site.newJob({
      payload: { to: 'user@example.com' },
      priority: 7,
      maxRetries: 9,
      maxInterruptions: 8,
      timeout: 1234,
      leaseDuration: 4321,
      runAt: NOW + MINUTE,
      delay: MINUTE,
      jobKey: 'key',
      queueName: 'queue',
      limitKey: 'limit',
      requires: ['charging', 'online'],
      backoff: { kind: 'exponential', base: 100, factor: 2, max: 1000, jitter: 0.5 },
    })
    await site.add({ ...details, jobKeyMode: 'replace' })
    await site.shows(details.id, details)
  },

  'a new job has done nothing yet': async (site) => {
    const { id } = await site.add()
    await site.shows(id, {
      state: 'waiting',
      ...{
        attempts: 0,
        failures: 0,
        interruptions: 0,
        unreached: 0,
        fence: 0,
        history: [],
        groups: [],
        absorbed: [],
        digest: null,
      },
      ...{ startedAt: null, finishedAt: null, session: null, claimId: null, outcome: null, error: null },
      ...{ cancelRequested: null, progress: null, result: null, superseded: false },
    })
  },

  'the answer holds the stored records': async (site) => {
    const answer = await site.enqueue([{ id: 'one' }, { id: 'two' }])
    ok(answer.accepted, 'the enqueue to be accepted')
    for (const { id, disposition, job } of answer.jobs) {
      equal(disposition, 'created', 'the disposition')
      equal(job, await site.job(id), 'the record in the answer')
    }
    equal(
      answer.jobs.map(({ id }) => id),
      ['one', 'two'],
      'the ids in order',
    )
  },

  'sequences rise in a batch and from batch to batch': async (site) => {
    const first = await site.addAll([{ id: 'c' }, { id: 'b' }])
    const second = await site.addAll([{ id: 'a' }])
    const sequences = [...first, ...second].map(({ sequence }) => sequence)
    const rising = sequences.every((sequence, index) => index === 0 || sequence > (sequences[index - 1] ?? sequence))
    ok(rising, `rising sequences, got ${sequences.join(', ')}`)
  },

  'an empty batch is accepted': async (site) => {
    equal(await site.enqueue([]), { accepted: true, jobs: [] }, 'the answer')
  },

  'a large batch is stored whole': async (site) => {
    const jobs = await site.addAll(Array.from({ length: 500 }, (_, index) => ({ payload: index })))
    equal(
      jobs.map(({ payload }) => payload),
      Array.from({ length: 500 }, (_, index) => index),
      'the payloads',
    )
    await site.settled(async (storage) => equal((await storage.counts({ now: NOW })).pending, 500, 'the pending jobs'))
  },

  'an id stored with another payload refuses the whole batch': async (site) => {
    await site.add({ id: 'known', payload: 1 })
    const answer = await site.enqueue([{ id: 'before' }, { id: 'known', payload: 2 }, { id: 'after' }])
    equal(answer, { accepted: false, index: 1, id: 'known' }, 'the answer')
    await site.gone('before')
    await site.gone('after')
    await site.shows('known', { payload: 1 })
  },

  'an id stored with another type refuses the whole batch': async (site) => {
    await site.add({ id: 'known', payload: 1 })
    const answer = await site.enqueue([{ id: 'before' }, { id: 'known', payload: 1, type: 'other' }])
    equal(answer, { accepted: false, index: 1, id: 'known' }, 'the answer')
    await site.gone('before')
    await site.shows('known', { type: 'task' })
  },

  'two payloads for one id in a batch refuse the whole batch': async (site) => {
    const answer = await site.enqueue([
      { id: 'twice', payload: 1 },
      { id: 'twice', payload: 2 },
    ])
    equal(answer, { accepted: false, index: 1, id: 'twice' }, 'the answer')
    await site.gone('twice')
  },

  'an id stored with the same payload by an earlier call keeps the stored job': async (site) => {
    await site.add({ id: 'known', payload: { n: 1 }, priority: 1 })
    const answer = await site.enqueue([{ id: 'known', payload: { n: 1 }, priority: 2 }], NOW + MINUTE)
    ok(answer.accepted, 'the enqueue to be accepted')
    equal(only(answer.jobs, 'the answer').disposition, 'kept', 'the disposition')
    await site.shows('known', { priority: 1, createdAt: NOW })
  },

  'an id whose job has completed is not run again': async (site) => {
    await site.add({ id: 'known', payload: 1 })
    await site.settle(complete(await site.claimOne()))
    const answer = await site.enqueue([{ id: 'known', payload: 1 }], NOW + MINUTE)
    equal(answer.accepted, true, '`accepted`')
    await site.shows('known', { state: 'completed' })
    equal((await site.claim()).jobs, [], 'the claimed jobs')
  },

  'concurrent enqueues of one id store one job': async (site) => {
    const job = site.newJob()
    const pair = await site.handles.pair()
    const calls = [0, 1, 0, 1].map((side) => pair[side as 0 | 1].enqueue({ jobs: [job], now: NOW }))
    for (const answer of await Promise.all(calls)) equal(answer.accepted, true, '`accepted`')
    await site.settled(async (storage) => equal((await storage.counts({ now: NOW })).pending, 1, 'the pending jobs'))
  },

  'of two concurrent enqueues of one id with two payloads one is refused': async (site) => {
    const [left, right] = await site.handles.pair()
    const answers = await Promise.all([
      left.enqueue({ jobs: [site.newJob({ id: 'raced', payload: 1 }), site.newJob({ id: 'left' })], now: NOW }),
      right.enqueue({ jobs: [site.newJob({ id: 'raced', payload: 2 }), site.newJob({ id: 'right' })], now: NOW }),
    ])
    equal(answers.filter(({ accepted }) => accepted).length, 1, 'the number of accepted batches')
    await site.settled(async (storage) => equal((await storage.counts({ now: NOW })).pending, 2, 'the pending jobs'))
  },
})
