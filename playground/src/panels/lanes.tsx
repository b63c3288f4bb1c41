import type { Job, JobStatus, PauseScope } from 'holdfast'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { attempt, notice } from '../actions.ts'
import { online } from '../network.ts'
import { queue } from '../queue.ts'
import { counts, lanes, pauses, progress, SHOWN, STATUSES } from '../view/board.ts'
import { now } from '../view/clock.ts'
import { inspect } from '../view/inspector.tsx'
import { counted, priorityName, titleOf, until } from '../view/show.ts'

const TITLES: Readonly<Record<JobStatus, string>> = {
  pending: 'Pending',
  scheduled: 'Scheduled',
  running: 'Running',
  completed: 'Completed',
  failed: 'Dead letters',
  cancelled: 'Cancelled',
}

export function Lanes() {
  return (
    <>
      {pauses.value.map((scope) => (
        <Pause key={JSON.stringify(scope)} scope={scope} />
      ))}
      <div class="lanes">
        {STATUSES.map((status) => (
          <Lane key={status} status={status} />
        ))}
      </div>
    </>
  )
}

/** Why jobs that are due do not start. */
function Pause({ scope }: { scope: PauseScope }) {
  const resume = (): void =>
    void attempt(async () => {
      await queue.resume(scope)
      notice.value = 'What was paused starts again.'
    })
  return (
    <p class="warning paused">
      Paused in all tabs: {inWords(scope)}.{' '}
      <button class="small" onClick={resume}>
        Resume
      </button>
    </p>
  )
}

function inWords(scope: PauseScope): string {
  if ('all' in scope) return 'all jobs'
  return 'type' in scope ? `jobs of type ${scope.type}` : `jobs of queue ${scope.queueName}`
}

function Lane({ status }: { status: JobStatus }) {
  const jobs = lanes.value[status] ?? []
  const count = counts.value[status]
  return (
    <section class={`lane ${status}`} aria-labelledby={`lane-${status}`}>
      <h3 id={`lane-${status}`}>
        {TITLES[status]} <span class={count > 0 ? 'count some' : 'count'}>{count.toLocaleString('en')}</span>
      </h3>
      {/* Without bullets a list is none for some screen readers, unless it says so. */}
      <ul role="list">
        {jobs.map((job) => (
          <Card key={job.id} job={job} />
        ))}
      </ul>
      {count === 0 && <p class="more">none</p>}
      {count > SHOWN && <p class="more">and {(count - SHOWN).toLocaleString('en')} more</p>}
      {status === 'failed' && count > 0 && (
        <button class="small" onClick={retryAll}>
          Retry all
        </button>
      )}
    </section>
  )
}

function retryAll(): void {
  void attempt(async () => {
    const { jobs } = await queue.list({ where: { status: { eq: 'failed' } } }).page({ size: 1000 })
    const retried = await queue.retry(jobs.map(({ id }) => id))
    notice.value = `${counted(retried.length, 'dead letter is', 'dead letters are')} tried again.`
  })
}

/** The job whose card had the focus when it left its lane. */
let focused: string | null = null

function Card({ job }: { job: Job }) {
  const card = useRef<HTMLButtonElement>(null)
  useLayoutEffect(() => {
    // It went to another lane, where it is a new element: whoever goes by keyboard stays with the job.
    if (focused === job.id && document.activeElement === document.body) card.current?.focus({ preventScroll: true })
    return () => {
      if (document.activeElement === card.current) focused = job.id
    }
  }, [])
  const picture = (Object(job.result) as { picture?: unknown }).picture
  return (
    <li>
      <button class="card" ref={card} onClick={() => inspect(job)}>
        {typeof picture === 'string' && <img src={picture} alt="" width="32" height="32" />}
        <span class="what">
          <b>{job.type}</b> {titleOf(job)}
        </span>
        <span class="state">{stateOf(job)}</span>
        {job.priority !== 1 && <span class="tag">{priorityName(job.priority)}</span>}
        {job.attempts > 1 && <span class="tag">attempt {job.attempts}</span>}
      </button>
      {job.status === 'running' && <Progress job={job} />}
    </li>
  )
}

function stateOf(job: Job): string {
  if (job.status === 'scheduled') return until(job.runAt, now.value)
  // On this page nothing else is required than to be online.
  if (job.status === 'pending') return job.requires.length > 0 && !online.value ? 'waits to be online' : 'due'
  return job.error?.message ?? ''
}

function Progress({ job }: { job: Job }) {
  const told = progress.value.get(job.id) ?? job.progress
  return typeof told === 'number' ? (
    <progress aria-label={`Progress of ${job.type} ${titleOf(job)}`} max={1} value={told} />
  ) : null
}
