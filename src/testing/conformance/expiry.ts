import type { AmendAnswer, ErrorData, NewJob } from '../../core/storage/contract.ts'
import { equal, matches } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { at, delayed, HOUR, MINUTE, NOW, SECOND, YEAR } from './moments.ts'
import { BOOM, retry } from './settlements.ts'
import { ids, type Site } from './site.ts'

const AHEAD = NOW + YEAR
const LATE: ErrorData = { name: 'Error', message: 'late', code: 'E_LATE' }

/** A job expires some time after it is first due, unless it runs; no clock that was wrong once makes it. */
export const expiry: readonly ConformanceCase[] = area('expiry', {
  'the moment lies the given span after the job is first due': async (site) => {
    const add = async (job: Partial<NewJob>): Promise<number | null> =>
      (await site.add({ expireAfter: HOUR, ...job })).expireAt
    equal(await add({}), NOW + HOUR, 'the moment of an immediate job')
    equal(await add(delayed(MINUTE)), NOW + MINUTE + HOUR, 'the moment of a delayed job')
    equal(await add(at(NOW - MINUTE)), NOW + HOUR, 'the moment of a job that was due before it was enqueued')
    equal(await add({ expireAfter: null }), null, 'the moment of a job that waits for ever')
  },

  'a job whose time is kept when its key is used again expires after that time': async (site) => {
    const { id } = await site.add({ jobKey: 'key', expireAfter: HOUR, ...delayed(2 * HOUR) })
    await site.add({ jobKey: 'key', jobKeyMode: 'preserveRunAt', expireAfter: HOUR })
    await site.shows(id, { revision: 1, expireAt: NOW + 2 * HOUR + HOUR })
  },

  'a job past its moment is not claimed': async (site) => {
    await site.addAll([{ id: 'late', expireAfter: HOUR }, { id: 'in time', expireAfter: HOUR + 1 }, { id: 'for ever' }])
    const { jobs } = await site.claim({ now: NOW + HOUR })
    equal(ids(jobs), ['in time', 'for ever'], 'the claimed jobs')
    await site.shows('late', { state: 'waiting', attempts: 0 })
  },

  'a job past its moment holds up no other of its serial queue': async (site) => {
    await site.addAll([
      { id: 'late', expireAfter: HOUR, queueName: 'queue' },
      { id: 'next', queueName: 'queue' },
    ])
    equal(ids((await site.claim({ now: NOW + HOUR })).jobs), ['next'], 'the claimed jobs')
  },

  'a job past its moment ends when two calls have read the clock so': async (site) => {
    await site.addAll([{ id: 'one', expireAfter: HOUR }, { id: 'later', expireAfter: 2 * HOUR }, { id: 'for ever' }])
    equal(await expire(site, NOW + HOUR - 1), { verdict: 'ignored', jobs: [] }, 'the answer before the moment')
    equal((await expire(site, NOW + HOUR)).verdict, 'ignored', 'the verdict for the first call')
    const answer = await expire(site, NOW + HOUR + SECOND)
    equal([answer.verdict, ids(answer.jobs)], ['ok', ['one']], 'the answer to the second')
    await site.shows('one', { state: 'failed', finishedAt: NOW + HOUR + SECOND, error: LATE, attempts: 0, failures: 0 })
    await site.shows('later', { state: 'waiting' })
    await site.shows('for ever', { state: 'waiting' })
  },

  'the error that a job waited with is the cause': async (site) => {
    const { id } = await site.add({ expireAfter: HOUR })
    await site.settle(retry(await site.claimOne()))
    await expireTwice(site, NOW + HOUR)
    await site.shows(id, { state: 'failed', failures: 1, error: { ...LATE, cause: BOOM } })
  },

  'one call ends no more than its limit': async (site) => {
    await site.addAll([{ expireAfter: HOUR }, { expireAfter: HOUR }, { expireAfter: HOUR }])
    await expire(site, NOW + HOUR)
    equal((await expire(site, NOW + HOUR + SECOND, 2)).jobs.length, 2, 'the number of jobs that the first call ended')
    equal((await expire(site, NOW + HOUR + SECOND, 2)).jobs.length, 1, 'and the second')
  },

  'a call a year ahead ends nothing, nor does its repeat': async (site) => {
    await site.add({ id: 'one', expireAfter: HOUR })
    equal((await expire(site, AHEAD)).verdict, 'ignored', 'the verdict')
    equal((await expire(site, AHEAD)).verdict, 'ignored', 'the verdict for the repeat')
    equal(ids((await site.claim()).jobs), ['one'], 'the jobs claimed when the clock is right again')
  },

  'calls a year ahead end nothing when one between them read the clock right': async (site) => {
    const { id } = await site.add({ expireAfter: HOUR })
    await expire(site, AHEAD)
    await expire(site, NOW)
    await expire(site, AHEAD + MINUTE)
    await site.shows(id, { state: 'waiting' })
  },

  'a call a year ahead ends what was late before it': async (site) => {
    await site.addAll([
      { id: 'late', expireAfter: HOUR },
      { id: 'later', expireAfter: 2 * HOUR },
    ])
    await expire(site, NOW + HOUR)
    equal(ids((await expire(site, AHEAD)).jobs), ['late'], 'the jobs that it ended')
  },

  'a claim a year ahead leaves jobs that expire to a right clock': async (site) => {
    await site.add({ id: 'one', expireAfter: HOUR })
    equal((await site.claim({ now: AHEAD })).jobs, [], 'the jobs claimed a year ahead')
    equal(ids((await site.claim()).jobs), ['one'], 'the claimed jobs')
  },

  'a job enqueued by a clock a year behind has its whole span, while a session beats': async (site) => {
    await site.beat({ session: 'holder' })
    await site.add({ id: 'one', expireAfter: HOUR }, NOW - YEAR)
    await site.shows('one', { expireAt: NOW + HOUR })
    equal(ids((await site.claim({ now: NOW + MINUTE })).jobs), ['one'], 'the claimed jobs')
  },

  'a running job is not cut off, and does not wait again': async (site) => {
    const { id } = await site.add({ expireAfter: HOUR })
    const held = await site.claimOne()
    await expireTwice(site, NOW + HOUR)
    await site.shows(id, { state: 'running' })
    equal(await site.settle(retry(held), NOW + 2 * HOUR), 'ok', 'the verdict for the holder')
    equal((await site.claim({ now: NOW + 2 * HOUR })).jobs, [], 'the jobs claimed afterwards')
    await expireTwice(site, NOW + 2 * HOUR)
    await site.shows(id, { state: 'failed' })
  },

  'a job that expired and is requeued has its whole span again': async (site) => {
    await site.add({ id: 'one', expireAfter: HOUR })
    await expireTwice(site, NOW + HOUR)
    await site.amend({ kind: 'requeue', id: 'one', runAt: NOW + 2 * HOUR, delay: null }, NOW + 2 * HOUR)
    await site.shows('one', { state: 'waiting', expireAt: NOW + 3 * HOUR })
    equal(ids((await site.claim({ now: NOW + 3 * HOUR - 1 })).jobs), ['one'], 'the claimed jobs')
  },

  'a job with a new moment does not expire before it': async (site) => {
    await site.add({ id: 'one', expireAfter: HOUR })
    await site.amend({ kind: 'reschedule', id: 'one', runAt: NOW + YEAR })
    await site.shows('one', { expireAt: NOW + YEAR + HOUR })
  },

  'a replaced job has the span of the newer call': async (site) => {
    await site.add({ id: 'one', jobKey: 'key', expireAfter: HOUR })
    await site.add({ jobKey: 'key', expireAfter: 2 * HOUR }, NOW + MINUTE)
    await site.shows('one', { expireAfter: 2 * HOUR, expireAt: NOW + MINUTE + 2 * HOUR })
    await site.add({ jobKey: 'key', expireAfter: null }, NOW + MINUTE)
    await site.shows('one', { expireAfter: null, expireAt: null })
  },

  'counts and pages show a job past its moment as waiting until it is ended': async (site) => {
    await site.addAll([{ expireAfter: HOUR }, { expireAfter: 1, ...delayed(2 * HOUR) }])
    await expire(site, NOW + HOUR)
    await site.settled(async (storage) => {
      matches(await storage.counts({ now: NOW + HOUR }), { pending: 1, scheduled: 1, failed: 0 }, 'the counts')
    })
  },
})

async function expire(site: Site, now: number, limit = 100): Promise<AmendAnswer> {
  return site.amend({ kind: 'expire', error: LATE, limit }, now)
}

async function expireTwice(site: Site, now: number): Promise<void> {
  await expire(site, now)
  await expire(site, now + SECOND)
}
