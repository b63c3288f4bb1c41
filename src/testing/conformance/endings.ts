import type { JobRecord } from '../../core/storage/contract.ts'
import { MINUTE, NOW } from './moments.ts'
import { cancelled, complete, fail, interrupt, release, retry } from './settlements.ts'
import type { Site } from './site.ts'

const LATER = { runAt: NOW + MINUTE, delay: MINUTE }

/** Every way a running job of the session `holder` stops running. What waits again is due a minute later, where it can. */
export const ENDINGS: Readonly<Record<string, (site: Site, held: JobRecord) => Promise<unknown>>> = {
  completion: (site, held) => site.settle(complete(held)),
  retry: (site, held) => site.settle({ ...retry(held), ...LATER }),
  failure: (site, held) => site.settle(fail(held)),
  release: (site, held) => site.settle({ ...release(held), ...LATER }),
  cancellation: (site, held) => site.settle(cancelled(held)),
  'reaped attempt': (site, held) => site.settle({ ...interrupt(held), ...LATER }),
  'closed session': (site) => site.close('holder'),
  'forced release': (site) => site.amend({ kind: 'forceRelease', session: 'holder' }),
}
