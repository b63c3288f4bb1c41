import { type JobCounts, STATUSES } from '../../core/storage/contract.ts'
import { equal } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { delayed, MINUTE, NOW } from './moments.ts'
import { oneOfEach } from './population.ts'
import { cancelled, complete, fail, release, retry } from './settlements.ts'
import { WORKER, type Site } from './site.ts'

type Step = readonly [act: (site: Site) => Promise<unknown>, expected: Partial<JobCounts>]

/** What happens to the only job there is, step by step, and what is counted after the last. */
const STEPS: Readonly<Record<string, Step>> = {
  'an enqueue': [(site) => site.add(), { pending: 1 }],
  'a delayed enqueue': [(site) => site.add(delayed(MINUTE)), { scheduled: 1 }],
  'a claim': [(site) => running(site), { running: 1 }],
  'a completion': [async (site) => site.settle(complete(await running(site))), { completed: 1 }],
  'a retry': [
    async (site) => site.settle({ ...retry(await running(site)), runAt: NOW + MINUTE, delay: MINUTE }),
    { scheduled: 1 },
  ],
  'a failure': [async (site) => site.settle(fail(await running(site))), { failed: 1 }],
  'a release': [async (site) => site.settle(release(await running(site))), { pending: 1 }],
  'a cancelled attempt': [async (site) => site.settle(cancelled(await running(site))), { cancelled: 1 }],
  'the close of a session': [(site) => running(site).then(() => site.close(WORKER)), { pending: 1 }],
  'a forced release': [
    (site) => running(site).then(() => site.amend({ kind: 'forceRelease', session: WORKER })),
    { pending: 1 },
  ],
  'a cancellation': [(site) => cancelledByHand(site), { cancelled: 1 }],
  'a requeue': [
    async (site) => site.amend({ kind: 'requeue', id: await cancelledByHand(site), runAt: NOW, delay: null }),
    { pending: 1 },
  ],
  'a removal': [async (site) => site.amend({ kind: 'remove', id: await cancelledByHand(site) }), {}],
  'a keyed enqueue that replaces': [
    (site) => site.add({ jobKey: 'key' }).then(() => site.add({ jobKey: 'key', ...delayed(MINUTE) })),
    { scheduled: 1 },
  ],
}

export const counts: readonly ConformanceCase[] = [
  ...Object.entries(STEPS).flatMap(([name, [act, expected]]) =>
    area('counts', {
      [`the counts follow ${name}`]: async (site) => {
        await tells(site, {})
        await act(site)
        await tells(site, expected)
      },
    }),
  ),

  ...area('counts', {
    'every status is counted by itself': async (site) => {
      await oneOfEach(site)
      await tells(site, { pending: 1, scheduled: 1, running: 1, completed: 1, failed: 1, cancelled: 1 })
    },

    'the clock alone turns scheduled into pending': async (site) => {
      await site.addAll([delayed(MINUTE), delayed(2 * MINUTE), {}])
      await tells(site, { pending: 1, scheduled: 2 })
      await tells(site, { pending: 2, scheduled: 1 }, NOW + MINUTE)
      await tells(site, { pending: 3 }, NOW + 2 * MINUTE)
      await tells(site, { pending: 1, scheduled: 2 })
    },

    'the counts follow a prune': async (site) => {
      await oneOfEach(site)
      const storage = await site.storage()
      const rules = [{ state: 'completed', finishedBefore: NOW + MINUTE, keep: 10 }] as const
      await storage.prune({ rules, spareSince: NOW + MINUTE, limit: 10, now: NOW })
      await tells(site, { pending: 1, scheduled: 1, running: 1, failed: 1, cancelled: 1 })
    },
  }),
]

async function running(site: Site): ReturnType<Site['claimOne']> {
  await site.add()
  return site.claimOne()
}

async function cancelledByHand(site: Site): Promise<string> {
  const { id } = await site.add()
  await site.amend({ kind: 'cancel', id, reason: 'asked' })
  return id
}

async function tells(site: Site, expected: Partial<JobCounts>, now: number = NOW): Promise<void> {
  const full = Object.fromEntries(STATUSES.map((status) => [status, expected[status] ?? 0]))
  await site.settled(async (storage) => equal(await storage.counts({ now }), full, 'the counts'))
}
