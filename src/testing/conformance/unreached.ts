import type { LeaseRef, Settlement } from '../../core/storage/contract.ts'
import { equal } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { delayed, MINUTE, NOW, SECOND } from './moments.ts'
import { BOOM, release, retry } from './settlements.ts'
import { ids } from './site.ts'

const OFFLINE = { name: 'TypeError', message: 'Failed to fetch' }

/** Attempts that were given back since they did not reach what their job needs. */
export const unreached: readonly ConformanceCase[] = area('unreached', {
  'an attempt that reached nothing counts as nothing, and is remembered with its error': async (site) => {
    const { id } = await site.add()
    equal(await site.settle(gaveUp(await site.claimOne())), 'ok', 'the verdict')
    await site.shows(id, { state: 'waiting', unreached: 1, error: OFFLINE, attempts: 0, failures: 0, history: [] })
    await site.settle(gaveUp(await site.claimOne({ now: NOW + MINUTE })))
    await site.shows(id, { unreached: 2 })
  },

  'such an outcome that is repeated is remembered once': async (site) => {
    const { id } = await site.add()
    const outcome = gaveUp(await site.claimOne())
    await site.settle(outcome)
    equal(await site.settle(outcome), 'ok', 'the verdict for the repeat')
    await site.shows(id, { unreached: 1 })
  },

  'it waits its delay': async (site) => {
    const { id } = await site.add()
    await site.settle(gaveUp(await site.claimOne()))
    equal((await site.claim({ now: NOW + MINUTE - 1 })).jobs, [], 'the jobs claimed before')
    equal(ids((await site.claim({ now: NOW + MINUTE })).jobs), [id], 'the jobs claimed then')
  },

  'an attempt that is given back for another reason changes nothing of it': async (site) => {
    const { id } = await site.add()
    await site.settle(gaveUp(await site.claimOne()))
    await site.settle(release(await site.claimOne({ now: NOW + MINUTE })))
    await site.shows(id, { unreached: 1, error: OFFLINE })
  },

  'an attempt that failed has reached something': async (site) => {
    const { id } = await site.add()
    await site.settle(gaveUp(await site.claimOne()))
    await site.settle(retry(await site.claimOne({ now: NOW + MINUTE })))
    await site.shows(id, { unreached: 0, failures: 1, error: BOOM })
  },

  'a requeued job has reached nothing so far': async (site) => {
    const { id } = await site.add()
    await site.settle(gaveUp(await site.claimOne()))
    await site.amend({ kind: 'requeue', id, runAt: NOW, delay: null })
    await site.shows(id, { unreached: 0, error: null })
  },

  'when the condition holds again its jobs are due at once, and no others': async (site) => {
    await site.addAll([
      { id: 'one', requires: ['charging', 'online'] },
      { id: 'other', requires: ['charging'] },
      { id: 'snoozed', requires: ['online'] },
    ])
    const have = ['charging', 'online']
    for (const job of (await site.claim({ have })).jobs) {
      await site.settle(job.id === 'snoozed' ? { ...release(job), ...delayed(MINUTE) } : gaveUp(job))
    }
    await site.add({ id: 'delayed', requires: ['online'], ...delayed(MINUTE) })
    const answer = await site.amend({ kind: 'retryUnreached', requires: 'online', limit: 10 }, NOW + SECOND)
    equal([answer.verdict, ids(answer.jobs)], ['ok', ['one']], 'the answer')
    await site.shows('one', { unreached: 0, error: OFFLINE })
    equal(ids((await site.claim({ have, now: NOW + SECOND })).jobs), ['one'], 'the claimed jobs')
    const repeated = await site.amend({ kind: 'retryUnreached', requires: 'online', limit: 10 }, NOW + SECOND)
    equal(repeated, { verdict: 'ignored', jobs: [] }, 'the answer to the repeat')
  },

  'one call makes no more of them due than its limit': async (site) => {
    await site.addAll([{ requires: ['online'] }, { requires: ['online'] }])
    for (const job of (await site.claim({ have: ['online'] })).jobs) await site.settle(gaveUp(job))
    const { jobs } = await site.amend({ kind: 'retryUnreached', requires: 'online', limit: 1 })
    equal(jobs.length, 1, 'the number of jobs')
  },
})

function gaveUp({ id, fence }: LeaseRef): Settlement {
  return { id, fence, kind: 'release', ...delayed(MINUTE), unreached: OFFLINE }
}
