import { type Signal, useSignal } from '@preact/signals'
import type { AqlError, AqlResult } from 'holdfast/aql'
import type { RefObject } from 'preact'
import { useRef } from 'preact/hooks'
import { attempt, notice, noting } from '../actions.ts'
import { queue } from '../queue.ts'
import { EXAMPLES } from '../view/aql-examples.ts'
import { counted, shown } from '../view/show.ts'

const [FIRST = ''] = Object.keys(EXAMPLES)

let users = 0

export function Aql() {
  const text = useSignal(EXAMPLES[FIRST] ?? '')
  const result = useSignal<AqlResult | null>(null)
  const isBusy = useSignal(false)
  const editor = useRef<HTMLTextAreaElement>(null)

  const run = (): void => {
    if (isBusy.value) return
    isBusy.value = true
    // What an earlier text answered is no answer to this one.
    result.value = null
    void attempt(async () => {
      result.value = await execute(text.value)
      notice.value = `AQL: ${result.value.errors[0]?.message ?? 'done'}.`
    }).finally(() => (isBusy.value = false))
  }
  return (
    <div class="aql">
      <div>
        <Choice text={text} result={result} />
        <Editor text={text} run={run} element={editor} />
        <div class="row">
          <button class="strong" aria-disabled={isBusy.value} onClick={run}>
            Run
          </button>
          <span class="about">or Ctrl+Enter</span>
          <button onClick={signUp}>A user signs up</button>
        </div>
      </div>
      <Answer result={result.value} goTo={(error) => choosePlace(editor.current, error)} />
    </div>
  )
}

interface EditorProps {
  readonly text: Signal<string>
  readonly run: () => void
  readonly element: RefObject<HTMLTextAreaElement | null>
}

function Editor({ text, run, element }: EditorProps) {
  return (
    <label class="results">
      AQL
      <textarea
        ref={element}
        rows={11}
        spellcheck={false}
        autocapitalize="off"
        aria-keyshortcuts="Control+Enter Meta+Enter"
        value={text}
        onInput={({ currentTarget }) => (text.value = currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
          event.preventDefault()
          run()
        }}
      />
    </label>
  )
}

function Choice({ text, result }: { text: Signal<string>; result: Signal<AqlResult | null> }) {
  return (
    <label>
      Example
      <select
        onChange={({ currentTarget }) => {
          text.value = EXAMPLES[currentTarget.value] ?? ''
          result.value = null
        }}
      >
        {Object.keys(EXAMPLES).map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </label>
  )
}

function Answer({ result, goTo }: { result: AqlResult | null; goTo: (error: AqlError) => void }) {
  return (
    <div class="answer">
      <h3>Errors</h3>
      {result === null || result.errors.length === 0 ? (
        <p class="about">None.</p>
      ) : (
        <ul class="errors" role="list">
          {result.errors.map((error) => (
            <li key={`${error.line}:${error.column}`}>
              <button class="small" onClick={() => goTo(error)}>
                Line {error.line}, column {error.column}
              </button>{' '}
              {error.message} <code>{error.code}</code>
            </li>
          ))}
        </ul>
      )}
      <h3>Data</h3>
      <pre tabIndex={0}>{result === null ? 'Not run yet.' : shown(result.data)}</pre>
    </div>
  )
}

/** The language and its parser are loaded when something is run for the first time. */
async function execute(text: string): Promise<AqlResult> {
  const { aql } = await import('holdfast/aql')
  return noting(() => aql(queue).execute(text))
}

/** What a handler that is defined by the example waits for. */
function signUp(): void {
  void attempt(async () => {
    const id = ++users
    const enqueued = await noting(() => queue.emit('insert:users', { id }))
    notice.value = `User ${id} has signed up: ${counted(enqueued.length, 'job follows', 'jobs follow')} from it.`
  })
}

/** Puts the caret where an error is. */
function choosePlace(editor: HTMLTextAreaElement | null, { line, column }: AqlError): void {
  if (editor === null) return
  const before = editor.value.split('\n').slice(0, line - 1)
  const place = before.reduce((sum, { length }) => sum + length + 1, 0) + column - 1
  editor.focus()
  editor.setSelectionRange(place, place + 1)
}
