import type { Lane, Limit } from '../../core/storage/contract.ts'
import { ENDINGS } from './endings.ts'
import { equal } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { MINUTE, NOW, SECOND } from './moments.ts'
import { complete, release } from './settlements.ts'
import { ids, only } from './site.ts'

const three = [{ id: 'one' }, { id: 'two' }, { id: 'three' }]
const perMinute = { rate: { count: 2, per: MINUTE } }

/** Groups of a type and a limit key: how many may run at once, how many may start in a window of time. */
export const limits: readonly ConformanceCase[] = [
  ...area('limits', {
    'one claim takes no more of a type than may run at once': async (site) => {
      await site.addAll(three)
      equal(ids((await site.claim({ lanes: lane({ concurrency: 2 }) })).jobs), ['one', 'two'], 'the claimed jobs')
    },

    'a job that waits for one that started without the limit starts once that has ended': async (site) => {
      await site.add({ id: 'before', limitKey: null })
      const before = await site.claimOne()
      await site.add({ id: 'after', limitKey: null })
      const lanes = lane({ concurrency: 1 })
      equal((await site.claim({ lanes })).jobs, [], 'the claimed jobs while it runs')
      await site.settle(complete(before))
      equal(ids((await site.claim({ lanes })).jobs), ['after'], 'the claimed jobs once it has ended')
    },

    'one claim takes no more than may run at once, though the jobs differ in requirements': async (site) => {
      await site.addAll([{ id: 'one' }, { id: 'two', requires: ['online'] }, { requires: ['charging'] }])
      const answer = await site.claim({ lanes: lane({ concurrency: 2 }), have: ['charging', 'online'] })
      equal(ids(answer.jobs), ['one', 'two'], 'the claimed jobs')
    },

    'running jobs of all claims and sessions count': async (site) => {
      await site.addAll(three)
      const lanes = lane({ concurrency: 2 })
      await site.claimOne({ session: 'a', lanes, limit: 1 })
      equal(ids((await site.claim({ session: 'b', lanes })).jobs), ['two'], 'the claim of another session')
      equal((await site.claim({ session: 'a', lanes })).jobs, [], 'the third claim')
    },

    'concurrent claims keep the limit': async (site) => {
      await site.addAll(Array.from({ length: 10 }, () => ({})))
      await site.open('a')
      await site.open('b')
      const lanes = lane({ concurrency: 3 })
      const [left, right] = await site.handles.pair()
      const answers = await Promise.all([
        left.claim(site.claimRequest({ session: 'a', lanes, limit: 2 })),
        right.claim(site.claimRequest({ session: 'b', lanes, limit: 2 })),
        left.claim(site.claimRequest({ session: 'a', lanes, limit: 2 })),
      ])
      equal(answers.flatMap(({ jobs }) => jobs).length, 3, 'the number of claimed jobs')
    },

    'running jobs that were claimed without the limit count': async (site) => {
      await site.addAll(three)
      await site.claimOne({ limit: 1 })
      equal((await site.claim({ lanes: lane({ concurrency: 1 }) })).jobs, [], 'the jobs claimed under the limit')
    },

    'one completion frees one place': async (site) => {
      await site.addAll([...three, { id: 'four' }])
      const lanes = lane({ concurrency: 2 })
      const { jobs } = await site.claim({ lanes })
      await site.settle(complete(only(jobs.slice(0, 1), 'the first job')))
      equal(ids((await site.claim({ lanes })).jobs), ['three'], 'the jobs claimed next')
    },

    'each limit key has its own places': async (site) => {
      await site.addAll(['x', 'x', 'y', 'y'].map((limitKey, index) => ({ id: `${limitKey}${index}`, limitKey })))
      equal(ids((await site.claim({ lanes: lane({ concurrency: 1 }) })).jobs), ['x0', 'y2'], 'the claimed jobs')
    },

    'a job without limit key falls under the empty key': async (site) => {
      await site.addAll([
        { id: 'one', limitKey: '' },
        { id: 'two', limitKey: null },
      ])
      equal(ids((await site.claim({ lanes: lane({ concurrency: 1 }) })).jobs), ['one'], 'the claimed jobs')
    },

    'each type has its own places': async (site) => {
      await site.addAll([
        { id: 'one', limitKey: 'x' },
        { id: 'two', limitKey: 'x', type: 'other' },
      ])
      const lanes = [...lane({ concurrency: 1 }), { type: 'other', limit: { concurrency: 1 } }]
      equal(ids((await site.claim({ lanes })).jobs), ['one', 'two'], 'the claimed jobs')
    },

    'a new number holds from the next claim on': async (site) => {
      await site.addAll([...three, { id: 'four' }])
      equal(ids((await site.claim({ lanes: lane({ concurrency: 1 }) })).jobs), ['one'], 'the claim with limit 1')
      equal(
        ids((await site.claim({ lanes: lane({ concurrency: 3 }) })).jobs),
        ['two', 'three'],
        'the claim with limit 3',
      )
      equal((await site.claim({ lanes: lane({ concurrency: 2 }) })).jobs, [], 'the claim with limit 2')
      equal(ids((await site.claim()).jobs), ['four'], 'the claim without limit')
    },

    'jobs that wait for a place hide no other and keep nobody awake': async (site) => {
      await site.addAll([
        ...Array.from({ length: 30 }, () => ({ priority: 3, limitKey: 'x' })),
        { id: 'y', limitKey: 'y' },
      ])
      const lanes = lane({ concurrency: 1 })
      await site.claimOne({ lanes, limit: 1 })
      equal(ids((await site.claim({ lanes, limit: 1 })).jobs), ['y'], 'the claimed jobs')
      equal(await site.claim({ lanes }), { jobs: [], nextRunAt: null, suspectDue: false }, 'the next answer')
    },

    'a serial queue and a limit hold together': async (site) => {
      await site.addAll([
        { id: 'a1', queueName: 'a' },
        { id: 'a2', queueName: 'a' },
        { id: 'b1', queueName: 'b' },
        { id: 'c1', queueName: 'c' },
      ])
      equal(ids((await site.claim({ lanes: lane({ concurrency: 2 }) })).jobs), ['a1', 'b1'], 'the claimed jobs')
    },

    'a job whose serial queue this claim gives to another leaves its place in the limit to the next': async (site) => {
      await site.addAll([
        { id: 'one' },
        { id: 'two', queueName: 'queue' },
        { id: 'three' },
        { id: 'four', type: 'other', queueName: 'queue', priority: 2 },
      ])
      const lanes = [...lane({ concurrency: 2 }), { type: 'other' }]
      equal(ids((await site.claim({ lanes, limit: 3 })).jobs), ['four', 'one', 'three'], 'the claimed jobs in order')
    },

    'many jobs whose serial queues are given away hide none that may start': async (site) => {
      const queues = ['a', 'b', 'c', 'd'].map((queueName) => ({ queueName }))
      await site.addAll([
        ...queues.map((queue) => ({ ...queue, type: 'other', priority: 2 })),
        ...queues.map((queue) => ({ ...queue, priority: 1 })),
        { id: 'last', priority: 0 },
      ])
      const lanes = [...lane({ concurrency: 1 }), { type: 'other' }]
      equal(ids((await site.claim({ lanes })).jobs).at(-1), 'last', 'the last of the claimed jobs')
    },

    'a request to cancel frees no place': async (site) => {
      await site.addAll(three)
      const lanes = lane({ concurrency: 1 })
      const { id } = await site.claimOne({ lanes })
      await site.amend({ kind: 'cancel', id, reason: 'asked' })
      equal((await site.claim({ lanes })).jobs, [], 'the claimed jobs')
    },

    'jobs alike keep the order of their serial queue, though the first waits for its limit': async (site) => {
      await site.addAll([
        { limitKey: 'x' },
        { limitKey: 'x', queueName: 'queue' },
        { limitKey: 'y', queueName: 'queue' },
      ])
      const lanes = lane({ concurrency: 1 })
      const first = await site.claimOne({ lanes })
      await site.settle(complete(first))
      equal((await site.claimOne({ lanes })).limitKey, 'x', 'the limit key of the job that was first in the queue')
    },

    'starts of several claims add up in one window': async (site) => {
      await site.addAll([...three, { id: 'four' }])
      const lanes = lane({ rate: { count: 3, per: MINUTE } })
      for (const now of [NOW, NOW + SECOND, NOW + 2 * SECOND]) await site.claimOne({ lanes, limit: 1, now })
      equal((await site.claim({ lanes, now: NOW + 3 * SECOND })).jobs, [], 'the jobs claimed by the fourth claim')
    },

    'no more jobs start in a window than the rate allows': async (site) => {
      await site.addAll(three)
      const lanes = lane(perMinute)
      equal(ids((await site.claim({ lanes })).jobs), ['one', 'two'], 'the jobs claimed first')
      equal((await site.claim({ lanes, now: NOW + MINUTE - 1 })).jobs, [], 'the jobs claimed before the window ends')
      equal(ids((await site.claim({ lanes, now: NOW + MINUTE })).jobs), ['three'], 'the jobs claimed at its end')
    },

    'nextRunAt tells when the window ends': async (site) => {
      await site.addAll(three)
      equal((await site.claim({ lanes: lane(perMinute) })).nextRunAt, NOW + MINUTE, 'nextRunAt of the claim')
      const later = await site.claim({ lanes: lane(perMinute), now: NOW + SECOND })
      equal(later.nextRunAt, NOW + MINUTE, 'nextRunAt of the next claim')
    },

    'a window opens at its first start': async (site) => {
      await site.addAll([...three, { id: 'four' }, { id: 'five' }])
      const lanes = lane(perMinute)
      await site.claimOne({ lanes, limit: 1 })
      await site.claimOne({ lanes, limit: 1, now: NOW + 50 * SECOND })
      equal(
        ids((await site.claim({ lanes, now: NOW + MINUTE })).jobs),
        ['three', 'four'],
        'the jobs of the next window',
      )
    },

    'a window that is opened late ends no later: the next follows the last without a gap': async (site) => {
      await site.addAll([...three, { id: 'four' }])
      const lanes = lane(perMinute)
      await site.claim({ lanes })
      const { jobs, nextRunAt } = await site.claim({ lanes, now: NOW + MINUTE + SECOND, limit: 1 })
      equal([ids(jobs), nextRunAt], [['three'], null], 'the jobs of the second window, and nextRunAt')
      await site.addAll([{ id: 'five' }])
      await site.claimOne({ lanes, now: NOW + MINUTE + SECOND, limit: 1 })
      equal(ids((await site.claim({ lanes, now: NOW + 2 * MINUTE })).jobs), ['five'], 'the jobs of the third window')
    },

    'starts of all sessions count for the rate': async (site) => {
      await site.addAll(three)
      const lanes = lane({ rate: { count: 1, per: MINUTE } })
      await site.claimOne({ session: 'a', lanes })
      equal((await site.claim({ session: 'b', lanes })).jobs, [], 'the claim of another session')
    },

    'each limit key has its own rate': async (site) => {
      await site.addAll(['x', 'x', 'y'].map((limitKey, index) => ({ id: `${limitKey}${index}`, limitKey })))
      const lanes = lane({ rate: { count: 1, per: MINUTE } })
      equal(ids((await site.claim({ lanes })).jobs), ['x0', 'y2'], 'the claimed jobs')
    },

    'a release gives no start back': async (site) => {
      await site.addAll(three)
      const lanes = lane({ rate: { count: 1, per: MINUTE } })
      await site.settle(release(await site.claimOne({ lanes })))
      equal((await site.claim({ lanes })).jobs, [], 'the jobs claimed in the same window')
    },

    'a completion gives no start back': async (site) => {
      await site.addAll(three)
      const lanes = lane({ rate: { count: 1, per: MINUTE } })
      await site.settle(complete(await site.claimOne({ lanes })))
      equal((await site.claim({ lanes })).jobs, [], 'the jobs claimed in the same window')
    },
  }),

  ...Object.entries(ENDINGS).flatMap(([ending, end]) =>
    area('limits', {
      [`a ${ending} frees a place`]: async (site) => {
        await site.addAll(three)
        const lanes = lane({ concurrency: 1 })
        await end(site, await site.claimOne({ session: 'holder', lanes }))
        equal((await site.claim({ session: 'next', lanes })).jobs.length, 1, 'the number of claimed jobs')
        equal((await site.claim({ session: 'next', lanes })).jobs.length, 0, 'the number of jobs claimed beside it')
      },
    }),
  ),
]

function lane(limit: Limit): readonly Lane[] {
  return [{ type: 'task', limit }]
}
