import type { JobTable } from './job-table.ts'
import { copyOf, type JobRow, type Row, type RowOf, type TableName, type Unit } from './rows.ts'

interface OpenChange {
  readonly table: TableName
  readonly key: string
  readonly expect: number
  to?: Record<string, unknown> | null
  version?: number
}

/** Past this many changes a map finds a row's change faster than looking through all. */
const FEW = 8

/**
 * A unit in the making. Rows are read as they will be once the unit is applied, so that two jobs of one batch with the
 * same key, or an outcome and the jobs it enqueues, are decided one after the other and yet committed together.
 */
export class Draft {
  readonly table: JobTable
  #changes: OpenChange[] = []
  #byKey: Map<TableName, Map<string, OpenChange>> | undefined
  /** Enqueues that were folded into a job, by their id. */
  #folded: Map<string, string> | undefined
  /** What was read last is mostly what is written next. */
  #lastKey: string | undefined
  #lastTable: TableName | undefined
  #lastRow: Row | undefined

  constructor(table: JobTable) {
    this.table = table
  }

  get unit(): Unit {
    return this.#changes
  }

  get<Name extends TableName>(table: Name, key: string): Readonly<RowOf<Name>> | undefined {
    const row = this.#read(table, key) as Readonly<RowOf<Name>> | undefined
    const change = this.#find(table, key)
    if (change?.to === undefined) return row
    if (change.to === null) return undefined
    return copyOf((row ?? this.table.newRow(table, key, change.to)) as Row, change.to) as RowOf<Name>
  }

  /** Writes fields into a row, creating it where there is none. `fields` belongs to the draft from then on. */
  put<Name extends TableName>(table: Name, key: string, fields: Partial<RowOf<Name>>): void {
    const change = this.#find(table, key) ?? this.#add(table, key, this.#read(table, key))
    if (change.expect === 0) change.version ??= this.table.nextVersion
    if (change.to == null) change.to = fields
    else Object.assign(change.to, fields)
  }

  /** The same for a row that is at hand, or is not there, and not in the draft yet: finding both takes longer than the rest. */
  putRow<Name extends TableName>(
    table: Name,
    key: string,
    row: Readonly<RowOf<Name>> | undefined,
    fields: Partial<RowOf<Name>>,
  ): void {
    const change = this.#add(table, key, row as Row | undefined)
    if (row === undefined) change.version = this.table.nextVersion
    change.to = fields
  }

  remove(table: TableName, key: string): void {
    const change = this.#find(table, key) ?? this.#add(table, key, this.#read(table, key))
    change.to = null
  }

  /**
   * Takes back all that was written. What was only required stands; of a row that was written too nothing is left, so
   * that a unit that says nothing any more is empty: who still goes by it requires it again.
   */
  discard(): void {
    this.#changes = this.#changes.filter(({ to }) => to === undefined)
    this.#byKey = undefined
    this.#folded = undefined
  }

  /** The job has absorbed an enqueue with this id. */
  fold(id: string, into: string): void {
    this.#folded ??= new Map()
    this.#folded.set(id, into)
  }

  /** The job that an enqueue with this id was folded into, as long as it remembers that. */
  holderOfFolded(id: string): Readonly<JobRow> | undefined {
    const into = this.#folded?.get(id) ?? this.table.absorbed.get(id)
    if (into === undefined) return undefined
    const holder = this.get('jobs', into)
    return holder?.absorbed.some((call) => call.id === id) === true ? holder : undefined
  }

  /** The unit stands only if this row has not changed since it was read. */
  require(table: TableName, key: string): void {
    if (this.#find(table, key) === undefined) this.#add(table, key, this.#read(table, key))
  }

  #add(table: TableName, key: string, row: Readonly<Row> | undefined): OpenChange {
    const change: OpenChange = { table, key, expect: row?.version ?? 0 }
    this.#changes.push(change)
    if (this.#byKey !== undefined) this.#remember(change)
    return change
  }

  #read(table: TableName, key: string): Row | undefined {
    if (key !== this.#lastKey || table !== this.#lastTable) {
      this.#lastKey = key
      this.#lastTable = table
      this.#lastRow = this.table.row(table, key)
    }
    return this.#lastRow
  }

  #find(table: TableName, key: string): OpenChange | undefined {
    if (this.#changes.length <= FEW) {
      for (const change of this.#changes) if (change.key === key && change.table === table) return change
      return undefined
    }
    if (this.#byKey === undefined) for (const change of this.#changes) this.#remember(change)
    return this.#byKey?.get(table)?.get(key)
  }

  #remember(change: OpenChange): void {
    this.#byKey ??= new Map()
    const byKey = this.#byKey.get(change.table)
    if (byKey === undefined) this.#byKey.set(change.table, new Map([[change.key, change]]))
    else byKey.set(change.key, change)
  }
}
