import { useSignal } from '@preact/signals'
import type { DumpedRecord, StorageDump } from 'holdfast'
import { useEffect } from 'preact/hooks'
import { queue } from '../queue.ts'
import { everySecond } from '../view/clock.ts'
import { counted, shortId } from '../view/show.ts'

/** How many of the newest records are shown. */
const SHOWN = 8

/** A part of a unit, as far as it is shown. */
interface Change {
  readonly table: string
  readonly key: string
  readonly to?: Readonly<Record<string, unknown>> | null
}

export function Log() {
  const dump = useSignal<StorageDump>({ records: [], rows: {} })
  useEffect(() => everySecond(async () => void (dump.value = await queue.dump())), [])
  const { records, rows } = dump.value
  return (
    <>
      <ol class="log" role="list" aria-label="Newest records of the log">
        {records
          .slice(-SHOWN)
          .reverse()
          .map((record) => (
            <Record key={record.id} record={record} />
          ))}
      </ol>
      <p class="about">
        Adds up to:{' '}
        {Object.entries(rows)
          .filter(([, count]) => count > 0)
          .map(([table, count]) => `${table} ${count.toLocaleString('en')}`)
          .join(' · ')}
      </p>
    </>
  )
}

function Record({ record: { id, changes, units } }: { record: DumpedRecord }) {
  // What a unit only looks at is its condition, and changes nothing.
  const shown = (units as readonly (readonly Change[])[]).flat().filter(({ to }) => to !== undefined)
  return (
    <li>
      <code class="record-id">
        {id.slice(0, 4)}…{id.slice(id.lastIndexOf('.'))}
      </code>
      <span>{shown.slice(0, 4).map(sayChange).join(', ')}</span>
      <span class="changes">{counted(changes, 'change')}</span>
    </li>
  )
}

/** `jobs 3f2a9 → running`, `sessions 81bc0 beats`. */
function sayChange({ table, key, to }: Change): string {
  const name = `${table} ${key.length > 12 ? shortId(key) : key}`
  if (to === null || to === undefined) return `${name} removed`
  const { state, type, beats } = to
  if (typeof state === 'string') return `${name} → ${state}`
  if (typeof type === 'string') return `${name} is a new ${type}`
  return typeof beats === 'number' ? `${name} beats` : `${name} changes ${Object.keys(to).slice(0, 2).join(', ')}`
}
