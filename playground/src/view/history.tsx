import type { AttemptRecord } from 'holdfast'

/** How each attempt of a job ended. */
export function History({ attempts }: { attempts: readonly AttemptRecord[] }) {
  if (attempts.length === 0) return <p class="about">None has ended yet.</p>
  return (
    <ol class="history" role="list">
      {attempts.map(({ fence, outcome, startedAt, endedAt, error }) => (
        <li key={fence}>
          {outcome} after {((endedAt - startedAt) / 1000).toFixed(2)} s, begun at{' '}
          {new Date(startedAt).toLocaleTimeString('en')}
          {error !== undefined && `: ${error.message}`}
        </li>
      ))}
    </ol>
  )
}
