import { useSignal, useSignalEffect } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { add, attempt, notice, priority } from '../actions.ts'
import { errand, fingerprint, thumbnail, webhook } from '../jobs/definitions.ts'
import { online } from '../network.ts'
import { behave, findEndpoint } from '../webhooks/client.ts'
import type { Behaviour } from '../webhooks/endpoint.ts'

const BEHAVIOURS: readonly Behaviour[] = ['answers', 'fails twice', 'fails']
const PRIORITIES = ['low', 'normal', 'high', 'critical'] as const

let orders = 0

export function StartWork() {
  return (
    <>
      <Files />
      <div class="row">
        <button
          onClick={() =>
            void add(
              'Errands',
              Array.from({ length: 8 }, () => ({ job: errand, payload: { seconds: 4 } })),
            )
          }
        >
          8 errands of 4 s
        </button>
        <button
          onClick={() =>
            void add(
              'Webhooks',
              Array.from({ length: 3 }, () => ({ job: webhook, payload: { order: ++orders } })),
            )
          }
        >
          3 webhooks
        </button>
        <button
          onClick={() => void add('Errand', [{ job: errand, payload: { seconds: 4 }, options: { delay: '10m' } }])}
        >
          Errand in ten minutes
        </button>
      </div>
      <div class="row fields">
        <label>
          Priority
          <select value={String(priority.value)} onChange={({ currentTarget }) => choosePriority(currentTarget.value)}>
            {PRIORITIES.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <Endpoint />
      </div>
    </>
  )
}

function choosePriority(name: string): void {
  priority.value = PRIORITIES.find((known) => known === name) ?? 'normal'
}

function Files() {
  const isOver = useSignal(false)
  // Wherever on the page: a file that is dropped beside the field would be opened in place of the page.
  useEffect(() => {
    const ending = new AbortController()
    const on = (kind: 'dragover' | 'dragleave' | 'drop', heard: (event: DragEvent) => void): void =>
      addEventListener(kind, heard, { signal: ending.signal })
    on('dragover', (event) => {
      if (event.dataTransfer?.types.includes('Files') !== true) return
      event.preventDefault()
      isOver.value = true
    })
    on('dragleave', () => (isOver.value = false))
    on('drop', (event) => {
      isOver.value = false
      const files = [...(event.dataTransfer?.files ?? [])]
      // A text that is dragged into a field goes there.
      if (files.length > 0) event.preventDefault()
      void take(files)
    })
    return () => ending.abort()
  }, [])
  return (
    <label class={isOver.value ? 'drop over' : 'drop'}>
      <span>
        <b>Drop files here</b>, or anywhere on the page, or choose them: each is hashed and gzipped, pictures get a
        thumbnail.
      </span>
      <input
        type="file"
        multiple
        onChange={({ currentTarget }) => {
          void take([...(currentTarget.files ?? [])])
          currentTarget.value = ''
        }}
      />
    </label>
  )
}

async function take(files: readonly File[]): Promise<void> {
  if (files.length === 0) return
  await add(
    'Files',
    files.flatMap((file) => {
      const payload = { name: file.name, file }
      const pictures = file.type.startsWith('image/') ? [{ job: thumbnail, payload }] : []
      return [{ job: fingerprint, payload }, ...pictures]
    }),
  )
}

/** The endpoint that webhooks go to, and how it is to behave. */
function Endpoint() {
  const behaviour = useSignal<Behaviour>('answers')
  const by = useSignal('is being looked for')
  const isFound = useRef(false)
  // A page that was loaded without the network looks again when it is there.
  useSignalEffect(() => {
    if (!online.value || isFound.current) return
    void findEndpoint().then(
      (found) => {
        isFound.current = true
        behaviour.value = found.behaviour
        by.value = `is ${found.by}`
      },
      (error: unknown) => (by.value = `was not found: ${String(error)}`),
    )
  })
  const choose = (name: string): void =>
    void attempt(async () => {
      const state = await behave(BEHAVIOURS.find((known) => known === name) ?? 'answers')
      behaviour.value = state.behaviour
      notice.value = `The endpoint ${state.behaviour} from now on.`
    })
  return (
    <>
      <label>
        The endpoint
        <select value={behaviour.value} onChange={({ currentTarget }) => choose(currentTarget.value)}>
          {BEHAVIOURS.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <p class="about endpoint">The endpoint of the webhooks {by}.</p>
    </>
  )
}
