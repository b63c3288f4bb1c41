import { ENDINGS } from './endings.ts'
import { equal } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { at, delayed, MINUTE, NOW, SECOND } from './moments.ts'
import { complete, retry } from './settlements.ts'
import { ids } from './site.ts'

const q = { queueName: 'queue' }

/** Serial queues. `limits.ts` has the groups that may run several. */
export const groups: readonly ConformanceCase[] = [
  ...area('groups', {
    'one job of a serial queue runs at a time': async (site) => {
      await site.addAll([
        { id: 'one', ...q },
        { id: 'two', ...q },
      ])
      const held = await site.claimOne({ session: 'a', limit: 1 })
      equal((await site.claim({ session: 'a' })).jobs, [], 'the second claim of the holder')
      equal((await site.claim({ session: 'b' })).jobs, [], 'the claim of another session')
      await site.settle(complete(held))
      equal(ids((await site.claim({ session: 'b' })).jobs), ['two'], 'the claim after the completion')
    },

    'one claim takes one job of a serial queue': async (site) => {
      await site.addAll([
        { id: 'one', ...q },
        { id: 'two', ...q },
        { id: 'three', ...q },
      ])
      equal(ids((await site.claim({ limit: 3 })).jobs), ['one'], 'the claimed jobs')
    },

    'one claim takes one job of a serial queue, though its jobs differ in type and requirements': async (site) => {
      await site.addAll([
        { id: 'one', ...q },
        { ...q, type: 'other' },
        { ...q, requires: ['online'] },
      ])
      const answer = await site.claim({ lanes: [{ type: 'task' }, { type: 'other' }], have: ['online'] })
      equal(ids(answer.jobs), ['one'], 'the claimed jobs')
    },

    'concurrent claims run one job of a serial queue': async (site) => {
      await site.addAll(Array.from({ length: 10 }, () => q))
      await site.open('a')
      await site.open('b')
      const [left, right] = await site.handles.pair()
      const answers = await Promise.all([
        left.claim(site.claimRequest({ session: 'a' })),
        right.claim(site.claimRequest({ session: 'b' })),
        left.claim(site.claimRequest({ session: 'a' })),
      ])
      equal(answers.flatMap(({ jobs }) => jobs).length, 1, 'the number of claimed jobs')
    },

    'a serial queue goes by priority, moment and sequence': async (site) => {
      await site.addAll([
        { id: 'd', ...q },
        { id: 'c', ...q },
        { id: 'b', ...q, ...at(NOW - SECOND) },
        { id: 'a', ...q, priority: 2 },
      ])
      const order: string[] = []
      for (let turn = 0; turn < 4; turn += 1) {
        const held = await site.claimOne()
        order.push(held.id)
        await site.settle(complete(held))
      }
      equal(order, ['a', 'b', 'd', 'c'], 'the order')
    },

    'different serial queues run beside each other': async (site) => {
      await site.addAll([{ id: 'one', queueName: 'x' }, { id: 'two', queueName: 'y' }, { id: 'three' }])
      equal(ids((await site.claim()).jobs), ['one', 'two', 'three'], 'the claimed jobs')
    },

    'blocked jobs in front hide no other job': async (site) => {
      await site.addAll(Array.from({ length: 50 }, () => ({ ...q, priority: 3 })))
      await site.claimOne({ limit: 1 })
      await site.add({ id: 'free', priority: 0 })
      equal(ids((await site.claim({ limit: 1 })).jobs), ['free'], 'the claimed jobs')
    },

    'blocked jobs keep nobody awake': async (site) => {
      await site.addAll([q, { ...q, ...at(NOW - MINUTE) }, q])
      const first = await site.claim()
      equal([first.jobs.length, first.nextRunAt], [1, null], 'the number of jobs and nextRunAt of the first claim')
      equal(await site.claim(), { jobs: [], nextRunAt: null, suspectDue: false }, 'the answer of the second claim')
    },

    'a job that waits for its retry does not block its serial queue': async (site) => {
      await site.addAll([
        { id: 'one', ...q },
        { id: 'two', ...q },
      ])
      await site.settle({ ...retry(await site.claimOne()), runAt: NOW + MINUTE, delay: MINUTE })
      equal(ids((await site.claim()).jobs), ['two'], 'the claimed jobs')
    },

    'a delayed job does not block its serial queue': async (site) => {
      await site.addAll([
        { id: 'delayed', ...q, priority: 3, ...delayed(MINUTE) },
        { id: 'due', ...q },
      ])
      equal(ids((await site.claim()).jobs), ['due'], 'the claimed jobs')
    },

    'a job that requires what is missing does not block its serial queue': async (site) => {
      await site.addAll([
        { id: 'offline', ...q, requires: ['online'] },
        { id: 'free', ...q },
      ])
      equal(ids((await site.claim()).jobs), ['free'], 'the claimed jobs')
    },

    'a waiting job of a type without handler does not block its serial queue': async (site) => {
      await site.addAll([
        { id: 'foreign', ...q, type: 'nobody handles this' },
        { id: 'known', ...q },
      ])
      equal(ids((await site.claim()).jobs), ['known'], 'the claimed jobs')
    },

    'a running job of another type blocks its serial queue': async (site) => {
      await site.addAll([
        { id: 'foreign', ...q, type: 'other' },
        { id: 'known', ...q },
      ])
      await site.claimOne({ session: 'a', lanes: [{ type: 'other' }] })
      equal((await site.claim({ session: 'b' })).jobs, [], 'the claimed jobs')
    },

    'a serial queue goes on when its first waiting job leaves': async (site) => {
      await site.addAll(['removed', 'cancelled', 'moved', 'last'].map((id) => ({ id, ...q })))
      await site.amend({ kind: 'remove', id: 'removed' })
      await site.amend({ kind: 'cancel', id: 'cancelled', reason: 'asked' })
      await site.amend({ kind: 'reschedule', id: 'moved', runAt: NOW + MINUTE })
      equal(ids((await site.claim()).jobs), ['last'], 'the claimed jobs')
    },

    'a request to cancel frees no place in the serial queue': async (site) => {
      await site.addAll([
        { id: 'one', ...q },
        { id: 'two', ...q },
      ])
      await site.claimOne()
      await site.amend({ kind: 'cancel', id: 'one', reason: 'asked' })
      equal((await site.claim()).jobs, [], 'the claimed jobs')
    },

    'a running job that loses its key goes on blocking its serial queue': async (site) => {
      await site.add({ id: 'one', jobKey: 'key', ...q })
      await site.claimOne()
      await site.add({ id: 'two', jobKey: 'key', ...q })
      equal((await site.claim()).jobs, [], 'the claimed jobs')
    },
  }),

  ...Object.entries(ENDINGS).flatMap(([ending, end]) =>
    area('groups', {
      [`after a ${ending} one more of the serial queue may start`]: async (site) => {
        await site.addAll([q, q, q])
        await end(site, await site.claimOne({ session: 'holder' }))
        equal((await site.claim({ session: 'next' })).jobs.length, 1, 'the number of claimed jobs')
        equal((await site.claim({ session: 'next' })).jobs.length, 0, 'the number of jobs claimed beside it')
      },
    }),
  ),
]
