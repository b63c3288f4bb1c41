import { equal } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { delayed, MINUTE, NOW } from './moments.ts'
import { complete } from './settlements.ts'
import { ids, type Site } from './site.ts'

const upTo = (payloadVersion: number) => ({ lanes: [{ type: 'task', payloadVersion }] })

/** Versions of payloads: who understands which. */
export const versions: readonly ConformanceCase[] = area('versions', {
  'a job of a newer version waits and burns nothing, whatever claims there are': async (site) => {
    await site.addAll([{ id: 'new', payloadVersion: 3, priority: 3 }, { id: 'old' }])
    const before = await site.job('new')
    equal(ids((await site.claim(upTo(2))).jobs), ['old'], 'the claim up to version 2')
    equal(await site.claim(), { jobs: [], nextRunAt: null, suspectDue: false }, 'the claim that names no version')
    await site.shows('new', before)
  },

  'a claim takes its own version and all older ones, in one order': async (site) => {
    await site.addAll([{ id: 'a', payloadVersion: 2 }, { id: 'b' }, { id: 'c', payloadVersion: 3 }])
    const { jobs } = await site.claim(upTo(3))
    equal(
      jobs.map(({ id, payloadVersion }) => [id, payloadVersion]),
      [
        ['a', 2],
        ['b', 1],
        ['c', 3],
      ],
      'the claimed jobs and their versions',
    )
  },

  'a delayed job of a newer version keeps nobody awake': async (site) => {
    await site.add({ payloadVersion: 2, ...delayed(MINUTE) })
    equal((await site.claim()).nextRunAt, null, 'nextRunAt of version 1')
    equal((await site.claim(upTo(2))).nextRunAt, NOW + MINUTE, 'nextRunAt of version 2')
  },

  'versions of a type share its limit': async (site) => {
    await site.addAll([{ id: 'a', payloadVersion: 2 }, { id: 'b' }])
    const limit = { concurrency: 1 }
    equal(ids((await site.claim({ lanes: [{ type: 'task', limit, payloadVersion: 2 }] })).jobs), ['a'], 'the jobs')
    equal((await site.claim({ lanes: [{ type: 'task', limit }] })).jobs, [], 'the claim of the older version')
  },

  'versions of a type run one after another in a serial queue': async (site) => {
    await site.addAll([
      { id: 'new', payloadVersion: 2, queueName: 'queue' },
      { id: 'old', queueName: 'queue' },
    ])
    const held = await site.claimOne({ session: 'a', ...upTo(2) })
    equal([held.id, (await site.claim({ session: 'b' })).jobs], ['new', []], 'the job, and those claimed beside it')
    await site.settle(complete(held))
    equal(ids((await site.claim({ session: 'b' })).jobs), ['old'], 'the jobs claimed after it')
  },

  'a job that is replaced has the version of the newer call': async (site) => {
    await site.add({ id: 'a', jobKey: 'key' })
    await site.add({ jobKey: 'key', payloadVersion: 2, payload: 'new' })
    await site.shows('a', { payload: 'new', payloadVersion: 2 })
    equal((await site.claim()).jobs, [], 'the jobs claimed up to version 1')
  },

  'lists of two versions are not joined: the older goes on without the key': async (site) => {
    await site.add({ id: 'a', jobKey: 'key', payload: [1] })
    await site.add({ id: 'b', jobKey: 'key', payload: [2], payloadVersion: 2 })
    await site.shows('a', { state: 'waiting', jobKey: null, payload: [1], payloadVersion: 1 })
    await site.shows('b', { state: 'waiting', jobKey: 'key', payload: [2], payloadVersion: 2 })
  },

  'that no schema saw a payload is kept, until a call replaces it whose payload was checked': async (site) => {
    await site.add({ id: 'a', jobKey: 'key', unchecked: true })
    await site.shows('a', { unchecked: true })
    await site.close((await site.claimOne({ session: 's' })).session ?? '')
    await site.shows('a', { unchecked: true })
    await site.add({ jobKey: 'key', payload: 'new' })
    await site.shows('a', { payload: 'new', unchecked: false })
  },

  'a list that no schema saw and one that was checked are not joined: the older goes on without the key': async (
    site,
  ) => {
    for (const [id, older] of [
      ['a', { unchecked: true }],
      ['b', {}],
    ] as const) {
      const newer = id === 'a' ? {} : { unchecked: true }
      await site.add({ id, jobKey: id, payload: [1], ...older })
      await site.add({ id: `${id} again`, jobKey: id, payload: [2], ...newer })
      await site.shows(id, { state: 'waiting', jobKey: null, payload: [1], unchecked: id === 'a' })
      await site.shows(`${id} again`, { state: 'waiting', jobKey: id, payload: [2], unchecked: id === 'b' })
    }
  },

  'lists that no schema saw are joined': async (site) => {
    await site.add({ id: 'a', jobKey: 'key', payload: [1], unchecked: true })
    await site.add({ jobKey: 'key', payload: [2], unchecked: true })
    await site.shows('a', { payload: [1, 2], unchecked: true })
  },

  'a version outlives attempts': async (site: Site) => {
    await site.add({ id: 'a', payloadVersion: 2 })
    await site.close((await site.claimOne({ session: 's', ...upTo(2) })).session ?? '')
    await site.shows('a', { state: 'waiting', payloadVersion: 2 })
    equal((await site.claim()).jobs, [], 'the jobs claimed up to version 1')
  },
})
