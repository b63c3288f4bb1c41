import { signal } from '@preact/signals'
import type { ErrorData, Job } from 'holdfast'
import { useEffect, useRef } from 'preact/hooks'
import { attempt, notice } from '../actions.ts'
import { queue } from '../queue.ts'
import { now } from './clock.ts'
import { History } from './history.tsx'
import { priorityName, shown, titleOf, until } from './show.ts'

const inspected = signal<string | null>(null)
const job = signal<Job | null>(null)

/** Opens all that is known of a job. */
export function inspect(chosen: Job): void {
  job.value = chosen
  inspected.value = chosen.id
}

export function Inspector() {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = inspected.value
  useEffect(() => {
    if (id === null) return
    dialog.current?.showModal()
    const timer = setInterval(() => void attempt(async () => void (job.value = await queue.get(id))), 500)
    return () => clearInterval(timer)
  }, [id])
  return (
    <dialog ref={dialog} class="inspector" aria-labelledby="inspected" onClose={() => (inspected.value = null)}>
      <button class="close" onClick={() => dialog.current?.close()}>
        Close
      </button>
      <h2 id="inspected">{job.value === null ? 'This job is gone' : `${job.value.type} ${titleOf(job.value)}`}</h2>
      {job.value !== null && <Details job={job.value} />}
    </dialog>
  )
}

function Details({ job: { id, status, ...job } }: { job: Job }) {
  const act = (what: string, action: () => Promise<unknown>) => () =>
    void attempt(async () => {
      await action()
      notice.value = `${what}.`
    })
  const isOver = status === 'completed' || status === 'failed' || status === 'cancelled'
  return (
    <>
      <dl class="facts">
        <Fact name="Id" value={id} />
        <Fact name="Status" value={status === 'scheduled' ? `scheduled, due ${until(job.runAt, now.value)}` : status} />
        <Fact name="Priority" value={priorityName(job.priority)} />
        <Fact
          name="Attempts"
          value={`${job.attempts}, of them ${job.failures} failed and ${job.interruptions} interrupted`}
        />
        <Fact name="Retries" value={`at most ${job.maxRetries}`} />
        <Fact name="Fence" value={String(job.fence)} />
        <Fact name="Session" value={job.session ?? 'none holds it'} />
        {job.requires.length > 0 && <Fact name="Requires" value={job.requires.join(', ')} />}
      </dl>
      <div class="row">
        {(status === 'failed' || status === 'cancelled') && (
          <button onClick={act('Retried', () => queue.retry([id]))}>Retry</button>
        )}
        {!isOver && (
          <button onClick={act('Cancelled', () => queue.cancel(id, 'cancelled on the page'))}>Cancel the job</button>
        )}
      </div>
      {job.error !== null && <ErrorText error={job.error} />}
      <h3>Payload</h3>
      <pre tabIndex={0}>{shown(job.payload)}</pre>
      {status === 'completed' && (
        <>
          <h3>Result</h3>
          <Picture result={job.result} />
          <pre tabIndex={0}>{shown(job.result)}</pre>
        </>
      )}
      <h3>Attempts</h3>
      <History attempts={job.history} />
    </>
  )
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}

function ErrorText({ error: { code, name, message, stack = '' } }: { error: ErrorData }) {
  // The stacks of some browsers begin with both.
  const begins = message !== '' && stack.replace(/^[^:\n]*: /, '').startsWith(message)
  const heading = begins ? null : `${name}: ${message}`
  return (
    <>
      <h3>Error</h3>
      <pre tabIndex={0}>{[code, heading, stack].filter(Boolean).join('\n')}</pre>
    </>
  )
}

function Picture({ result }: { result: unknown }) {
  const { picture, width, height } = Object(result) as { picture?: string; width?: number; height?: number }
  return picture === undefined ? null : <img src={picture} alt="The thumbnail" width={width} height={height} />
}
