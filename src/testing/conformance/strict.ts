import type { Amendment, NewJob } from '../../core/storage/contract.ts'
import { equal } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { MINUTE, NOW } from './moments.ts'
import { BOOM, complete, fail, release, retry } from './settlements.ts'
import { ids, type Site } from './site.ts'

const strictly = { queueName: 'queue', serial: 'strict' } as const
const LATER = { runAt: NOW + MINUTE, delay: MINUTE }

/** Serial queues in which a job that waits again keeps its place. */
export const strict: readonly ConformanceCase[] = [
  ...area('strict', {
    'a strict job that waits for its retry blocks its serial queue, and nothing else': async (site) => {
      await blocked(site, [{ id: 'urgent', priority: 3, ...strictly }, { id: 'free' }, { id: 'other', queueName: 'x' }])
      equal(ids((await site.claim()).jobs), ['free', 'other'], 'the jobs claimed while it waits')
    },

    'a strict job that waits for its retry starts first when it is due': async (site) => {
      await blocked(site, [{ id: 'urgent', priority: 3, ...strictly }])
      equal((await site.claim()).nextRunAt, NOW + MINUTE, 'nextRunAt while it waits')
      const held = await site.claimOne({ now: NOW + MINUTE })
      equal(held.id, 'first', 'the job claimed when it is due')
      await site.settle(complete(held))
      equal(ids((await site.claim({ now: NOW + MINUTE })).jobs), ['urgent'], 'the jobs claimed after its completion')
    },

    'a strict job that fails for good frees its serial queue': async (site) => {
      await blocked(site, [])
      await site.settle(fail(await site.claimOne({ now: NOW + MINUTE })))
      equal(ids((await site.claim()).jobs), ['next'], 'the claimed jobs')
    },

    'a strict job that was given back keeps its place': async (site) => {
      await site.addAll([{ id: 'first', ...strictly }])
      await site.settle(release(await site.claimOne()))
      await site.addAll([{ id: 'urgent', priority: 3, queueName: 'queue' }])
      equal(ids((await site.claim()).jobs), ['first'], 'the claimed jobs')
    },

    'a strict job whose session ended keeps its place': async (site) => {
      await site.addAll([{ id: 'first', ...strictly }])
      await site.claimOne({ session: 'a' })
      await site.addAll([{ id: 'urgent', priority: 3, queueName: 'queue' }])
      await site.close('a')
      equal(ids((await site.claim({ session: 'b' })).jobs), ['first'], 'the claimed jobs')
    },

    'each job says for itself whether it is strict': async (site) => {
      await site.addAll([
        { id: 'first', queueName: 'queue' },
        { id: 'next', ...strictly },
      ])
      await site.settle({ ...retry(await site.claimOne()), ...LATER })
      equal(ids((await site.claim()).jobs), ['next'], 'the jobs claimed while one that is not strict waits')
    },

    'a strict job that was never started blocks nobody': async (site) => {
      await site.addAll([
        { id: 'first', ...strictly, ...LATER },
        { id: 'next', ...strictly },
      ])
      equal(ids((await site.claim()).jobs), ['next'], 'the claimed jobs')
    },

    'a strict job that waits under a limit keeps both': async (site) => {
      await blocked(site, [{ id: 'free' }])
      const lanes = [{ type: 'task', limit: { concurrency: 1 } }]
      equal(ids((await site.claim({ lanes, now: NOW + MINUTE, limit: 1 })).jobs), ['free'], 'the first by its order')
      equal((await site.claim({ lanes, now: NOW + MINUTE })).jobs, [], 'the jobs claimed beside it')
    },

    'a paused serial queue holds back the strict job that keeps its place': async (site) => {
      await blocked(site, [])
      const storage = await site.storage()
      await storage.pause({ scope: { queueName: 'queue' }, paused: true })
      equal((await site.claim({ now: NOW + MINUTE })).jobs, [], 'the jobs claimed while it is paused')
      const next = await site.storage()
      await next.pause({ scope: { queueName: 'queue' }, paused: false })
      equal(ids((await site.claim({ now: NOW + MINUTE })).jobs), ['first'], 'the jobs claimed when it is resumed')
    },

    'a prune frees no place in a serial queue': async (site) => {
      await blocked(site, [])
      const storage = await site.storage()
      await storage.prune({ rules: [], spareSince: NOW, limit: 10, now: NOW })
      equal((await site.claim()).jobs, [], 'the claimed jobs')
    },

    'a strict job that is replaced by its key gives its place up': async (site) => {
      await blocked(site, [])
      await site.add({ jobKey: 'key', ...strictly, ...LATER })
      equal(ids((await site.claim()).jobs), ['next'], 'the claimed jobs')
    },

    'a strict job that is requeued or rescheduled keeps its place': async (site) => {
      await blocked(site, [{ id: 'urgent', priority: 3, ...strictly }])
      await site.amend({ kind: 'reschedule', id: 'first', priority: -1 })
      equal((await site.claim()).jobs, [], 'the jobs claimed after the reschedule')
      await site.amend({ kind: 'requeue', id: 'first', runAt: NOW, delay: null })
      equal(ids((await site.claim()).jobs), ['first'], 'the jobs claimed after the requeue')
    },
  }),

  ...Object.entries({
    cancelled: { kind: 'cancel', id: 'first', reason: 'asked' },
    completed: { kind: 'complete', id: 'first', result: null },
    failed: { kind: 'fail', id: 'first', error: BOOM },
    removed: { kind: 'remove', id: 'first' },
    'removed by its key': { kind: 'removeKey', jobKey: 'key' },
  } satisfies Record<string, Amendment>).flatMap(([how, amendment]) =>
    area('strict', {
      [`a strict job that is ${how} by hand frees its serial queue`]: async (site) => {
        await blocked(site, [{ id: 'last', ...strictly }])
        equal((await site.amend(amendment)).verdict, 'ok', 'the verdict')
        equal(ids((await site.claim()).jobs), ['next'], 'the jobs claimed afterwards')
        equal((await site.claim()).jobs, [], 'the jobs claimed beside it')
      },
    }),
  ),
]

/** `first` was started and waits for its retry; `next` and the others stand behind it. */
async function blocked(site: Site, others: readonly Partial<NewJob>[]): Promise<void> {
  await site.addAll([{ id: 'first', jobKey: 'key', ...strictly }])
  await site.settle({ ...retry(await site.claimOne()), ...LATER })
  await site.addAll([{ id: 'next', ...strictly }, ...others])
}
