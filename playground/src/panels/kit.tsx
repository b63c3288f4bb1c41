import { useSignal } from '@preact/signals'
import { indexedDb } from 'holdfast/indexeddb'
import type { StorageUnderTest } from 'holdfast/testing'
import { useRef } from 'preact/hooks'
import { attempt, notice } from '../actions.ts'

interface Outcome {
  readonly passed: number
  readonly failed: readonly string[]
  readonly skipped: number
  readonly of: number
}

const NONE: Outcome = { passed: 0, failed: [], skipped: 0, of: 0 }

export function Kit() {
  const outcome = useSignal<Outcome>(NONE)
  const isBusy = useSignal(false)
  const only = useSignal('')
  const stop = useRef(new AbortController())

  const run = (): void => {
    if (isBusy.value) return
    isBusy.value = true
    stop.current = new AbortController()
    const { signal } = stop.current
    void attempt(async () => {
      await runKit(only.value, signal, (news) => (outcome.value = news))
      notice.value = `The kit has ended: ${outcome.value.failed.length} failed.`
    }).finally(() => (isBusy.value = false))
  }
  const { passed, failed, skipped, of } = outcome.value
  return (
    <>
      <div class="row fields">
        <button aria-disabled={isBusy.value} onClick={run}>
          Run the kit
        </button>
        <button aria-disabled={!isBusy.value} onClick={() => stop.current.abort()}>
          Stop
        </button>
        <label>
          Only cases with
          <input
            type="text"
            placeholder="fence"
            value={only}
            onInput={({ currentTarget }) => (only.value = currentTarget.value)}
          />
        </label>
      </div>
      <progress aria-label="Progress of the kit" max={Math.max(1, of)} value={passed + failed.length + skipped} />
      <label class="results">
        Results
        <textarea readOnly rows={4} value={report(outcome.value)} />
      </label>
      <button onClick={() => void attempt(() => copy(report(outcome.value)))}>Copy the results</button>
    </>
  )
}

async function copy(text: string): Promise<void> {
  await navigator.clipboard.writeText(text)
  notice.value = 'The results are in the clipboard.'
}

async function runKit(only: string, signal: AbortSignal, tell: (outcome: Outcome) => void): Promise<void> {
  const { conformance } = await import('holdfast/testing')
  const runs = conformance(database).filter(({ name }) => name.includes(only))
  let outcome: Outcome = { ...NONE, of: runs.length }
  for (const { name, skip, run } of runs) {
    if (signal.aborted) break
    if (skip !== null) outcome = { ...outcome, skipped: outcome.skipped + 1 }
    else
      outcome = await run().then(
        () => ({ ...outcome, passed: outcome.passed + 1 }),
        (error: unknown) => ({ ...outcome, failed: [...outcome.failed, `${name}: ${String(error)}`] }),
      )
    tell(outcome)
  }
}

/** The storage as the kit asks for it: a database of its own for every case. */
const database: StorageUnderTest = {
  name: 'indexeddb',
  offers: ['two handles', 'structured-clone'],
  // What another handle wrote is seen only when a transaction has read it, which takes a task.
  pause: () => new Promise((resolve) => setTimeout(resolve, 1)),
  create: async () => {
    const name = `holdfast-kit-${crypto.randomUUID()}`
    return { handle: async () => indexedDb({ name }), destroy: () => deleted(name) }
  },
}

function deleted(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name)
    request.onsuccess = () => resolve()
    request.onerror = () => reject(request.error ?? new Error(`${name} was not deleted`))
  })
}

function report({ passed, failed, skipped, of }: Outcome): string {
  if (of === 0) return 'Not run yet.'
  return [
    `holdfast conformance kit on indexedDb: ${passed} passed, ${failed.length} failed, ${skipped} skipped, of ${of}`,
    navigator.userAgent,
    ...failed,
  ].join('\n')
}
