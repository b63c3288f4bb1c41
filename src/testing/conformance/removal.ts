import { STATUSES } from '../../core/storage/contract.ts'
import { equal, rejects } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { NOW, SECOND } from './moments.ts'
import { oneOfEach } from './population.ts'
import { complete, fail, retry } from './settlements.ts'
import { ids } from './site.ts'

/** The kinds `remove`, `removeKey` and `forceRelease`. */
export const removal: readonly ConformanceCase[] = area('removal', {
  'every job but a running one can be removed': async (site) => {
    await oneOfEach(site)
    for (const id of STATUSES.filter((status) => status !== 'running')) {
      const last = await site.job(id)
      const answer = await site.amend({ kind: 'remove', id })
      equal(answer, { verdict: 'ok', jobs: [last] }, `the answer for a ${id} job`)
      await site.gone(id)
    }
    equal((await site.claim({ now: NOW + 1000 * SECOND })).jobs, [], 'the jobs claimed afterwards')
  },

  'a removed job frees its key': async (site) => {
    await site.add({ id: 'one', jobKey: 'key' })
    await site.amend({ kind: 'remove', id: 'one' })
    await site.add({ id: 'two', jobKey: 'key', jobKeyMode: 'unsafeDedupe' })
    await site.shows('two', { state: 'waiting', jobKey: 'key' })
  },

  'a removed failed job frees its key': async (site) => {
    await site.add({ id: 'one', jobKey: 'key' })
    await site.settle(fail(await site.claimOne()))
    await site.amend({ kind: 'remove', id: 'one' })
    await site.add({ id: 'two', jobKey: 'key', jobKeyMode: 'unsafeDedupe' })
    await site.shows('two', { state: 'waiting', jobKey: 'key' })
  },

  'the waiting holder of a key is removed by it': async (site) => {
    await site.add({ id: 'one', jobKey: 'key' })
    equal((await site.amend({ kind: 'removeKey', jobKey: 'key' })).verdict, 'ok', 'the verdict')
    await site.gone('one')
    equal((await site.claim()).jobs, [], 'the claimed jobs')
  },

  'the failed holder of a key is removed by it': async (site) => {
    await site.add({ id: 'one', jobKey: 'key' })
    await site.settle(fail(await site.claimOne()))
    equal((await site.amend({ kind: 'removeKey', jobKey: 'key' })).verdict, 'ok', 'the verdict')
    await site.gone('one')
  },

  'the running holder of a removed key finishes but is not retried': async (site) => {
    await site.add({ id: 'one', jobKey: 'key' })
    const held = await site.claimOne()
    equal((await site.amend({ kind: 'removeKey', jobKey: 'key' })).verdict, 'ok', 'the verdict')
    await site.shows('one', { state: 'running', jobKey: null, superseded: true })
    equal(await site.settle(retry(held)), 'ok', 'the verdict of its retry')
    await site.shows('one', { state: 'failed' })
  },

  'a key nobody holds is missing': async (site) => {
    await site.add({ id: 'one', jobKey: 'key' })
    await site.settle(complete(await site.claimOne()))
    equal(await site.amend({ kind: 'removeKey', jobKey: 'key' }), { verdict: 'missing', jobs: [] }, 'the answer')
    await site.shows('one', { state: 'completed' })
  },

  'a forced release takes all jobs of a session back and counts them as interrupted': async (site) => {
    await site.addAll([{ id: 'one' }, { id: 'two' }, { id: 'three' }])
    await site.claim({ session: 'a', limit: 2 })
    await site.claim({ session: 'b' })
    const answer = await site.amend({ kind: 'forceRelease', session: 'a' }, NOW + SECOND)
    equal([answer.verdict, ...ids(answer.jobs)].sort(), ['ok', 'one', 'two'], 'the verdict and the jobs')
    const counters = { attempts: 1, failures: 0, interruptions: 1, outcome: 'interrupted' } as const
    for (const id of ['one', 'two']) await site.shows(id, { state: 'waiting', session: null, ...counters })
    await site.shows('three', { state: 'running', session: 'b' })
  },

  'a forced release ends the session, however lively it is': async (site) => {
    await site.add()
    const held = await site.claimOne({ session: 'a' })
    await site.beat({ session: 'a', holds: [held] })
    await site.amend({ kind: 'forceRelease', session: 'a' })
    equal((await site.beat({ session: 'a', holds: [held] })).ended, true, '`ended`')
    equal(await site.settle(complete(held)), 'stale', 'the verdict of its completion')
    await rejects(site.claim({ session: 'a' }), 'HOLDFAST_SESSION_ENDED', 'its next claim')
  },

  'a forced release of an unknown session is missing': async (site) => {
    equal(await site.amend({ kind: 'forceRelease', session: 'nobody' }), { verdict: 'missing', jobs: [] }, 'the answer')
  },
})
