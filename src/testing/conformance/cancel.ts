import type { JobRecord } from '../../core/storage/contract.ts'
import { equal, matches } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { NOW, SECOND } from './moments.ts'
import { complete, interrupt, release, retry } from './settlements.ts'
import { only, type Site } from './site.ts'

export const cancel: readonly ConformanceCase[] = [
  ...area('cancel', {
    'a waiting job is cancelled at once': async (site) => {
      const { id } = await site.add()
      const answer = await ask(site, id, NOW + SECOND)
      equal(answer.verdict, 'ok', 'the verdict')
      matches(only(answer.jobs, 'the job'), { id, state: 'cancelled' }, 'the answer')
      await site.shows(id, { state: 'cancelled', finishedAt: NOW + SECOND, error: null })
    },

    'a cancelled job is not claimed': async (site) => {
      const { id } = await site.add()
      await ask(site, id)
      equal((await site.claim()).jobs, [], 'the claimed jobs')
    },

    'a job that waits for its retry is cancelled, and its error goes': async (site) => {
      const { id } = await site.add()
      await site.settle(retry(await site.claimOne()))
      await ask(site, id)
      await site.shows(id, { state: 'cancelled', error: null })
    },

    'a running job is asked to stop and goes on': async (site) => {
      const { id } = await site.add()
      const { fence } = await site.claimOne()
      const answer = await ask(site, id)
      equal(answer.verdict, 'ok', 'the verdict')
      await site.shows(id, { state: 'running', cancelRequested: 'asked', fence, finishedAt: null })
    },

    'each beat tells its holder of the request and the reason': async (site) => {
      await site.addAll([{ id: 'one' }, { id: 'two' }])
      const { jobs } = await site.claim()
      await ask(site, 'one')
      for (let beat = 0; beat < 2; beat += 1) {
        const answer = await site.beat({ holds: jobs })
        equal(answer, { cancel: [{ id: 'one', reason: 'asked' }], lost: [], orphans: [], ended: false }, 'the answer')
      }
    },

    'a cancel that races a claim is not lost': async (site) => {
      const { id } = await site.add()
      await site.open('a')
      const [left, right] = await site.handles.pair()
      const [[answer], claim] = await Promise.all([
        left.amend({ batch: [{ kind: 'cancel', id, reason: 'asked' }], now: NOW }),
        right.claim(site.claimRequest({ session: 'a' })),
      ])
      equal(answer?.verdict, 'ok', 'the verdict')
      await site.showsInTheEnd(id, claim.jobs.length === 0 ? { state: 'cancelled' } : { cancelRequested: 'asked' })
    },

    'a completion wins over a request to cancel': async (site) => {
      const { id } = await site.add()
      const held = await site.claimOne()
      await ask(site, id)
      equal(await site.settle(complete(held, 'done')), 'ok', 'the verdict')
      await site.shows(id, { state: 'completed', result: 'done', cancelRequested: null })
    },

    'a request to cancel does not outlive a requeue': async (site) => {
      const { id } = await site.add()
      const held = await site.claimOne()
      await ask(site, id)
      await site.settle(release(held))
      await site.amend({ kind: 'requeue', id, runAt: NOW, delay: null })
      const again = await site.claimOne()
      equal((await site.beat({ holds: [again] })).cancel, [], 'the requests told by the beat')
    },
  }),

  ...Object.entries({
    'throws and would be retried': (site: Site, held: JobRecord) => site.settle(retry(held), NOW + SECOND),
    'is given back': (site: Site, held: JobRecord) => site.settle(release(held), NOW + SECOND),
    'is taken back by the reaper': (site: Site, held: JobRecord) => site.settle(interrupt(held), NOW + SECOND),
    'loses its session': (site: Site) => site.close('holder', NOW + SECOND),
    'is released by force': (site: Site) => site.amend({ kind: 'forceRelease', session: 'holder' }, NOW + SECOND),
  }).flatMap(([way, end]) =>
    area('cancel', {
      [`an attempt that was asked to stop and ${way} leaves the job cancelled`]: async (site) => {
        const { id } = await site.add({ queueName: 'queue' })
        const held = await site.claimOne({ session: 'holder' })
        await ask(site, id)
        await end(site, held)
        await site.shows(id, { state: 'cancelled', session: null, finishedAt: NOW + SECOND })
        equal((await site.claim()).jobs, [], 'the jobs claimed next')
      },
    }),
  ),
]

async function ask(site: Site, id: string, now: number = NOW): ReturnType<Site['amend']> {
  return site.amend({ kind: 'cancel', id, reason: 'asked' }, now)
}
