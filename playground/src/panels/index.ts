import type { ComponentType } from 'preact'
import { Aql } from './aql.tsx'
import { BreakIt } from './break-it.tsx'
import { Kit } from './kit.tsx'
import { Lanes } from './lanes.tsx'
import { Log } from './log.tsx'
import { Sessions } from './sessions.tsx'
import { StartWork } from './start-work.tsx'
import { TenThousand } from './ten-thousand.tsx'
import { Workers } from './workers.tsx'

interface Entry {
  readonly id: string
  readonly title: string
  /** One sentence under the title. */
  readonly lead: string
  /** Of the page, where it is wide enough. */
  readonly width: 'third' | 'half' | 'whole'
  readonly Panel: ComponentType
}

/** The panels in their order on the page. A new one is a file in this folder and an entry here. */
export const panels: readonly Entry[] = [
  {
    id: 'start',
    title: '1. Start some work',
    lead: 'Each button stores jobs, then they run.',
    width: 'third',
    Panel: StartWork,
  },
  {
    id: 'break',
    title: '2. Break it',
    lead: 'Open a second tab beside this one, then do your worst to either.',
    width: 'third',
    Panel: BreakIt,
  },
  {
    id: 'sessions',
    title: '3. Watch who works',
    lead: 'A tab has two sessions, for itself and for its Web Workers. Each beats while it lives; when one falls silent, others take its jobs.',
    width: 'third',
    Panel: Sessions,
  },
  { id: 'lanes', title: 'Jobs', lead: 'Choose a job to see all that is known of it.', width: 'whole', Panel: Lanes },
  {
    id: 'workers',
    title: 'Web Workers',
    lead: 'What keeps a processor busy runs in threads of its own, which can be ended whatever they do.',
    width: 'half',
    Panel: Workers,
  },
  {
    id: 'many',
    title: 'Ten thousand jobs',
    lead: 'Stored in one call, then run with a hundred slots, each end written to the database.',
    width: 'half',
    Panel: TenThousand,
  },
  {
    id: 'aql',
    title: 'AQL',
    lead: 'A query language over jobs, in the syntax of GraphQL. What it enqueues runs here, like all other jobs.',
    width: 'whole',
    Panel: Aql,
  },
  {
    id: 'log',
    title: 'The log',
    lead: 'The database holds a log; jobs are what it adds up to. This is its end, as queue.dump() shows it.',
    width: 'whole',
    Panel: Log,
  },
  {
    id: 'kit',
    title: 'Conformance kit',
    lead: 'The cases that every storage of holdfast has to pass, on the IndexedDB of this very browser.',
    width: 'whole',
    Panel: Kit,
  },
]
