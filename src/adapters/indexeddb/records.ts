import { isObject } from '../../core/storage/plain.ts'
import { LOG_FORMAT, type LogRecord } from '../../core/storage/log.ts'
import type { Unit } from '../../core/storage/job-table/rows.ts'
import { readAll } from './unreadable.ts'
import type { SnapshotChunk, SnapshotHead } from './schema.ts'

/** A record and its place in the log. */
export interface PlacedRecord extends LogRecord {
  readonly position: number
}

const TABLES: ReadonlySet<unknown> = /* @__PURE__ */ new Set([
  'jobs',
  'groups',
  'keys',
  'sessions',
  'schedules',
  'automations',
  'meta',
])

const STATES: ReadonlySet<unknown> = /* @__PURE__ */ new Set([
  ...['waiting', 'running'],
  ...['completed', 'failed', 'cancelled'],
])

/**
 * What stands in the stores may have been written by anybody who can open the database: a newer version of the package,
 * the developer tools, a script. So it is looked at before it is believed.
 */
export function asRecord(value: unknown): PlacedRecord | null {
  if (!isObject(value)) return null
  const { position, id, format, units } = value
  if (typeof position !== 'number' || typeof id !== 'string' || typeof format !== 'number') return null
  // It may say anything in its units: whoever meets it only reads from there on.
  if (format > LOG_FORMAT) return { position, id, format, units: [] }
  if (!Array.isArray(units) || !(units as unknown[]).every(isUnit)) return null
  return { position, id, format, units: units as Unit[] }
}

/** Records of the log; for one that cannot be read, what tells of its place alone. */
export function readRecords(
  store: Parameters<typeof readAll<'log'>>[0],
  range: IDBKeyRange,
  most?: number,
): Promise<unknown[]> {
  return readAll(store, range, (position) => ({ position }), most)
}

/** How many rows a record changes. */
export function changesOf({ units }: LogRecord): number {
  return units.reduce((changes, unit) => changes + unit.length, 0)
}

/** The place of a value in the log, whatever else is wrong with it. */
export function positionOf(value: unknown): number {
  return isObject(value) && typeof value['position'] === 'number' ? value['position'] : 0
}

export function asHead(value: unknown): SnapshotHead | null {
  if (!isObject(value) || typeof value['generation'] !== 'string') return null
  const numbers = ['format', 'chunks', 'position', 'sequence', 'highest', 'count', 'versions']
  return numbers.every((name) => typeof value[name] === 'number') ? (value as unknown as SnapshotHead) : null
}

export function asChunk(value: unknown): SnapshotChunk | null {
  if (!isObject(value) || !Array.isArray(value['rows'])) return null
  return value as unknown as SnapshotChunk
}

/** Whether a row of a snapshot can be restored. */
export function isRow(value: unknown): boolean {
  return (
    isObject(value) &&
    TABLES.has(value['table']) &&
    typeof value['key'] === 'string' &&
    isObject(value['row']) &&
    typeof value['row']['version'] === 'number' &&
    isRestorable(value['table'], value['row'])
  )
}

function isUnit(unit: unknown): boolean {
  return Array.isArray(unit) && unit.every(isChange)
}

function isChange(change: unknown): boolean {
  if (!isObject(change)) return false
  const { table, key, expect, to } = change
  return (
    TABLES.has(table) &&
    typeof key === 'string' &&
    typeof expect === 'number' &&
    (to === undefined || to === null || (isObject(to) && isRestorable(table, to)))
  )
}

/** Fields of a job by which its indexes are made: with another kind of value there they could not be. */
function isRestorable(
  table: unknown,
  { state, absorbed, groups, sequence }: Readonly<Record<string, unknown>>,
): boolean {
  if (table !== 'jobs') return true
  const lists = [absorbed, groups].every((list) => list === undefined || Array.isArray(list))
  const isNumber = sequence === undefined || typeof sequence === 'number'
  return lists && isNumber && (state === undefined || STATES.has(state))
}
