import type { FinishedState, JobChange, PauseScope } from '../contract.ts'
import { OrderedList } from './ordered-list.ts'
import { inOrder, Orders } from './orders.ts'
import { RateWindows } from './rate-windows.ts'
import { ReadyIndex } from './ready-index.ts'
import { type Change, JobRow, type Row, type RowOf, storedJob, type TableName, type Tables, type Unit } from './rows.ts'

/** Takes back what one change did; see `JobTable.takeBack`. */
export type Undo = (() => void)[]

/** A row as it stands in a snapshot. Fields of a job that have their default are left out. */
export interface SnapshotRow {
  readonly table: TableName
  readonly key: string
  readonly row: Readonly<Record<string, unknown>>
}

export interface Snapshot {
  readonly sequence: number
  readonly highest: number
  /** How many rows, and the sum of their versions: by these a replica that stands at the snapshot knows that it does. */
  readonly count: number
  readonly versions: number
  readonly rows: Iterable<SnapshotRow>
}

/** Of a table without rows, with which a log begins. */
export const EMPTY: Snapshot = { sequence: 0, highest: 0, count: 0, versions: 0, rows: [] }

export interface Pauses {
  readonly all: boolean
  readonly types: readonly string[]
  readonly queueNames: readonly string[]
}

const NO_PAUSES: Pauses = { all: false, types: [], queueNames: [] }

/**
 * The rows of one queue with their indexes. `apply` is the only way in, and does one thing: it accepts a unit if every
 * row it names still has the version the unit expects, else the unit is void. What to write was decided before
 * (`decide.ts`); so replaying a log needs no rule of the queue, and replicas that apply the same units in the same
 * order are equal.
 */
export class JobTable {
  readonly tables: Tables = {
    jobs: new Map(),
    groups: new Map(),
    keys: new Map(),
    sessions: new Map(),
    schedules: new Map(),
    automations: new Map(),
    meta: new Map(),
  }
  readonly ready: ReadyIndex
  readonly orders: Orders = new Orders()
  /** Running jobs by session. */
  readonly #running = new Map<string, Set<JobRow>>()
  readonly finished: Readonly<Record<FinishedState, OrderedList<JobRow>>> = {
    completed: new OrderedList(inOrder('finishedAt')),
    failed: new OrderedList(inOrder('finishedAt')),
    cancelled: new OrderedList(inOrder('finishedAt')),
  }
  /** The jobs that enqueues were folded into, by the ids of both: `Draft.holderOfFolded` knows whether it still stands. */
  readonly absorbed: Map<string, string> = new Map()
  #sequence = 0
  #highest = 0
  #versions = 0
  #runningCount = 0
  /** Of the latest job. */
  #shelf: string | null = null
  /** What happened to jobs since it was last taken; `null`: nobody wants to know. */
  changes: JobChange[] | null = null

  constructor(windows: RateWindows = new RateWindows()) {
    this.ready = new ReadyIndex(this.tables.groups, windows, (queueName) => this.pauses.queueNames.includes(queueName))
  }

  row<Name extends TableName>(table: Name, key: string): RowOf<Name> | undefined {
    return (this.tables[table] as Map<string, RowOf<Name>>).get(key)
  }

  /** The version for a row that is created now: higher than any that its key may have had. */
  get nextVersion(): number {
    return this.#highest + 1
  }

  /** How many rows each table holds. */
  get sizes(): Readonly<Record<string, number>> {
    return Object.fromEntries(Object.entries(this.tables).map(([name, rows]) => [name, (rows as Tables['jobs']).size]))
  }

  get pauses(): Pauses {
    return (this.tables.meta.get('pauses')?.value as Pauses | undefined) ?? NO_PAUSES
  }

  get epoch(): number {
    return (this.tables.meta.get('epoch')?.value as number | undefined) ?? 0
  }

  get runningCount(): number {
    return this.#runningCount
  }

  *running(): Generator<JobRow> {
    for (const held of this.#running.values()) yield* held
  }

  runningOf(session: string): Iterable<JobRow> {
    return this.#running.get(session) ?? []
  }

  /** False when the unit is void: some row has moved on since it was decided. */
  apply(unit: Unit, undo?: Undo): boolean {
    for (const change of unit) {
      if ((this.tables[change.table].get(change.key)?.version ?? 0) !== change.expect) return false
    }
    this.write(unit, undo)
    return true
  }

  /** Applies a unit that was decided on the present rows in this very turn: nothing can have made it void. */
  write(unit: Unit, undo?: Undo): void {
    for (const change of unit) {
      if (change.to === undefined) continue
      if (change.table === 'jobs') this.#writeJob(change, undo)
      else this.#writeRow(change, undo)
    }
    // A claim first takes all its jobs out of the groups that count them, or others would be let pass and sent back.
    this.ready.gates.refill()
  }

  /** Takes back what was written, the latest first. */
  takeBack(undo: Undo): void {
    for (let at = undo.length - 1; at >= 0; at--) undo[at]?.()
    this.ready.gates.refill()
  }

  newRow(table: TableName, key: string, fields: Readonly<Record<string, unknown>>): Row {
    return table === 'jobs' ? new JobRow(key, 0, 0, fields) : { version: 0, ...fields }
  }

  /** How many rows there are. */
  get size(): number {
    let size = 0
    for (const table of Object.values(this.tables) as Map<string, Row>[]) size += table.size
    return size
  }

  /** What a new replica loads instead of the log before it. */
  snapshot(): Snapshot {
    return {
      sequence: this.#sequence,
      highest: this.#highest,
      count: this.size,
      versions: this.#versions,
      rows: this.#snapshotRows(),
    }
  }

  restore(snapshot: Snapshot): void {
    for (const { table, key, row } of snapshot.rows) {
      const version = row['version'] as number
      if (table === 'jobs') this.#insertJob(new JobRow(key, row['sequence'] as number, version, row))
      else {
        this.#rows(table).set(key, { ...row, version })
        this.#versions += version
        if (table === 'groups') this.ready.gates.groupChanged(key)
      }
      this.#sequence = Math.max(this.#sequence, (row['sequence'] as number | undefined) ?? 0)
      this.#highest = Math.max(this.#highest, version)
    }
    this.#sequence = Math.max(this.#sequence, snapshot.sequence)
    this.#highest = Math.max(this.#highest, snapshot.highest)
    this.ready.windows.retain(this.tables.groups)
    this.ready.gates.refillAll()
  }

  takeChanges(): readonly JobChange[] {
    const changes = this.changes ?? []
    if (changes.length > 0) this.changes = []
    return changes
  }

  *#snapshotRows(): Generator<SnapshotRow> {
    for (const name of Object.keys(this.tables) as TableName[]) {
      if (name === 'jobs') for (const [key, row] of this.tables.jobs) yield { table: name, key, row: storedJob(row) }
      else for (const [key, row] of this.tables[name]) yield { table: name, key, row: { ...row } }
    }
  }

  #rows(table: TableName): Map<string, Row> {
    return this.tables[table]
  }

  #writeJob({ key, to, expect, version }: Change, undo: Undo | undefined): void {
    const row = expect === 0 ? undefined : this.tables.jobs.get(key)
    if (to === null) {
      if (row === undefined) return
      this.#deleteJob(row)
      undo?.push(() => this.#insertJob(row))
      this.#tell(row, 'removed')
    } else if (row === undefined) {
      this.#sequence += 1
      const created = new JobRow(key, this.#sequence, version ?? 1, to ?? {})
      this.#insertJob(created)
      this.#highest = Math.max(this.#highest, created.version)
      undo?.push(() => {
        this.#deleteJob(created)
        this.#sequence -= 1
      })
      this.#tell(created, 'enqueued')
    } else {
      const before = undo && pick(row, to ?? {})
      this.#rewriteJob(row, to ?? {}, row.version + 1)
      undo?.push(() => this.#rewriteJob(row, before ?? {}, row.version - 1))
      this.#tell(row, kindOf(to ?? {}))
    }
  }

  #rewriteJob(row: JobRow, fields: Readonly<Record<string, unknown>>, version: number): void {
    this.#unindex(row)
    this.orders.remove(row, fields)
    const folded = fields['absorbed'] as JobRow['absorbed'] | undefined
    if (folded !== undefined) for (const { id } of row.absorbed) this.absorbed.delete(id)
    Object.assign(row, fields)
    if (folded !== undefined) this.#remember(row)
    // A job without a delay is due whatever is kept here, and needs no field of its own for it.
    if (fields['runAt'] !== undefined && row.delay !== null) row.dueAt = Number.NaN
    this.#versions += version - row.version
    row.version = version
    this.#highest = Math.max(this.#highest, version)
    this.#index(row)
    this.orders.add(row, fields)
  }

  #insertJob(row: JobRow): void {
    // As with types: jobs of one chunk come one after the other.
    if (row.shelf === this.#shelf) row.shelf = this.#shelf
    else this.#shelf = row.shelf
    this.tables.jobs.set(row.id, row)
    this.#versions += row.version
    this.#remember(row)
    this.#index(row)
    this.orders.add(row)
  }

  #deleteJob(row: JobRow): void {
    this.#unindex(row)
    this.orders.remove(row)
    for (const { id } of row.absorbed) this.absorbed.delete(id)
    this.tables.jobs.delete(row.id)
    this.#versions -= row.version
  }

  #writeRow({ table, key, to, version }: Change, undo: Undo | undefined): void {
    const rows = this.#rows(table)
    const row = rows.get(key)
    // Rows other than jobs are small: a changed one is a new object, and undoing puts the old one back.
    const written = to === null ? 0 : row === undefined ? (version ?? 1) : row.version + 1
    if (to === null) rows.delete(key)
    else rows.set(key, Object.assign({}, row, to, { version: written }))
    const more = written - (row?.version ?? 0)
    this.#highest = Math.max(this.#highest, written)
    this.#versions += more
    const isPauses = table === 'meta' && key === 'pauses'
    if (table === 'groups') this.ready.gates.groupChanged(key)
    else if (isPauses) this.ready.gates.refillAll()
    undo?.push(() => {
      if (row === undefined) rows.delete(key)
      else rows.set(key, row)
      this.#versions -= more
      if (table === 'groups') this.ready.gates.groupChanged(key)
      else if (isPauses) this.ready.gates.refillAll()
    })
  }

  #index(row: JobRow): void {
    if (row.state === 'waiting') this.ready.add(row)
    else if (row.state === 'running') {
      this.#runningCount += 1
      this.ready.gates.runs(row, 1)
      const session = row.session ?? ''
      const held = this.#running.get(session)
      if (held === undefined) this.#running.set(session, new Set([row]))
      else held.add(row)
    } else this.finished[row.state].add(row)
  }

  #unindex(row: JobRow): void {
    if (row.state === 'waiting') this.ready.remove(row)
    else if (row.state === 'running') {
      this.#runningCount -= 1
      this.ready.gates.runs(row, -1)
      const held = this.#running.get(row.session ?? '')
      held?.delete(row)
      if (held?.size === 0) this.#running.delete(row.session ?? '')
    } else this.finished[row.state].remove(row)
  }

  #remember(row: JobRow): void {
    for (const { id } of row.absorbed) this.absorbed.set(id, row.id)
  }

  #tell(row: JobRow, kind: JobChange['kind']): void {
    this.changes?.push({ id: row.id, type: row.type, kind })
  }
}

/** `{ all: true }` and so on, as the core names them. */
export function pauseScopes(pauses: Pauses): readonly PauseScope[] {
  return [
    ...(pauses.all ? [{ all: true } as const] : []),
    ...pauses.types.map((type) => ({ type })),
    ...pauses.queueNames.map((queueName) => ({ queueName })),
  ]
}

function kindOf(to: Readonly<Record<string, unknown>>): JobChange['kind'] {
  const state = to['state'] as JobRow['state'] | undefined
  if (state === undefined) return 'updated'
  return state === 'running' ? 'started' : state
}

function pick(row: JobRow, fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const before: Record<string, unknown> = {}
  for (const field in fields) before[field] = row[field as keyof JobRow]
  return before
}
