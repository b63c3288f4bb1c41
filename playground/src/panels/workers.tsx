import { useSignal } from '@preact/signals'
import type { Job } from 'holdfast'
import { useEffect } from 'preact/hooks'
import { add, notice } from '../actions.ts'
import { endlessLoop, primes } from '../jobs/definitions.ts'
import { queue } from '../queue.ts'
import { progress } from '../view/board.ts'
import { everySecond } from '../view/clock.ts'
import { History } from '../view/history.tsx'
import { shortId, titleOf } from '../view/show.ts'
import { crew, isStarted, kill, type Member, running, trouble } from '../workers.ts'

const BELOW = 10_000_000

export function Workers() {
  return (
    <>
      <div class="row">
        <button onClick={() => void add('Primes', [{ job: primes, payload: { below: BELOW } }])}>Count primes</button>
        <button onClick={() => void add('Endless loop', [{ job: endlessLoop }])}>Loop for ever</button>
      </div>
      {trouble.value !== null && <p class="warning">No worker could be started; it is tried again. {trouble}</p>}
      <ul class="workers" role="list">
        {crew.value.map((member, place) => (
          // By its place, so that whoever kills by keyboard stays where they are.
          <Row key={place} member={member} />
        ))}
      </ul>
      <LatestLoop />
    </>
  )
}

function Row({ member: { name, worker } }: { member: Member }) {
  const job = worker === null ? undefined : running.value.get(name)
  const canBeKilled = worker !== null && isStarted.value
  const told = job && progress.value.get(job.id)
  return (
    <li>
      <span class="who">
        {name}
        <span class="about">{job === undefined ? idle(worker) : `${job.type} ${titleOf(job)}`}</span>
      </span>
      <button
        class="small"
        aria-label={`Kill this worker: ${name}`}
        aria-disabled={!canBeKilled}
        onClick={() => {
          if (!canBeKilled) return
          kill(worker, name)
          notice.value = `${name} was killed. What it ran is started again, by another.`
        }}
      >
        Kill this worker
      </button>
      <progress aria-label={`Progress of ${name}`} max={1} value={typeof told === 'number' ? told : 0} />
    </li>
  )
}

function idle(worker: Worker | null): string {
  if (worker === null) return 'has ended; another one takes its place'
  return isStarted.value ? 'waits for work' : 'is starting'
}

/** What became of the endless loop that was enqueued last, here or in another tab. */
function LatestLoop() {
  const latest = useSignal<Job | null>(null)
  useEffect(
    () =>
      everySecond(async () => {
        const loops = queue.list({ where: { type: { eq: endlessLoop.type } }, orderBy: { createdAt: 'desc' } })
        latest.value = (await loops.page({ size: 1 })).jobs[0] ?? null
      }),
    [],
  )
  if (latest.value === null) return <p class="loop about">No loop was started yet.</p>
  const { id, status, history } = latest.value
  return (
    <div class="loop">
      <h3>
        Endless loop <code>{shortId(id)}</code>: {status}
      </h3>
      <History attempts={history} />
    </div>
  )
}
