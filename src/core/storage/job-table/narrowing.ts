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
  const kept = table.orders.by([['runAt', 1]], 'waiting')
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
  if (listed?.every(isOne))
    yield together([...new Set(listed)].map((value) => between(table, field, { gte: value, lte: value })))
  const from = filter.gt ?? filter.gte
  const to = filter.lt ?? filter.lte
  // A value of another type comes before or after all; null, before all.
  if ((from ?? to) != null && [from ?? null, to ?? null].every(isOne)) yield between(table, field, filter)
}

function typeOf(field: OrderedField): 'string' | 'number' {
  return field === 'type' || field === 'queueName' || field === 'jobKey' ? 'string' : 'number'
}

/** From the first job with a value that is large enough to the last with one that is small enough. */
function between(table: JobTable, field: OrderedField, { gt, gte, lt, lte }: FieldFilter): Candidates {
  const kept = table.orders.by([[field, 1]], null)
  // What is compared with null says nothing of how many there are.
  const rank = (value: Json | undefined, least: number, otherwise: number): number =>
    value === undefined
      ? otherwise
      : kept.rank((row) => compareField(row, value as JobRow[OrderedField], field) >= least)
  const start = rank(gt ?? gte, gt == null ? 0 : 1, 0)
  const end = rank(lt ?? lte, lt == null ? 1 : 0, kept.size)
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
