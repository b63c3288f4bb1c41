import type { FieldFilter, Json, Where } from '../contract.ts'
import type { JobTable } from './job-table.ts'
import { compareField, isOrdered, type OrderedField } from './orders.ts'
import type { JobRow } from './rows.ts'

/** Jobs among which all that fit are. */
export interface Candidates {
  readonly size: number
  readonly rows: () => Iterable<JobRow>
}

export function everyJob({ tables: { jobs } }: JobTable): Candidates {
  return { size: jobs.size, rows: () => jobs.values() }
}

/** What conditions are asked of, and when. `withOrders`: also by orders that may have to be made. */
interface Question {
  readonly table: JobTable
  readonly now: number
  readonly withOrders: boolean
}

/** The fewest that one of the conditions leaves in question. */
export function candidatesFor(question: Question, where: Where): Candidates {
  question.table.ready.advance(question.now)
  let best = everyJob(question.table)
  for (const one of narrowings(question, where)) if (one.size < best.size) best = one
  return best
}

function* narrowings(question: Question, where: Where): Generator<Candidates> {
  const { table, withOrders } = question
  for (const part of where.and ?? []) yield* narrowings(question, part)
  for (const [field, filter] of Object.entries(where) as [string, FieldFilter][]) {
    const listed = filter.eq === undefined ? filter.in : [filter.eq]
    if (field === 'id' && listed !== undefined) yield byId(table, listed)
    if (field === 'status' && listed !== undefined) yield byStatus(question, listed)
    if (withOrders && isOrdered(field)) yield* byOrder(table, field, filter, listed)
  }
}

function byId({ tables: { jobs } }: JobTable, ids: readonly Json[]): Candidates {
  const rows = [...new Set(ids)].flatMap((id) => jobs.get(id as string) ?? [])
  return { size: rows.length, rows: () => rows }
}

function byStatus(question: Question, statuses: readonly Json[]): Candidates {
  const { table } = question
  const parts: Candidates[] = []
  const [pending, scheduled] = [statuses.includes('pending'), statuses.includes('scheduled')]
  if (pending || scheduled) parts.push(pending === scheduled ? waiting(table) : pending ? due(table) : later(question))
  if (statuses.includes('running')) parts.push({ size: table.runningCount, rows: () => table.running() })
  for (const state of ['completed', 'failed', 'cancelled'] as const) {
    const finished = table.finished[state]
    if (statuses.includes(state)) parts.push({ size: finished.size, rows: () => finished })
  }
  return together(parts)
}

function waiting({ ready }: JobTable): Candidates {
  return { size: ready.waiting, rows: () => ready.rows(false) }
}

function due({ ready }: JobTable): Candidates {
  return { size: ready.waiting - ready.delayed, rows: () => ready.rows(true) }
}

function later({ table, now, withOrders }: Question): Candidates {
  if (!withOrders) return waiting(table)
  const kept = table.orders.by('runAt', 'waiting')
  const rank = kept.rank((row) => row.runAt > now)
  return { size: kept.size - rank, rows: () => kept.walk(rank, 1) }
}

function* byOrder(
  table: JobTable,
  field: OrderedField,
  filter: FieldFilter,
  listed: readonly Json[] | undefined,
): Generator<Candidates> {
  const isOne = (value: unknown): boolean => value === null || typeof value === typeOf(field)
  if (listed?.every(isOne)) yield together([...new Set(listed)].map((value) => between(table, field, value, value)))
  const from = filter.gte ?? filter.gt
  const to = filter.lte ?? filter.lt
  // A value of another type comes before or after all; null, before all.
  if ((from ?? to) != null && [from ?? null, to ?? null].every(isOne)) yield between(table, field, from, to)
}

function typeOf(field: OrderedField): 'string' | 'number' {
  return field === 'type' || field === 'queueName' || field === 'jobKey' ? 'string' : 'number'
}

/** From the first job with a value of at least `from` to the last of at most `to`. */
function between(table: JobTable, field: OrderedField, from: Json | undefined, to: Json | undefined): Candidates {
  const kept = table.orders.by(field, null)
  const value = (given: Json): JobRow[OrderedField] => given as JobRow[OrderedField]
  const start = from === undefined ? 0 : kept.rank((row) => compareField(row, value(from), field) >= 0)
  const end = to === undefined ? kept.size : kept.rank((row) => compareField(row, value(to), field) > 0)
  const size = Math.max(0, end - start)
  return { size, rows: () => firstOf(size, kept.walk(start, 1)) }
}

function* firstOf(size: number, rows: Iterable<JobRow>): Generator<JobRow> {
  let left = size
  if (left > 0)
    for (const row of rows) {
      yield row
      if (--left === 0) return
    }
}

function together(parts: readonly Candidates[]): Candidates {
  return {
    size: parts.reduce((sum, { size }) => sum + size, 0),
    *rows() {
      for (const part of parts) yield* part.rows()
    },
  }
}
