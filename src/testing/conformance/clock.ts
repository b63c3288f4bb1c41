import { equal, ok } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { at, delayed, MINUTE, NOW, SECOND, YEAR } from './moments.ts'
import { complete, release, retry } from './settlements.ts'
import { ids, WORKER, type Site } from './site.ts'

const AHEAD = NOW + YEAR

/** Guarantee 6: no wall clock decides who holds a job, and a clock that was wrong once leaves no lasting damage. */
export const clock: readonly ConformanceCase[] = area('clock', {
  'a claim a year ahead takes no running job': async (site) => {
    const { id } = await site.add()
    const held = await site.claimOne({ session: 'a' })
    equal((await site.claim({ session: 'b', now: AHEAD })).jobs, [], 'the claimed jobs')
    equal(await site.settle(complete(held)), 'ok', 'the verdict for the holder')
    await site.shows(id, { state: 'completed', attempts: 1 })
  },

  'a beat a year ahead takes no job from another session': async (site) => {
    const { id } = await site.add()
    const held = await site.claimOne({ session: 'a' })
    await site.beat({ session: 'b', now: AHEAD })
    equal((await site.beat({ session: 'a', holds: [held] })).lost, [], 'the lost jobs')
    equal((await site.claim({ session: 'b' })).jobs, [], 'the jobs claimed afterwards')
    await site.shows(id, { state: 'running', session: 'a' })
  },

  'a settle a year ahead takes no job from another session': async (site) => {
    await site.addAll([{ id: 'one' }, { id: 'two' }])
    const one = await site.claimOne({ session: 'a', limit: 1 })
    const two = await site.claimOne({ session: 'b', limit: 1 })
    await site.settle(complete(two), AHEAD)
    await site.shows('one', { state: 'running', session: 'a' })
    equal(await site.settle(complete(one)), 'ok', 'the verdict for the holder')
  },

  'a session opened a year ahead ends no other': async (site) => {
    await site.add()
    const held = await site.claimOne({ session: 'a' })
    await site.open('b', AHEAD)
    const answer = await site.beat({ session: 'a', holds: [held] })
    equal(answer, { cancel: [], lost: [], orphans: [], ended: false }, 'the answer')
  },

  'a claim a year behind takes no running job': async (site) => {
    await site.add()
    const held = await site.claimOne({ session: 'a' })
    equal((await site.claim({ session: 'b', now: NOW - YEAR })).jobs, [], 'the claimed jobs')
    equal(await site.settle(complete(held), NOW - YEAR), 'ok', 'the verdict for the holder')
  },

  'a claim of others a year ahead leaves delayed jobs on time': async (site) => {
    await site.add({ id: 'delayed', ...delayed(MINUTE) })
    await site.claim({ now: AHEAD, lanes: [{ type: 'other' }] })
    await onTime(site, 'delayed')
  },

  'a claim a year ahead leaves the delayed jobs it does not take on time': async (site) => {
    await site.addAll([
      { id: 'delayed', ...delayed(MINUTE) },
      { id: 'first', priority: 3 },
    ])
    equal(ids((await site.claim({ now: AHEAD, limit: 1 })).jobs), ['first'], 'the jobs claimed a year ahead')
    await onTime(site, 'delayed')
  },

  'an immediate job enqueued a year ahead can be claimed at once': async (site) => {
    const { id } = await site.add({ delay: null }, AHEAD)
    equal(ids((await site.claim()).jobs), [id], 'the claimed jobs')
  },

  'an immediate job can be claimed by a clock a year behind': async (site) => {
    const { id } = await site.add()
    equal(ids((await site.claim({ now: NOW - YEAR })).jobs), [id], 'the claimed jobs')
  },

  'an attempt given back a year ahead can be claimed at once': async (site) => {
    const { id } = await site.add()
    await site.settle({ ...release(await site.claimOne()), runAt: AHEAD }, AHEAD)
    equal(ids((await site.claim()).jobs), [id], 'the claimed jobs')
  },

  'a delayed job enqueued a year ahead waits its delay and no longer': async (site) => {
    await site.add({ id: 'one', ...delayed(5 * SECOND, AHEAD) }, AHEAD)
    await waits(site, 'one', 5 * SECOND)
  },

  'a retry settled a year ahead waits its delay and no longer': async (site) => {
    await site.add({ id: 'one' })
    const due = { runAt: AHEAD + 5 * SECOND, delay: 5 * SECOND }
    await site.settle({ ...retry(await site.claimOne()), ...due }, AHEAD)
    await waits(site, 'one', 5 * SECOND)
  },

  'a moment given by the user stays, whoever saw the job': async (site) => {
    await site.add({ id: 'one', ...at(AHEAD) })
    const storage = await site.storage()
    await storage.session({ open: WORKER, leaseDuration: 30_000, now: NOW })
    equal((await storage.claim(site.claimRequest())).nextRunAt, AHEAD, 'nextRunAt')
    equal((await storage.claim(site.claimRequest({ now: AHEAD - 1 }))).jobs, [], 'the jobs claimed before the moment')
    equal(ids((await storage.claim(site.claimRequest({ now: AHEAD }))).jobs), ['one'], 'the jobs claimed at the moment')
  },

  'a window of a rate opened a year ahead does not stay open for a year': async (site) => {
    await site.addAll([{}, {}, {}])
    const lanes = [{ type: 'task', limit: { rate: { count: 1, per: MINUTE } } }]
    await site.claimOne({ lanes, now: AHEAD })
    const storage = await site.storage()
    const early = await storage.claim(site.claimRequest({ lanes }))
    const late = await storage.claim(site.claimRequest({ lanes, now: NOW + MINUTE }))
    ok(early.jobs.length + late.jobs.length >= 1, 'a job to start within a window of the clock being right again')
  },

  'the clock of a prune removes nothing by itself': async (site) => {
    const { id } = await site.add()
    await site.settle(complete(await site.claimOne()))
    const storage = await site.storage()
    const rules = [{ state: 'completed', finishedBefore: NOW - MINUTE, keep: 10 }] as const
    equal(
      await storage.prune({ rules, spareSince: NOW, limit: 10, now: AHEAD }),
      { removed: 0, more: false },
      'the answer',
    )
    await site.shows(id, { state: 'completed' })
  },
})

async function onTime(site: Site, id: string): Promise<void> {
  const early = await site.claim({ now: NOW + MINUTE - 1 })
  equal([early.jobs.length, early.nextRunAt], [0, NOW + MINUTE], 'the number of jobs claimed early, and nextRunAt')
  equal(ids((await site.claim({ now: NOW + MINUTE })).jobs), [id], 'the jobs claimed at the moment')
}

/** One handle sees the job when the clock is right again, and gives it out after its delay at the latest. */
async function waits(site: Site, id: string, delay: number): Promise<void> {
  await site.open('reader')
  const storage = await site.handles.latest()
  const early = await storage.claim(site.claimRequest({ session: 'reader' }))
  equal(early.jobs, [], 'the jobs claimed when the job is first seen')
  ok(early.nextRunAt !== null && early.nextRunAt <= NOW + delay, `nextRunAt within the delay, got ${early.nextRunAt}`)
  const late = await storage.claim(site.claimRequest({ session: 'reader', now: NOW + delay }))
  equal(ids(late.jobs), [id], 'the jobs claimed after the delay')
}
