import type { DefineRequest, DefinitionKind, DefinitionRecord, PauseScope, Tick, TickAnswer } from '../contract.ts'
import { copyPlain } from '../plain.ts'
import type { Draft } from './draft.ts'
import { placeAll } from './enqueue.ts'
import type { JobTable, Pauses } from './job-table.ts'

const TABLES = { schedule: 'schedules', automation: 'automations' } as const

/**
 * The watermark and the jobs of its slot move in one unit: a slot is enqueued once, whoever else ticks. The watermark
 * does not pass a slot whose jobs could not be stored, or they would be lost without a word.
 */
export function tick(draft: Draft, { schedule, after, slot, jobs }: Tick): TickAnswer {
  const row = draft.get('schedules', schedule)
  if (row === undefined || row.watermark !== after) return { moved: false }
  const placed = placeAll(draft, jobs)
  if ('index' in placed) return { moved: false, conflict: placed }
  draft.put('schedules', schedule, { watermark: slot })
  return { moved: true }
}

/** A definition under a name that exists replaces it; a schedule keeps its watermark. */
export function define(draft: Draft, { kind, batch }: DefineRequest): readonly boolean[] {
  return batch.map((item) => {
    const { name } = item
    const row = draft.get(TABLES[kind], name)
    const value = 'value' in item ? item.value : row && { ...(row.value as object), ...item.change }
    if (value !== null && value !== undefined)
      draft.put(TABLES[kind], name, { value: copyPlain(value), watermark: row?.watermark ?? null })
    else if (row !== undefined) draft.remove(TABLES[kind], name)
    return row !== undefined
  })
}

export function definitions(table: JobTable, kind: DefinitionKind): readonly DefinitionRecord[] {
  return [...table.tables[TABLES[kind]]].map(([name, { value, watermark }]) => ({
    name,
    value: copyPlain(value),
    watermark,
  }))
}

/** Every claim names the row of pauses it saw, so none that is decided before a pause can land after it. [pause] */
export function pause(draft: Draft, { scope, paused }: { scope: PauseScope; paused: boolean }): boolean {
  const before = draft.table.pauses
  if (isPaused(before, scope) === paused) return false
  const after: Pauses = {
    all: 'all' in scope ? paused : before.all,
    types: 'type' in scope ? toggled(before.types, scope.type, paused) : before.types,
    queueNames: 'queueName' in scope ? toggled(before.queueNames, scope.queueName, paused) : before.queueNames,
  }
  draft.put('meta', 'pauses', { value: after })
  return true
}

function isPaused({ all, types, queueNames }: Pauses, scope: PauseScope): boolean {
  if ('all' in scope) return all
  return 'type' in scope ? types.includes(scope.type) : queueNames.includes(scope.queueName)
}

function toggled(names: readonly string[], name: string, on: boolean): readonly string[] {
  const others = names.filter((other) => other !== name)
  return on ? [...others, name] : others
}
