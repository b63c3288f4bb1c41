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
import { crew, kill, type Member, running, trouble } from '../workers.ts'

const BELOW = 10_000_000

export function Workers() {
  return (
    <>
      <div class="row">
        <button onClick={() => void add('Primes', [{ job: primes, payload: { below: BELOW } }])}>Count primes</button>
        <button onClick={() => void add('Endless loop', [{ job: endlessLoop }])}>Loop for ever</button>
      </div>
      {trouble.value !== null && <p class="warning">No worker can be started. {trouble}</p>}
      <ul class="workers">
        {crew.value.map((member) => (
          <Row key={member.name} member={member} />
        ))}
      </ul>
      <LatestLoop />
    </>
  )
}

function Row({ member }: { member: Member }) {
  const job = running.value.get(member.name)
  const told = job && progress.value.get(job.id)
  return (
    <li>
      <span class="who">
        {member.name}
        <span class="about">{job === undefined ? 'waits for work' : `${job.type} ${titleOf(job)}`}</span>
      </span>
      <button
        class="small"
        aria-label={`Kill this worker: ${member.name}`}
        onClick={() => {
          kill(member)
          notice.value = `${member.name} was killed. What it ran is started again, by another.`
        }}
      >
        Kill this worker
      </button>
      <progress aria-label={`Progress of ${member.name}`} max={1} value={typeof told === 'number' ? told : 0} />
    </li>
  )
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
