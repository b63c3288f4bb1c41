import type { Lane, StorageAdapter } from '../../core/storage/contract.ts'
import { equal, ok } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { HOUR, MINUTE, NOW, SECOND } from './moments.ts'
import { complete } from './settlements.ts'
import { ids, only, type Site } from './site.ts'

const lanes: readonly Lane[] = [{ type: 'task', limit: { rate: { count: 1, per: MINUTE } } }]

/** Rates are measured by clocks that never go back: a wall clock that is wrong or set starts no more jobs than they allow. */
export const rates: readonly ConformanceCase[] = area('rates', {
  'executors start no more together than the rate allows, the clock of the second hours ahead': (site) =>
    together(site, 3 * HOUR),

  'executors start no more together than the rate allows, the clock of the second hours behind': (site) =>
    together(site, -3 * HOUR),

  'a clock that is set ahead ends no window': async (site) => {
    const { left } = await opened(site)
    equal(await starts(site, left, 'a', 0), 1, 'the jobs started at first')
    equal(await starts(site, left, 'a', SECOND, HOUR), 0, 'the jobs started once the clock was set')
    equal(await starts(site, left, 'a', MINUTE, HOUR), 1, 'the jobs started at the end of the window')
  },

  'a clock that is set back keeps no window open': async (site) => {
    const { left } = await opened(site)
    equal(await starts(site, left, 'a', 0), 1, 'the jobs started at first')
    equal(await starts(site, left, 'a', MINUTE, -HOUR), 1, 'the jobs started at the end of the window')
  },

  'who comes to a window of a clock behind waits its length at most': async (site) => {
    const { left, right } = await opened(site)
    await waits(site, left, right, HOUR)
  },

  'who comes to a window of a clock ahead waits its length at most': async (site) => {
    const { left, right } = await opened(site)
    await right.claim(site.claimRequest({ session: 'b', lanes: [{ type: 'other' }], monotonic: 0, now: NOW - HOUR }))
    await waits(site, left, right, -HOUR)
  },

  'a window that is over keeps nobody waiting who comes when its opener has closed': async (site) => {
    await site.addAll([{}, {}])
    await site.claimOne({ session: 'a', lanes, limit: 1 })
    await site.close('a')
    equal((await site.claim({ session: 'b', lanes, now: NOW + MINUTE })).jobs.length, 1, 'the jobs started')
  },

  'a clock behind in a session that ends before others look again ends no window': async (site) => {
    const { left, right } = await opened(site)
    await right.claim(site.claimRequest({ session: 'b', lanes: [{ type: 'other' }], monotonic: 0 }))
    equal(await starts(site, left, 'a', MINUTE + SECOND, -HOUR), 1, 'the jobs started at first')
    await left.session({ close: 'a', now: NOW })
    equal(await starts(site, right, 'b', MINUTE + 2 * SECOND), 0, 'the jobs started by who looks again')
    equal(
      await starts(site, right, 'b', 2 * MINUTE + 2 * SECOND),
      1,
      'the jobs it started after the length of the window',
    )
  },

  'a prune by a clock ahead ends no window': async (site) => {
    const { left, right } = await opened(site)
    equal(await starts(site, left, 'a', 0), 1, 'the jobs started at first')
    await starts(site, right, 'b', SECOND, HOUR)
    const job = only(await left.running({ session: 'a', types: ['task'], limit: 1 }), 'the running jobs')
    await left.settle({ batch: [complete(job)], now: NOW })
    await right.prune({ rules: [], spareSince: 0, limit: 10, now: NOW + HOUR })
    equal(await starts(site, left, 'a', 2 * SECOND), 0, 'the jobs started in the window')
  },
})

/** Two handles, a session on each; where there is one, both are on it. */
async function opened(site: Site): Promise<{ readonly left: StorageAdapter; readonly right: StorageAdapter }> {
  await site.addAll(Array.from({ length: 10 }, () => ({})))
  const [left, right] = await site.handles.pair()
  await left.session({ open: 'a', leaseDuration: 30_000, now: NOW })
  await right.session({ open: 'b', leaseDuration: 30_000, now: NOW })
  return { left, right }
}

/** How many jobs a claim starts when so much time has passed, by a clock that is wrong by `error`. */
async function starts(site: Site, on: StorageAdapter, session: string, passed: number, error = 0): Promise<number> {
  const request = { session, lanes, limit: 2, monotonic: passed, now: NOW + passed + error }
  return ids((await on.claim(site.claimRequest(request))).jobs).length
}

async function waits(site: Site, left: StorageAdapter, right: StorageAdapter, error: number): Promise<void> {
  equal(await starts(site, left, 'a', 0), 1, 'the jobs started at first')
  equal(await starts(site, right, 'b', SECOND, error), 0, 'the jobs started by who comes')
  equal(await starts(site, right, 'b', SECOND + MINUTE, error), 1, 'the jobs it started after the length of the window')
}

async function together(site: Site, error: number): Promise<void> {
  const { left, right } = await opened(site)
  let started = 0
  for (let passed = 0; passed <= 6 * MINUTE; passed += 20 * SECOND) {
    started += await starts(site, left, 'a', passed)
    started += await starts(site, right, 'b', passed + SECOND, error)
    const most = 1 + Math.floor((passed + SECOND) / MINUTE)
    ok(started <= most, `no more than ${most} starts after ${passed / SECOND} s, got ${started}`)
  }
  ok(started >= 5, `a start for nearly every minute, got ${started}`)
}
