import type { StorageAdapter } from '../../core/storage/contract.ts'
import { equal } from './expect.ts'
import { NOW } from './moments.ts'
import type { Site } from './site.ts'

/**
 * Makes a call whose answer is lost, and makes it again with the identical request: everything that can be read must
 * stay as the first call left it. Answers both answers.
 */
export async function repeated<T>(
  site: Site,
  call: (storage: StorageAdapter) => Promise<T>,
): Promise<{ readonly first: T; readonly second: T }> {
  const first = await call(await site.storage())
  const before = await picture(await site.handles.latest())
  const second = await call(await site.storage())
  equal(await picture(await site.handles.latest()), before, 'what is stored after the repeat')
  return { first, second }
}

/** Everything that can be read, but the beats of sessions, which rise with each beat. */
async function picture(storage: StorageAdapter): Promise<unknown> {
  const orderBy = [{ path: ['createdAt'], direction: 'asc' }] as const
  const { jobs } = await storage.list({ where: {}, orderBy, limit: 1000, after: null, now: NOW })
  const sessions = (await storage.sessions()).map(({ id, epoch }) => ({ id, epoch }))
  return {
    jobs,
    sessions,
    counts: await storage.counts({ now: NOW }),
    pauses: await storage.pauses(),
    schedules: await storage.definitions('schedule'),
    automations: await storage.definitions('automation'),
  }
}
