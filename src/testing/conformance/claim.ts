import type { ClaimRequest } from '../../core/storage/contract.ts'
import { equal, matches, ok } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { at, delayed, MINUTE, NOW, SECOND } from './moments.ts'
import { oneOfEach } from './population.ts'
import { ids } from './site.ts'

export const claim: readonly ConformanceCase[] = area('claim', {
  'larger priorities go first': async (site) => {
    await site.addAll([0, 3, -1, 2, 10].map((priority) => ({ id: `p${priority}`, priority })))
    equal(ids((await site.claim()).jobs), ['p10', 'p3', 'p2', 'p0', 'p-1'], 'the claimed jobs in order')
  },

  'among equal priorities the earlier runAt goes first': async (site) => {
    await site.add({ id: 'later', ...at(NOW - SECOND) })
    await site.add({ id: 'earlier', ...at(NOW - MINUTE) })
    equal(ids((await site.claim()).jobs), ['earlier', 'later'], 'the claimed jobs in order')
  },

  'among equal moments the one enqueued first goes first, whatever its id': async (site) => {
    await site.add({ id: 'c' })
    await site.addAll([{ id: 'b' }, { id: 'd' }])
    await site.add({ id: 'a' })
    equal(ids((await site.claim()).jobs), ['c', 'b', 'd', 'a'], 'the claimed jobs in order')
  },

  'the order holds over all lanes': async (site) => {
    await site.addAll([
      { id: 'low', type: 'x', priority: 0 },
      { id: 'normal', type: 'y' },
      { id: 'high', type: 'x', priority: 2 },
      { id: 'second', type: 'x' },
    ])
    const lanes = [{ type: 'x' }, { type: 'y' }]
    equal(ids((await site.claim({ lanes, limit: 3 })).jobs), ['high', 'normal', 'second'], 'the claimed jobs')
  },

  'only jobs of the lanes are claimed': async (site) => {
    await site.addAll([{ id: 'unknown', type: 'nobody handles this', priority: 3 }, { id: 'known' }])
    equal(ids((await site.claim()).jobs), ['known'], 'the claimed jobs')
    await site.shows('unknown', { state: 'waiting', attempts: 0, fence: 0 })
  },

  'a claim without lanes takes nothing': async (site) => {
    const { id } = await site.add()
    equal(await site.claim({ lanes: [] }), { jobs: [], nextRunAt: null, suspectDue: false }, 'the answer')
    await site.shows(id, { state: 'waiting' })
  },

  'a claim takes no more than its limit': async (site) => {
    await site.addAll([{ id: 'one' }, { id: 'two' }, { id: 'three' }])
    equal(ids((await site.claim({ limit: 2 })).jobs), ['one', 'two'], 'the first claim')
    equal(ids((await site.claim({ limit: 2 })).jobs), ['three'], 'the second claim')
  },

  'a claim counts the attempt in the same step': async (site) => {
    const { id } = await site.add()
    const job = await site.claimOne()
    equal(job.attempts, 1, 'the attempts in the answer')
    await site.shows(id, { attempts: 1, failures: 0, interruptions: 0 })
  },

  'a claimed job says who holds it since when': async (site) => {
    const { id } = await site.add()
    const job = await site.claimOne({ session: 'a', requestId: 'request', now: NOW + SECOND })
    const holder = { state: 'running', session: 'a', claimId: 'request', startedAt: NOW + SECOND } as const
    matches(job, { id, ...holder }, 'the answer')
    await site.shows(id, holder)
  },

  'the answer holds the stored records': async (site) => {
    await site.addAll([{ payload: { n: 1 } }, { queueName: 'queue' }])
    for (const job of (await site.claim()).jobs) equal(job, await site.job(job.id), 'the record in the answer')
  },

  'a running job is not claimed again': async (site) => {
    await site.add()
    await site.claimOne({ session: 'a' })
    equal((await site.claim({ session: 'a' })).jobs, [], 'the second claim of the holder')
    equal((await site.claim({ session: 'b' })).jobs, [], 'the claim of another session')
  },

  'a finished job is not claimed': async (site) => {
    await oneOfEach(site)
    equal(ids((await site.claim()).jobs), ['pending'], 'the claimed jobs')
  },

  'concurrent claims share no job': async (site) => {
    await site.addAll(Array.from({ length: 25 }, () => ({})))
    await site.open('a')
    await site.open('b')
    const pair = await site.handles.pair()
    const claims = Array.from({ length: 10 }, (_, index) => {
      const session = index % 2 === 0 ? 'a' : 'b'
      return pair[index % 2 === 0 ? 0 : 1].claim(site.claimRequest({ session, limit: 3 }))
    })
    const claimed = (await Promise.all(claims)).flatMap(({ jobs }) => ids(jobs))
    equal([claimed.length, new Set(claimed).size], [25, 25], 'the number of claimed jobs, and of different ones')
  },

  'a claim that was decided on a change that came too late takes no job from another': async (site) => {
    await site.add({ id: 'one' })
    for (const session of ['a', 'b']) await site.open(session)
    const [left, right] = await site.handles.pair()
    const requests = ['a', 'b'].map((session) => site.claimRequest({ session }))
    // The row changes as often on either handle: only what the changes are tells them apart.
    const [first, , second] = await Promise.all([
      right.claim(requests[0] as ClaimRequest),
      left.amend({ batch: [{ kind: 'requeue', id: 'one', runAt: NOW, delay: null }], now: NOW }),
      left.claim(requests[1] as ClaimRequest),
    ])
    equal([...ids(first.jobs), ...ids(second.jobs)], ['one'], 'the jobs of both claims')
  },

  'a job with a moment is not claimed before it': async (site) => {
    await site.add({ id: 'one', ...at(NOW + MINUTE) })
    equal((await site.claim({ now: NOW + MINUTE - 1 })).jobs, [], 'the jobs claimed a millisecond before')
    equal(ids((await site.claim({ now: NOW + MINUTE })).jobs), ['one'], 'the jobs claimed at the moment')
  },

  'a job with a delay is not claimed before it has passed': async (site) => {
    await site.add({ id: 'one', ...delayed(MINUTE) })
    equal((await site.claim({ now: NOW + MINUTE - 1 })).jobs, [], 'the jobs claimed a millisecond before')
    equal(ids((await site.claim({ now: NOW + MINUTE })).jobs), ['one'], 'the jobs claimed at the moment')
  },

  'delayed jobs in front hide no due job': async (site) => {
    await site.addAll(Array.from({ length: 30 }, () => ({ priority: 3, ...delayed(MINUTE) })))
    await site.add({ id: 'due' })
    equal(ids((await site.claim({ limit: 1 })).jobs), ['due'], 'the claimed jobs')
  },

  'nextRunAt is the moment of the first delayed job of the lanes': async (site) => {
    await site.addAll([
      { ...delayed(3 * MINUTE), priority: 3 },
      { ...at(NOW + 2 * MINUTE) },
      { ...delayed(MINUTE), type: 'other' },
    ])
    equal((await site.claim()).nextRunAt, NOW + 2 * MINUTE, 'nextRunAt')
  },

  'nextRunAt is null when nothing waits for time': async (site) => {
    await site.addAll([{ type: 'other', ...delayed(MINUTE) }, {}])
    equal((await site.claim()).nextRunAt, null, 'nextRunAt')
  },

  'a job waits until a claimer has all it requires': async (site) => {
    await site.add({ id: 'one', requires: ['online', 'charging'] })
    equal((await site.claim()).jobs, [], 'the jobs claimed with nothing')
    equal((await site.claim({ have: ['online'] })).jobs, [], 'the jobs claimed with one of two')
    equal(ids((await site.claim({ have: ['charging', 'wifi', 'online'] })).jobs), ['one'], 'the jobs claimed with all')
  },

  'a job that requires what is missing hides no other and keeps nobody awake': async (site) => {
    await site.addAll([{ priority: 3, requires: ['online'] }, { id: 'free' }])
    const answer = await site.claim({ limit: 1 })
    equal(ids(answer.jobs), ['free'], 'the claimed jobs')
    ok((await site.claim()).nextRunAt === null, 'nextRunAt to be null')
  },
})
