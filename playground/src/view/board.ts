import { signal } from '@preact/signals'
import type { Job, JobCounts, JobStatus, PauseScope, Session, StorageHealth } from 'holdfast'
import { queue } from '../queue.ts'

/** In the order of a job's life. */
export const STATUSES = ['pending', 'scheduled', 'running', 'completed', 'failed', 'cancelled'] as const

/** How many jobs a lane shows; the count says how many there are. */
export const SHOWN = 5

/** Of waiting jobs more are read than shown, since they are put into order here; see `inOrder`. */
const READ = 50

const ORDER = {
  pending: { runAt: 'asc' },
  scheduled: { runAt: 'asc' },
  running: { startedAt: 'asc' },
  completed: { finishedAt: 'desc' },
  failed: { finishedAt: 'desc' },
  cancelled: { finishedAt: 'desc' },
} as const

/** What the page shows of the queue. */
export const counts = signal<JobCounts>(Object.fromEntries(STATUSES.map((status) => [status, 0])) as JobCounts)
export const lanes = signal<Readonly<Partial<Record<JobStatus, readonly Job[]>>>>({})
export const sessions = signal<readonly Session[]>([])
export const pauses = signal<readonly PauseScope[]>([])
export const health = signal<StorageHealth>(queue.health())
/** Progress of jobs that run in this tab, as it is told and not yet stored. */
export const progress = signal<ReadonlyMap<string, unknown>>(new Map())

queue.on('progress', ({ job, value }) => {
  // The newest last, and those that ended long ago fall out at the front.
  const others = [...progress.peek()].filter(([id]) => id !== job.id).slice(-50)
  progress.value = new Map([...others, [job.id, value]])
})
queue.on('health', (event) => (health.value = event.health))

/** By priority, as they will be taken: `list` orders by one field, and puts the newest of those that are equal first. */
function inOrder(jobs: readonly Job[]): readonly Job[] {
  return jobs[0]?.status === 'pending' ? [...jobs].sort((a, b) => b.priority - a.priority) : jobs
}

async function look(): Promise<void> {
  counts.value = await queue.counts()
  const shown = STATUSES.map(async (status) => {
    const where = { status: { eq: status } }
    const { jobs } = await queue
      .list({ where, orderBy: ORDER[status] })
      .page({ size: status === 'pending' ? READ : SHOWN })
    return [status, inOrder(jobs).slice(0, SHOWN)] as const
  })
  lanes.value = Object.fromEntries(await Promise.all(shown))
  sessions.value = await queue.sessions()
  pauses.value = await queue.pauses()
}

/** Between two looks, ms: at least this, and at most a tenth of the time goes into looking. */
const PAUSE = 150

/** How many changes were told. */
let heard = 0
let wake = (): void => undefined

async function listen(): Promise<void> {
  for await (const _ of queue.events()) {
    heard += 1
    wake()
  }
}

/** Looks again after changes anywhere, and once a second, since hints may be lost and beats are no changes of jobs. */
export async function watch(): Promise<void> {
  void listen()
  for (;;) {
    const began = performance.now()
    const before = heard
    await look().catch(() => undefined)
    const pause = Math.max(PAUSE, 10 * (performance.now() - began))
    await new Promise((resolve) => setTimeout(resolve, pause))
    if (heard !== before) continue
    await new Promise<void>((resolve) => {
      wake = resolve
      setTimeout(resolve, 1000)
    })
  }
}
