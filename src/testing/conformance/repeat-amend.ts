import type { Amendment, StorageAdapter } from '../../core/storage/contract.ts'
import { equal } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { delayed, MINUTE, NOW, SECOND } from './moments.ts'
import { oneOfEach } from './population.ts'
import { repeated } from './repetition.ts'
import { BOOM } from './settlements.ts'

const AMENDMENTS: Readonly<Record<string, Amendment>> = {
  'cancel of a waiting job': { kind: 'cancel', id: 'pending', reason: 'asked' },
  'cancel of a running job': { kind: 'cancel', id: 'running', reason: 'asked' },
  'requeue of a failed job': { kind: 'requeue', id: 'failed', ...delayed(MINUTE) },
  'requeue of a waiting job': { kind: 'requeue', id: 'pending', ...delayed(MINUTE) },
  reschedule: { kind: 'reschedule', id: 'pending', runAt: NOW + MINUTE, priority: 3, maxRetries: 7 },
  'completion by hand': { kind: 'complete', id: 'pending', result: 'by hand' },
  'failure by hand': { kind: 'fail', id: 'pending', error: BOOM },
  removal: { kind: 'remove', id: 'pending' },
  'removal by key': { kind: 'removeKey', jobKey: 'key' },
  'forced release': { kind: 'forceRelease', session: 'holder' },
}

type Call = (storage: StorageAdapter) => Promise<unknown>

const rules = [{ state: 'completed', finishedBefore: NOW + MINUTE, keep: 0 }] as const

const CALLS: Readonly<Record<string, Call>> = {
  definition: (storage) => storage.define({ kind: 'automation', batch: [{ name: 'one', value: 2 }] }),
  'change of a definition': (storage) =>
    storage.define({ kind: 'automation', batch: [{ name: 'one', change: { n: 2 } }] }),
  'removal of a definition': (storage) => storage.define({ kind: 'automation', batch: [{ name: 'one', value: null }] }),
  pause: (storage) => storage.pause({ scope: { type: 'task' }, paused: true }),
  resume: (storage) => storage.pause({ scope: { queueName: 'night' }, paused: false }),
  prune: (storage) => storage.prune({ rules, spareSince: NOW + MINUTE, limit: 100, now: NOW }),
}

/** Guarantee 8 for administration, definitions, ticks, pauses and prunes. */
export const repeatAmend: readonly ConformanceCase[] = [
  ...Object.entries(AMENDMENTS).flatMap(([name, amendment]) =>
    area('repeat-amend', {
      [`a repeated ${name} takes effect once`]: async (site) => {
        await oneOfEach(site)
        await site.add({ id: 'keyed', jobKey: 'key' })
        const request = { batch: [amendment], now: NOW + SECOND }
        const { first } = await repeated(site, (storage) => storage.amend(request))
        equal(
          first.map(({ verdict }) => verdict),
          ['ok'],
          'the verdict of the first call',
        )
      },
    }),
  ),

  ...Object.entries(CALLS).flatMap(([name, call]) =>
    area('repeat-amend', {
      [`a repeated ${name} takes effect once`]: async (site) => {
        await oneOfEach(site)
        const storage = await site.storage()
        await storage.define({ kind: 'automation', batch: [{ name: 'one', value: { n: 1 } }] })
        await storage.pause({ scope: { queueName: 'night' }, paused: true })
        await repeated(site, call)
      },
    }),
  ),

  ...area('repeat-amend', {
    'a repeated tick stores its jobs once': async (site) => {
      const storage = await site.storage()
      await storage.define({ kind: 'schedule', batch: [{ name: 'daily', value: {} }] })
      const jobs = [site.newJob({ id: 'one' }), site.newJob({ jobKey: 'key', payload: [1] })]
      const request = { batch: [{ schedule: 'daily', after: null, slot: NOW, jobs }], now: NOW }
      await repeated(site, (handle) => handle.tick(request))
      await site.settled(async (handle) => equal((await handle.counts({ now: NOW })).pending, 2, 'the pending jobs'))
    },
  }),
]
