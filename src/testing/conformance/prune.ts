import type { FinishedState, PruneRequest } from '../../core/storage/contract.ts'
import { equal } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { MINUTE, NOW, SECOND, YEAR } from './moments.ts'
import { oneOfEach } from './population.ts'
import { complete, fail } from './settlements.ts'
import { only, type Site } from './site.ts'

const FOREVER = NOW + YEAR
/** Nothing is too old, nothing too many. */
const KEEP_ALL = { finishedBefore: 0, keep: 1000 }

export const prune: readonly ConformanceCase[] = area('prune', {
  'a finished job goes when it ended before the moment of the rule': async (site) => {
    await finished(site, ['one', 'two', 'three'])
    const rule = { state: 'completed', ...KEEP_ALL, finishedBefore: NOW + 2 * SECOND } as const
    equal(await run(site, { rules: [rule] }), { removed: 2, more: false }, 'the answer')
    await site.gone('one')
    await site.gone('two')
    await site.shows('three', { state: 'completed' })
  },

  'a finished job goes when it is not among the newest': async (site) => {
    await finished(site, ['one', 'two', 'three'])
    const rule = { state: 'completed', ...KEEP_ALL, keep: 1 } as const
    equal(await run(site, { rules: [rule] }), { removed: 2, more: false }, 'the answer')
    await site.gone('one')
    await site.gone('two')
    await site.shows('three', { state: 'completed' })
  },

  'the newest are those that ended last, not those enqueued last': async (site) => {
    await site.addAll([{ id: 'ended last' }, { id: 'enqueued last' }])
    const { jobs } = await site.claim()
    for (const job of jobs) await site.settle(complete(job), job.id === 'ended last' ? NOW + MINUTE : NOW)
    await run(site, { rules: [{ state: 'completed', ...KEEP_ALL, keep: 1 }] })
    await site.gone('enqueued last')
    await site.shows('ended last', { state: 'completed' })
  },

  'a rule touches its own state only': async (site) => {
    await oneOfEach(site)
    await run(site, { rules: [{ state: 'failed', finishedBefore: FOREVER, keep: 0 }] })
    await site.gone('failed')
    await site.shows('completed', { state: 'completed' })
    await site.shows('cancelled', { state: 'cancelled' })
  },

  'live jobs never go': async (site) => {
    await oneOfEach(site)
    const rules = (['completed', 'failed', 'cancelled'] as const).map((state) => ({
      ...{ state, finishedBefore: FOREVER, keep: 0 },
    }))
    equal((await run(site, { rules })).removed, 3, 'the number of removed jobs')
    await site.shows('pending', { state: 'waiting' })
    await site.shows('scheduled', { state: 'waiting' })
    await site.shows('running', { state: 'running' })
  },

  'nothing goes that ended at or after the spared moment': async (site) => {
    await finished(site, ['before', 'at', 'after'])
    const rule = { state: 'completed', finishedBefore: FOREVER, keep: 0 } as const
    equal(await run(site, { rules: [rule], spareSince: NOW + SECOND }), { removed: 1, more: false }, 'the answer')
    await site.gone('before')
    await site.shows('at', { state: 'completed' })
    await site.shows('after', { state: 'completed' })
  },

  'a prune removes no more than its limit and tells that there are more': async (site) => {
    await finished(site, ['1', '2', '3', '4', '5'])
    const rules = [{ state: 'completed', finishedBefore: FOREVER, keep: 0 } as const]
    equal(await run(site, { rules, limit: 2 }), { removed: 2, more: true }, 'the first answer')
    equal(await run(site, { rules, limit: 2 }), { removed: 2, more: true }, 'the second answer')
    equal(await run(site, { rules, limit: 2 }), { removed: 1, more: false }, 'the third answer')
  },

  'the limit holds over all rules': async (site) => {
    await oneOfEach(site)
    const rules = (['completed', 'failed', 'cancelled'] satisfies FinishedState[]).map((state) => ({
      ...{ state, finishedBefore: FOREVER, keep: 0 },
    }))
    equal(await run(site, { rules, limit: 2 }), { removed: 2, more: true }, 'the answer')
  },

  'without rules nothing goes': async (site) => {
    await finished(site, ['one'])
    equal(await run(site, { rules: [] }), { removed: 0, more: false }, 'the answer')
    await site.shows('one', { state: 'completed' })
  },

  'a pruned failed job frees its key': async (site) => {
    await site.add({ id: 'one', jobKey: 'key' })
    await site.settle(fail(await site.claimOne()))
    await run(site, { rules: [{ state: 'failed', finishedBefore: FOREVER, keep: 0 }] })
    const answer = await site.enqueue([{ id: 'two', jobKey: 'key', jobKeyMode: 'unsafeDedupe' }])
    equal(answer.accepted && only(answer.jobs, 'the answer').disposition, 'created', 'the disposition')
  },

  'a requeued job does not go': async (site) => {
    await site.add({ id: 'one' })
    await site.settle(fail(await site.claimOne()))
    await site.amend({ kind: 'requeue', id: 'one', runAt: NOW, delay: null })
    await run(site, { rules: [{ state: 'failed', finishedBefore: FOREVER, keep: 0 }] })
    await site.shows('one', { state: 'waiting' })
  },
})

async function run(
  site: Site,
  request: Pick<PruneRequest, 'rules'> & Partial<PruneRequest>,
): Promise<{ readonly removed: number; readonly more: boolean }> {
  const storage = await site.storage()
  return storage.prune({ spareSince: FOREVER, limit: 100, now: NOW, ...request })
}

/** Completed jobs, each a second after the one before, the first at `NOW`. */
async function finished(site: Site, names: readonly string[]): Promise<void> {
  await site.addAll(names.map((id) => ({ id })))
  for (const index of names.keys()) await site.settle(complete(await site.claimOne({ limit: 1 })), NOW + index * SECOND)
}
