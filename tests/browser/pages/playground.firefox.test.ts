import { describe } from 'vitest'
import { startFirefox } from './firefox.ts'
import { journeysIn } from './playground.ts'
import { jobJourneys } from './playground-jobs.ts'
import { panelJourneys } from './playground-panels.ts'

describe.concurrent('at the same time', () => {
  const journey = journeysIn((profile) => startFirefox({ profile }))
  jobJourneys(journey, (visitor) => visitor.leave())
  panelJourneys(journey)
})
