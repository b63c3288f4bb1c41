import type { StorageAdapter } from '../../core/storage/contract.ts'
import { NOW } from './moments.ts'
import type { Site } from './site.ts'

/** A harmless call of every operation. `session` must be open for the calls to resolve. */
export function everyOperation(
  site: Site,
  session: string,
): Readonly<Record<string, (storage: StorageAdapter) => Promise<unknown>>> {
  return {
    session: (storage) => storage.session({ open: session, leaseDuration: 30_000, now: NOW }),
    enqueue: (storage) => storage.enqueue({ jobs: [site.newJob()], now: NOW }),
    claim: (storage) => storage.claim(site.claimRequest({ session })),
    beat: (storage) => storage.beat({ session, now: NOW, holds: [], claiming: [], progress: [] }),
    settle: (storage) => storage.settle({ batch: [], now: NOW }),
    sessions: (storage) => storage.sessions(),
    running: (storage) => storage.running({ session, types: ['task'], limit: 1 }),
    amend: (storage) => storage.amend({ batch: [], now: NOW }),
    tick: (storage) => storage.tick({ batch: [], now: NOW }),
    define: (storage) => storage.define({ kind: 'automation', batch: [] }),
    definitions: (storage) => storage.definitions('automation'),
    pause: (storage) => storage.pause({ scope: { type: 'nothing' }, paused: true }),
    pauses: (storage) => storage.pauses(),
    get: (storage) => storage.get([]),
    list: (storage) =>
      storage.list({
        where: {},
        orderBy: [{ path: ['createdAt'], direction: 'desc' }],
        limit: 1,
        after: null,
        now: NOW,
      }),
    counts: (storage) => storage.counts({ now: NOW }),
    prune: (storage) => storage.prune({ rules: [], spareSince: NOW, limit: 1, now: NOW }),
  }
}
