import type { ComponentType } from 'preact'
import { BreakIt } from './break-it.tsx'
import { Kit } from './kit.tsx'
import { Lanes } from './lanes.tsx'
import { Log } from './log.tsx'
import { Sessions } from './sessions.tsx'
import { StartWork } from './start-work.tsx'
import { TenThousand } from './ten-thousand.tsx'

interface Entry {
  readonly id: string
  readonly title: string
  /** One sentence under the title. */
  readonly lead: string
  /** Takes the whole width of the page. */
  readonly wide?: boolean
  readonly Panel: ComponentType
}

/** The panels in their order on the page. A new one is a file in this folder and an entry here. */
export const panels: readonly Entry[] = [
  { id: 'start', title: '1. Start some work', lead: 'Each button stores jobs, then they run.', Panel: StartWork },
  {
    id: 'break',
    title: '2. Break it',
    lead: 'Open a second tab beside this one, then do your worst to either.',
    Panel: BreakIt,
  },
  {
    id: 'sessions',
    title: '3. Watch who works',
    lead: 'Every tab is a session that beats while it lives. When one falls silent, another takes its jobs.',
    Panel: Sessions,
  },
  { id: 'lanes', title: 'Jobs', lead: 'Choose a job to see all that is known of it.', wide: true, Panel: Lanes },
  {
    id: 'many',
    title: 'Ten thousand jobs',
    lead: 'Stored in one call, then run with a hundred slots, each end written to the database.',
    wide: true,
    Panel: TenThousand,
  },
  {
    id: 'log',
    title: 'The log',
    lead: 'The database holds a log; jobs are what it adds up to. This is its end, as queue.dump() shows it.',
    wide: true,
    Panel: Log,
  },
  {
    id: 'kit',
    title: 'Conformance kit',
    lead: 'The cases that every storage of holdfast has to pass, on the IndexedDB of this very browser.',
    wide: true,
    Panel: Kit,
  },
]
