import { amend } from './amend.ts'
import { beat } from './beat.ts'
import { cancel } from './cancel.ts'
import { chain } from './chain.ts'
import { claim } from './claim.ts'
import { clock } from './clock.ts'
import { counts } from './counts.ts'
import { enqueue } from './enqueue.ts'
import { expiry } from './expiry.ts'
import { fence } from './fence.ts'
import { filters } from './filters.ts'
import { foldedCalls } from './folded-calls.ts'
import { groups } from './groups.ts'
import { keyHolders } from './key-holders.ts'
import { keys } from './keys.ts'
import type { ConformanceCase } from './kit.ts'
import { lifecycle } from './lifecycle.ts'
import { limits } from './limits.ts'
import { list } from './list.ts'
import { operators } from './operators.ts'
import { pause } from './pause.ts'
import { payload } from './payload.ts'
import { prune } from './prune.ts'
import { rates } from './rates.ts'
import { read } from './read.ts'
import { reaper } from './reaper.ts'
import { removal } from './removal.ts'
import { repeatAmend } from './repeat-amend.ts'
import { repeatSettle } from './repeat-settle.ts'
import { repeat } from './repeat.ts'
import { schedules } from './schedules.ts'
import { session } from './session.ts'
import { settle } from './settle.ts'
import { strict } from './strict.ts'
import { structured } from './structured.ts'
import { suspects } from './suspects.ts'
import { unreached } from './unreached.ts'
import { versions } from './versions.ts'

/** Every guarantee of the storage contract, one case each. */
export const cases: readonly ConformanceCase[] = [
  ...lifecycle,
  ...session,
  ...enqueue,
  ...keys,
  ...foldedCalls,
  ...keyHolders,
  ...versions,
  ...claim,
  ...suspects,
  ...groups,
  ...strict,
  ...limits,
  ...rates,
  ...fence,
  ...settle,
  ...chain,
  ...unreached,
  ...expiry,
  ...reaper,
  ...beat,
  ...cancel,
  ...amend,
  ...removal,
  ...schedules,
  ...pause,
  ...read,
  ...list,
  ...filters,
  ...operators,
  ...counts,
  ...prune,
  ...payload,
  ...structured,
  ...clock,
  ...repeat,
  ...repeatSettle,
  ...repeatAmend,
]
