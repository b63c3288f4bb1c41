import { delayed, MINUTE } from './moments.ts'
import { complete, fail } from './settlements.ts'
import type { Site } from './site.ts'

/** One job in every status, with the status as its id; `running` is held by the session `holder`. */
export async function oneOfEach(site: Site): Promise<void> {
  await site.add({ id: 'completed' })
  await site.settle(complete(await site.claimOne()))
  await site.add({ id: 'failed' })
  await site.settle(fail(await site.claimOne()))
  await site.add({ id: 'cancelled' })
  await site.amend({ kind: 'cancel', id: 'cancelled', reason: 'asked' })
  await site.add({ id: 'running' })
  await site.claimOne({ session: 'holder' })
  await site.addAll([{ id: 'pending' }, { id: 'scheduled', ...delayed(MINUTE) }])
}
