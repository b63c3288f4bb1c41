import type { JobRecord } from '../../core/storage/contract.ts'
import { equal, ok } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { NOW } from './moments.ts'
import { complete, EVERY_KIND, fail, interrupt, release, retry } from './settlements.ts'
import type { Site } from './site.ts'

const PER_EPOCH = 2 ** 20

export const fence: readonly ConformanceCase[] = [
  ...area('fence', {
    'a fence lies above the epoch of its session': async (site) => {
      await site.add()
      const epoch = await site.open('a')
      const held = await site.claimOne({ session: 'a' })
      ok(held.fence > epoch * PER_EPOCH, `a fence above ${epoch} × 2^20, got ${held.fence}`)
    },

    'a later session gives fences above its own epoch': async (site) => {
      await site.add()
      await site.settle(release(await site.claimOne({ session: 'a' })))
      const epoch = await site.open('b')
      const held = await site.claimOne({ session: 'b' })
      ok(held.fence > epoch * PER_EPOCH, `a fence above ${epoch} × 2^20, got ${held.fence}`)
    },

    'an older session gives a higher fence than the one before': async (site) => {
      await site.add()
      await site.open('old')
      await site.open('new')
      const first = await site.claimOne({ session: 'new' })
      await site.settle(release(first))
      const second = await site.claimOne({ session: 'old' })
      ok(second.fence > first.fence, `a fence above ${first.fence}, got ${second.fence}`)
    },

    'a release keeps the fence, and the next claim raises it': async (site) => {
      await rises(site, async (held) => site.settle(release(held)))
    },

    'a retry keeps the fence, and the next claim raises it': async (site) => {
      await rises(site, async (held) => site.settle(retry(held)))
    },

    'a requeue keeps the fence, and the next claim raises it': async (site) => {
      await rises(site, async (held) => {
        await site.settle(fail(held))
        await site.amend({ kind: 'requeue', id: held.id, runAt: NOW, delay: null })
      })
    },

    'a replaced job keeps the fence, and the next claim raises it': async (site) => {
      await rises(site, async (held) => {
        await site.settle(retry(held))
        await site.add({ jobKey: 'key' })
      })
    },

    'the close of a session keeps the fence, and the next claim raises it': async (site) => {
      await rises(site, async () => site.close('first'))
    },

    'an attempt with a fence that was never given is stale': async (site) => {
      const { id } = await site.add()
      const held = await site.claimOne()
      equal(await site.settle(complete({ id, fence: held.fence + 1 })), 'stale', 'the verdict')
      await site.shows(id, held)
    },

    'progress with a stale fence is not stored': async (site) => {
      const { old, held } = await reclaimed(site)
      await site.beat({ session: 'a', progress: [{ id: old.id, fence: old.fence, value: 'stale' }] })
      await site.shows(held.id, { progress: held.progress })
    },
  }),

  ...Object.entries(EVERY_KIND).flatMap(([kind, settlement]) =>
    area('fence', {
      [`a stale settle of the kind '${kind}' changes nothing`]: async (site) => {
        const { old, held } = await reclaimed(site)
        equal(await site.settle(settlement(old)), 'stale', 'the verdict')
        await site.shows(held.id, held)
        equal(await site.settle(complete(held)), 'ok', 'the verdict for the attempt that holds the job')
      },
    }),
  ),
]

/** A job that the session `a` lost to `b` while it ran. */
async function reclaimed(site: Site): Promise<{ readonly old: JobRecord; readonly held: JobRecord }> {
  await site.add()
  const old = await site.claimOne({ session: 'a' })
  await site.settle(interrupt(old))
  return { old, held: await site.claimOne({ session: 'b' }) }
}

async function rises(site: Site, back: (held: JobRecord) => Promise<unknown>): Promise<void> {
  const { id } = await site.add({ jobKey: 'key' })
  await site.open('second')
  const first = await site.claimOne({ session: 'first' })
  await back(first)
  await site.shows(id, { state: 'waiting', fence: first.fence })
  const second = await site.claimOne({ session: 'second' })
  ok(second.fence > first.fence, `a fence above ${first.fence}, got ${second.fence}`)
}
