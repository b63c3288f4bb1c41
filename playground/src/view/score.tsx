import { tally } from '../bookkeeping.ts'
import { health } from './board.ts'
import { HowToLose } from './how-to-lose.tsx'

/** The four numbers that say whether the page keeps its word. */
export function Score() {
  const { acknowledged = null, done = null, lost = null, twice = null } = tally.value ?? {}
  return (
    <section class="score" aria-labelledby="score-title">
      <h2 id="score-title" class="unseen">
        Is anything lost?
      </h2>
      <dl>
        <Number name="Acknowledged" value={acknowledged} id="acknowledged" />
        <Number name="Done" value={done} id="done" />
        <Number name="Lost" value={lost} id="lost" bad={lost !== null && lost > 0} />
        <Number name="Accepted twice" value={twice} id="twice" bad={twice !== null && twice > 0} />
      </dl>
      {health.value.state !== 'ok' && (
        <p class="warning">
          The storage is {health.value.state}: {health.value.cause?.message ?? 'no cause is known'}
        </p>
      )}
      <HowToLose />
    </section>
  )
}

function Number({ name, value, id, bad = false }: { name: string; value: number | null; id: string; bad?: boolean }) {
  return (
    <div class={bad ? 'bad' : ''}>
      <dt>{name}</dt>
      <dd id={id}>{value?.toLocaleString('en') ?? '–'}</dd>
    </div>
  )
}
