import type { NewJob } from '../../core/storage/contract.ts'
import { equal } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { MINUTE, NOW } from './moments.ts'
import { complete, interrupt, retry } from './settlements.ts'
import { ids, type Site } from './site.ts'

/** A job that was interrupted twice may be what kills its workers: it runs alone. */
export const suspects: readonly ConformanceCase[] = area('suspects', {
  'a suspect is not claimed together with others': async (site) => {
    await suspect(site, { id: 'suspect' })
    await site.add({ id: 'other' })
    equal(ids((await site.claim({ suspects: 'none' })).jobs), ['other'], 'the claimed jobs')
    await site.shows('suspect', { state: 'waiting', interruptions: 2 })
  },

  'the answer tells that a suspect is due': async (site) => {
    equal((await site.claim()).suspectDue, false, '`suspectDue` without one')
    await suspect(site, { id: 'suspect' })
    equal((await site.claim()).suspectDue, true, '`suspectDue` with one')
  },

  'a claim for suspects takes nothing else': async (site) => {
    await suspect(site, { id: 'suspect' })
    await site.add({ id: 'other', priority: 3 })
    equal(ids((await site.claim({ suspects: 'only', limit: 1 })).jobs), ['suspect'], 'the claimed jobs')
    equal((await site.claim({ suspects: 'only', limit: 1 })).jobs, [], 'the jobs of a second such claim')
  },

  'a suspect of another type is not told': async (site) => {
    await suspect(site, { id: 'suspect' })
    equal((await site.claim({ lanes: [{ type: 'other' }] })).suspectDue, false, '`suspectDue`')
  },

  'a suspect that waits for its moment is not due': async (site) => {
    await suspect(site, { id: 'suspect' }, { runAt: NOW + MINUTE, delay: MINUTE })
    const early = await site.claim()
    equal([early.suspectDue, early.nextRunAt], [false, NOW + MINUTE], '`suspectDue` and `nextRunAt`')
    equal((await site.claim({ suspects: 'only', limit: 1 })).jobs, [], 'the jobs claimed early')
    equal((await site.claim({ now: NOW + MINUTE })).suspectDue, true, '`suspectDue` at the moment')
  },

  'a suspect whose serial queue is taken is not due': async (site) => {
    await suspect(site, { id: 'suspect', queueName: 'queue' })
    await site.add({ queueName: 'queue', priority: 3 })
    const held = await site.claimOne()
    equal((await site.claim()).suspectDue, false, '`suspectDue` while another runs')
    await site.settle(complete(held))
    equal((await site.claim()).suspectDue, true, '`suspectDue` after it')
  },

  'a suspect whose limit is full is not due': async (site) => {
    await suspect(site, { id: 'suspect' })
    await site.add()
    const lanes = [{ type: 'task', limit: { concurrency: 1 } }]
    const held = await site.claimOne({ lanes })
    equal((await site.claim({ lanes })).suspectDue, false, '`suspectDue` while the limit is full')
    await site.settle(complete(held))
    equal((await site.claim({ lanes })).suspectDue, true, '`suspectDue` after that')
  },

  'one interruption makes no suspect': async (site) => {
    await site.add({ id: 'one' })
    await site.settle(interrupt(await site.claimOne()))
    equal(ids((await site.claim({ suspects: 'none' })).jobs), ['one'], 'the claimed jobs')
  },

  'failures make no suspect': async (site) => {
    await site.add({ id: 'one' })
    for (let failure = 0; failure < 3; failure += 1) await site.settle(retry(await site.claimOne()))
    equal(ids((await site.claim({ suspects: 'none' })).jobs), ['one'], 'the claimed jobs')
  },

  'a requeued suspect is no suspect any more': async (site) => {
    await suspect(site, { id: 'one' })
    await site.amend({ kind: 'requeue', id: 'one', runAt: NOW, delay: null })
    equal(ids((await site.claim({ suspects: 'none' })).jobs), ['one'], 'the claimed jobs')
  },
})

/** Interrupts a job twice; then it waits until it is `due`. */
async function suspect(site: Site, job: Partial<NewJob>, due: Due = { runAt: NOW, delay: 0 }): Promise<void> {
  await site.add(job)
  await site.settle(interrupt(await site.claimOne()))
  await site.settle({ ...interrupt(await site.claimOne()), ...due })
}

interface Due {
  readonly runAt: number
  readonly delay: number
}
