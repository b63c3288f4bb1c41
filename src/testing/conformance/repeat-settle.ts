import type { JobRecord, Settlement } from '../../core/storage/contract.ts'
import { equal } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { NOW } from './moments.ts'
import { repeated } from './repetition.ts'
import { beatsOf } from './session.ts'
import { complete, EVERY_KIND, interrupt, release, retry, verdictsOf } from './settlements.ts'
import { WORKER, type Site } from './site.ts'

/** Guarantee 8 for outcomes. */
export const repeatSettle: readonly ConformanceCase[] = [
  ...Object.entries(EVERY_KIND).flatMap(([kind, settlement]) =>
    area('repeat-settle', {
      [`a repeated settle of the kind '${kind}' counts once`]: async (site) => {
        await twice(site, settlement(await secondAttempt(site)))
      },

      [`a repeated settle of the kind '${kind}' stores its jobs once`]: async (site) => {
        const held = await secondAttempt(site)
        const enqueue = [site.newJob({ id: 'child' }), site.newJob({ id: 'keyed', jobKey: 'key', payload: [1] })]
        await twice(site, { ...settlement(held), enqueue })
        if (kind !== 'complete' && kind !== 'fail') return site.gone('child')
        await site.shows('child', { state: 'waiting' })
        await site.shows('keyed', { payload: [1] })
      },
    }),
  ),

  ...area('repeat-settle', {
    'a repeated guarded settle counts one interruption': async (site) => {
      const held = await secondAttempt(site)
      const beats = await beatsOf(site, WORKER)
      await twice(site, interrupt(held, { beats }))
      await site.shows(held.id, { state: 'waiting', interruptions: 1 })
    },

    'a repeated batch answers the same verdicts': async (site) => {
      await site.addAll([{ id: 'one' }, { id: 'two' }])
      const { jobs } = await site.claim()
      const batch = [...jobs.map((job) => complete(job)), complete({ id: 'nobody', fence: 1 })]
      const call = { batch, now: NOW }
      const { first, second } = await repeated(site, (storage) => storage.settle(call))
      equal(
        [first, second].map(verdictsOf),
        [
          ['ok', 'ok', 'missing'],
          ['ok', 'ok', 'missing'],
        ],
        'the verdicts',
      )
    },

    'a repeated outcome does not touch the attempt that followed': async (site) => {
      for (const settlement of [retry, release]) {
        const { id } = await site.add()
        const earlier = settlement(await site.claimOne())
        await site.settle(earlier)
        const held = await site.claimOne()
        await site.settle(earlier)
        await site.shows(id, held)
      }
    },

    'a repeated outcome stores no job again that has run since': async (site) => {
      await site.add({ id: 'parent' })
      const settlement = { ...complete(await site.claimOne()), enqueue: [site.newJob({ id: 'child' })] }
      await site.settle(settlement)
      await site.settle(complete(await site.claimOne()))
      equal(await site.settle(settlement), 'ok', 'the verdict of the repeat')
      await site.shows('child', { state: 'completed' })
      equal((await site.claim()).jobs, [], 'the claimed jobs')
    },

    'a repeated outcome whose chained job could not be stored is told what it was told': async (site) => {
      await site.add({ id: 'parent' })
      const held = await site.claimOne()
      await site.add({ id: 'taken', payload: { n: 1 } })
      const enqueue = [site.newJob({ id: 'taken', payload: { n: 2 } })]
      const call = { batch: [{ ...complete(held), enqueue }], now: NOW }
      const { first, second } = await repeated(site, (storage) => storage.settle(call))
      equal(second, first, 'the answer to the repeat')
    },

    'a repeated completion with another result keeps the first': async (site) => {
      const { id } = await site.add()
      const held = await site.claimOne()
      await site.settle(complete(held, 'first'))
      await site.settle(complete(held, 'second'))
      await site.shows(id, { state: 'completed', result: 'first' })
    },
  }),
]

/** A job that failed once and runs again, so that counts can go wrong both ways. */
async function secondAttempt(site: Site): Promise<JobRecord> {
  await site.add()
  await site.settle(retry(await site.claimOne()))
  return site.claimOne()
}

async function twice(site: Site, settlement: Settlement): Promise<void> {
  const request = { batch: [settlement], now: NOW }
  const { first, second } = await repeated(site, (storage) => storage.settle(request))
  equal([verdictsOf(first), verdictsOf(second)], [['ok'], ['ok']], 'the verdicts')
}
