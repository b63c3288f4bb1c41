import { type JobStatus, STATUSES, type Where } from '../../core/storage/contract.ts'
import { equal } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { at, delayed, MINUTE, NOW } from './moments.ts'
import { oneOfEach } from './population.ts'
import { interrupt, retry } from './settlements.ts'
import { ids, type Site } from './site.ts'

/** Each condition with the jobs of `crowd` it holds for. */
const CONDITIONS: Readonly<Record<string, readonly [Where, readonly string[]]>> = {
  'no condition holds for all': [{}, ['a', 'b', 'c', 'd']],
  '`eq` holds for the equal': [{ type: { eq: 'mail' } }, ['a', 'b']],
  '`eq` with null holds for what is not set': [{ jobKey: { eq: null } }, ['b', 'c', 'd']],
  '`ne` holds for all others': [{ type: { ne: 'mail' } }, ['c', 'd']],
  '`ne` with null holds for what is set': [{ queueName: { ne: null } }, ['c', 'd']],
  '`in` holds for the listed': [{ id: { in: ['a', 'd', 'nobody'] } }, ['a', 'd']],
  '`in` without values holds for nothing': [{ id: { in: [] } }, []],
  '`nin` holds for all not listed': [{ queueName: { nin: ['night'] } }, ['a', 'b', 'd']],
  '`gt` leaves the equal out': [{ priority: { gt: 1 } }, ['c', 'd']],
  '`gte` takes the equal': [{ priority: { gte: 1 } }, ['b', 'c', 'd']],
  '`lt` leaves the equal out': [{ priority: { lt: 1 } }, ['a']],
  '`lte` takes the equal': [{ priority: { lte: 1 } }, ['a', 'b']],
  'two operators on a field must both hold': [{ priority: { gte: 1, lt: 3 } }, ['b', 'c']],
  'conditions on two fields must both hold': [{ type: { eq: 'mail' }, priority: { gt: 0 } }, ['b']],
  'moments can be compared': [{ runAt: { gt: NOW, lte: NOW + MINUTE }, createdAt: { eq: NOW } }, ['d']],
  'job keys and serial queues can be named': [{ jobKey: { eq: 'key' } }, ['a']],
  '`and` holds where all do': [{ and: [{ type: { eq: 'mail' } }, { priority: { gt: 0 } }] }, ['b']],
  '`and` of nothing holds for all': [{ and: [] }, ['a', 'b', 'c', 'd']],
  '`or` holds where one does': [{ or: [{ id: { eq: 'a' } }, { priority: { gt: 2 } }] }, ['a', 'd']],
  '`or` of nothing holds for none': [{ or: [] }, []],
  '`not` holds where its condition does not': [{ not: { type: { eq: 'mail' }, priority: { gt: 0 } } }, ['a', 'c', 'd']],
  'a field that is not set is null': [{ jobKey: { isNull: true }, queueName: { isNull: false } }, ['c', 'd']],
  'texts are found by their parts': [{ queueName: { startsWith: 'ni', endsWith: 'ht', contains: 'ig' } }, ['c']],
}

export const filters: readonly ConformanceCase[] = [
  ...Object.entries(CONDITIONS).flatMap(([sentence, [where, expected]]) =>
    area('filters', {
      [sentence]: async (site) => {
        await site.addAll([
          { id: 'a', type: 'mail', priority: 0, jobKey: 'key' },
          { id: 'b', type: 'mail', priority: 1 },
          { id: 'c', type: 'scan', priority: 2, queueName: 'night' },
          { id: 'd', type: 'scan', priority: 3, queueName: 'day', ...at(NOW + MINUTE) },
        ])
        await finds(site, where, expected)
      },
    }),
  ),

  ...area('filters', {
    'each status finds its jobs': async (site) => {
      await oneOfEach(site)
      for (const status of STATUSES) await finds(site, { status: { eq: status } }, [status])
    },

    'several statuses find the jobs of each': async (site) => {
      await oneOfEach(site)
      const ended: readonly JobStatus[] = ['completed', 'failed', 'cancelled']
      await finds(site, { status: { in: ended } }, ended)
      await finds(site, { status: { nin: ended } }, ['pending', 'running', 'scheduled'])
      await finds(
        site,
        { status: { ne: 'running' } },
        STATUSES.filter((status) => status !== 'running'),
      )
    },

    'the clock alone tells pending from scheduled': async (site) => {
      await site.addAll([{ id: 'now' }, { id: 'later', ...delayed(MINUTE) }])
      await finds(site, { status: { eq: 'scheduled' } }, ['later'])
      await finds(site, { status: { eq: 'pending' } }, ['now'])
      await finds(site, { status: { eq: 'pending' } }, ['later', 'now'], NOW + MINUTE)
      await finds(site, { status: { eq: 'scheduled' } }, [], NOW + MINUTE)
    },

    'the session finds what it holds': async (site) => {
      await site.addAll([{ id: 'one' }, { id: 'two' }, { id: 'free' }])
      await site.claimOne({ session: 'a', limit: 1 })
      await site.claimOne({ session: 'b', limit: 1 })
      await finds(site, { session: { eq: 'a' } }, ['one'])
      await finds(site, { session: { eq: null } }, ['free'])
    },

    'counters can be compared': async (site) => {
      await site.addAll([{ id: 'failed' }, { id: 'interrupted', type: 'other' }, { id: 'new' }])
      await site.settle(retry(await site.claimOne({ limit: 1 })))
      await site.settle(interrupt(await site.claimOne({ lanes: [{ type: 'other' }] })))
      await finds(site, { attempts: { gte: 1 } }, ['failed', 'interrupted'])
      await finds(site, { failures: { gt: 0 } }, ['failed'])
      await finds(site, { interruptions: { eq: 1 } }, ['interrupted'])
    },

    'a moment that is not set is neither before nor after another': async (site) => {
      await oneOfEach(site)
      await finds(site, { finishedAt: { lte: NOW } }, ['cancelled', 'completed', 'failed'])
      await finds(site, { finishedAt: { gte: 0 } }, ['cancelled', 'completed', 'failed'])
      await finds(site, { startedAt: { eq: null } }, ['cancelled', 'pending', 'scheduled'])
    },
  }),
]

async function finds(site: Site, where: Where, expected: readonly string[], now: number = NOW): Promise<void> {
  await site.settled(async (storage) => {
    const orderBy = [{ path: ['createdAt'], direction: 'desc' }] as const
    const { jobs } = await storage.list({ where, orderBy, limit: 100, after: null, now })
    equal([...ids(jobs)].sort(), [...expected].sort(), `the jobs found by ${JSON.stringify(where)}`)
  })
}
