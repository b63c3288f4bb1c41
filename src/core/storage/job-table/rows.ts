import type { JobRecord, NewJob } from '../contract.ts'
import type { Group } from './group.ts'
import { copyPlain } from '../plain.ts'

/**
 * The rows of the table. Each has a version that rises at every change; a row that is created anew under an old key
 * gets a version higher than any it had before, so a version names one state of one row for ever.
 */
export interface Row {
  version: number
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

/** What counts the running jobs of a serial queue or of a limit. Exists only while it says something. */
export interface GroupRow extends Row {
  running: number
  /** The job that keeps its place in a serial queue while it waits again; see `SerialMode`. Absent: none. */
  holder?: string | null
  /**
   * The rate window: from when it counts, how many started in it, when it ends; when and by which session it was opened.
   * The moments are by the clock of that session: `RateWindows` says what they mean here. Versions that did not tell who
   * opened it, or when, write windows without. `null` without a rate.
   */
  window: {
    readonly since: number
    readonly used: number
    readonly until: number
    readonly openedAt?: number
    readonly by?: string
  } | null
}

export interface KeyRow extends Row {
  job: string
}

export interface SessionRow extends Row {
  beats: number
  leaseDuration: number
  openedAt: number
  lastBeat: number
  epoch: number
  /** Absent: 0. */
  patience?: number
  /** By what others find out whether its process lives; see `Presence`. */
  process?: unknown
}

export interface DefinitionRow extends Row {
  value: unknown
  watermark: number | null
}

export interface MetaRow extends Row {
  value: unknown
}

export interface Tables {
  readonly jobs: Map<string, JobRow>
  readonly groups: Map<string, GroupRow>
  readonly keys: Map<string, KeyRow>
  readonly sessions: Map<string, SessionRow>
  readonly schedules: Map<string, DefinitionRow>
  readonly automations: Map<string, DefinitionRow>
  readonly meta: Map<string, MetaRow>
}

export type TableName = keyof Tables
export type RowOf<Name extends TableName> = Tables[Name] extends Map<string, infer R> ? R : never

/**
 * One row's part in a unit: the version it must have (0: it must not exist) and, unless it is only a condition, its
 * new fields. `to: null` removes the row. For a new row `version` is the version it starts with.
 */
export interface Change {
  readonly table: TableName
  readonly key: string
  readonly expect: number
  readonly to?: Readonly<Record<string, unknown>> | null
  readonly version?: number
}

/** What takes effect whole or not at all. Fields that a reader does not know stay in the row. */
export type Unit = readonly Change[]

const NONE: readonly never[] = /* @__PURE__ */ Object.freeze([])

/** Stands for a payload that is not in the table. Never stored, and never seen outside: it is replaced before. */
export class ShelvedPayload {
  readonly chunk: string
  readonly place: number

  constructor(chunk: string, place: number) {
    this.chunk = chunk
    this.place = place
  }
}

/** A new job whose payload a shelf has taken, its place there in its stead. */
export type ShelvedJob = NewJob & { readonly shelf?: string; readonly digest?: number }

/** What hardly any job has, and when it is due by this replica's reading: NaN until the present wait began. */
type Seldom = Pick<
  Mutable<JobRecord>,
  | 'payloadVersion'
  | 'failures'
  | 'interruptions'
  | 'unreached'
  | 'delay'
  | 'expireAfter'
  | 'expireAt'
  | 'jobKey'
  | 'superseded'
  | 'queueName'
  | 'serial'
  | 'limitKey'
  | 'groups'
  | 'requires'
  | 'backoff'
  | 'cancelRequested'
  | 'depth'
  | 'unchecked'
  | 'revision'
  | 'absorbed'
> & { dueAt: number }

/** Not enumerable, as methods are: who walks through the fields of a row meets its own. */
function inherited(fields: Seldom): new () => Seldom {
  // eslint-disable-next-line @typescript-eslint/no-extraneous-class -- what it has is defined on its prototype
  class Inherited {}
  for (const [field, value] of Object.entries(fields))
    Object.defineProperty(Inherited.prototype, field, { value, writable: true, configurable: true })
  return Inherited as new () => Seldom
}

const SeldomFields: new () => Seldom = /* @__PURE__ */ inherited({
  payloadVersion: 1,
  failures: 0,
  interruptions: 0,
  unreached: 0,
  delay: null,
  expireAfter: null,
  expireAt: null,
  jobKey: null,
  superseded: false,
  queueName: null,
  serial: 'relaxed',
  limitKey: null,
  groups: NONE,
  requires: NONE,
  backoff: null,
  cancelRequested: null,
  depth: 0,
  unchecked: false,
  revision: 0,
  absorbed: NONE,
  dueAt: -Infinity,
})

/**
 * A job and, beyond its record, what only the indexes of this replica know about it. What the fields of a change leave
 * out has its default; all rows have their fields in one order, and so one hidden class.
 *
 * A tab may hold 100,000 of them, so what few jobs ever have is inherited until a row is given its own. To copy a row,
 * copy what it inherits as well: `copyOf`. [tests/core/job-row.test.ts]
 */
export class JobRow extends SeldomFields implements Mutable<JobRecord>, Row {
  id: string
  sequence: number
  type: string = ''
  payload: unknown = undefined
  priority: number = 1
  state: JobRecord['state'] = 'waiting'
  attempts: number = 0
  maxRetries: number = 0
  maxInterruptions: number = 0
  createdAt: number = 0
  runAt: number = 0
  startedAt: JobRecord['startedAt'] = null
  finishedAt: JobRecord['finishedAt'] = null
  timeout: number = 0
  leaseDuration: number = 0
  fence: number = 0
  session: JobRecord['session'] = null
  claimId: JobRecord['claimId'] = null
  outcome: JobRecord['outcome'] = null
  progress: unknown = null
  result: unknown = null
  error: JobRecord['error'] = null
  history: JobRecord['history'] = NONE
  digest: JobRecord['digest'] = null
  /** The chunk that holds the payload, whose place there `payload` then is; see `Shelf`. */
  shelf: string | null = null
  version: number
  /** Where the index keeps it while it waits: `DELAYED`, or the number of groups that have let it pass. */
  stage: number = 0
  /** Its serial queue there, while it waits and its time has come. */
  queue: Group | null = null

  constructor(id: string, sequence: number, version: number, to: Partial<JobRecord>) {
    super()
    Object.assign(this, to)
    this.runAt = to.runAt ?? this.createdAt
    if (this.delay !== null) this.dueAt = Number.NaN
    this.id = id
    this.sequence = sequence
    this.version = version
  }
}

const DEFAULTS = /* @__PURE__ */ new JobRow('', 0, 0, {}) as unknown as Readonly<Record<string, unknown>>

/** A row, of whatever table, with other fields. */
export function copyOf(row: Row, fields: Readonly<Record<string, unknown>>): Row {
  return Object.assign(Object.create(Object.getPrototypeOf(row) as object) as Row, row, fields)
}

/** What stands beside a stored row, or belongs to this replica. */
const LOCAL: readonly string[] = ['id', 'dueAt', 'stage', 'queue']

/** What a `JobRow` is made from again. */
export function storedJob(row: JobRow): Readonly<Record<string, unknown>> {
  const stored: Record<string, unknown> = {}
  for (const field in row) {
    if (LOCAL.includes(field)) continue
    const value: unknown = row[field as keyof JobRow]
    const usual = DEFAULTS[field]
    if (value === usual || (Array.isArray(usual) && (value as readonly unknown[]).length === 0)) continue
    if (field === 'runAt' && value === row.createdAt) continue
    stored[field] = value
  }
  // As they are in the row, whatever the default is.
  stored['payload'] = row.payload
  return stored
}

/** What an enqueue writes into a new row: its details, without what is the default anyway. */
export function newJobFields(job: ShelvedJob, expireAt: number | null): Partial<JobRow> {
  const fields: Partial<JobRow> = {
    type: job.type,
    payload: copyPlain(job.payload),
    maxRetries: job.maxRetries,
    maxInterruptions: job.maxInterruptions,
    createdAt: job.createdAt,
    timeout: job.timeout,
    leaseDuration: job.leaseDuration,
  }
  if (job.priority !== 1) fields.priority = job.priority
  if (job.runAt !== job.createdAt) fields.runAt = job.runAt
  if (job.delay !== null) fields.delay = job.delay
  if (expireAt !== null) Object.assign(fields, { expireAfter: job.expireAfter, expireAt })
  if (job.jobKey !== null) fields.jobKey = job.jobKey
  if (job.payloadVersion !== 1) fields.payloadVersion = job.payloadVersion
  if (job.queueName !== null) fields.queueName = job.queueName
  if (job.serial !== 'relaxed') fields.serial = job.serial
  if (job.limitKey !== null) fields.limitKey = job.limitKey
  if (job.requires.length > 0) fields.requires = [...job.requires].sort()
  if (job.depth !== 0) fields.depth = job.depth
  if (job.unchecked === true) fields.unchecked = true
  if (job.backoff !== null) fields.backoff = { ...job.backoff }
  if (job.failed !== undefined)
    Object.assign(fields, { state: 'failed', error: copyPlain(job.failed), finishedAt: job.createdAt })
  if (job.shelf !== undefined) {
    fields.shelf = job.shelf
    fields.digest = job.digest ?? null
  }
  return fields
}

/** A copy for the outside: nothing in it is shared with the table. */
// eslint-disable-next-line max-lines-per-function -- one line per field of a job
export function toRecord(row: JobRow): JobRecord {
  return {
    id: row.id,
    sequence: row.sequence,
    type: row.type,
    payload: row.shelf === null ? copyPlain(row.payload) : new ShelvedPayload(row.shelf, row.payload as number),
    payloadVersion: row.payloadVersion,
    priority: row.priority,
    state: row.state,
    attempts: row.attempts,
    failures: row.failures,
    interruptions: row.interruptions,
    unreached: row.unreached,
    maxRetries: row.maxRetries,
    maxInterruptions: row.maxInterruptions,
    createdAt: row.createdAt,
    runAt: row.runAt,
    delay: row.delay,
    expireAfter: row.expireAfter,
    expireAt: row.expireAt,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
    timeout: row.timeout,
    leaseDuration: row.leaseDuration,
    fence: row.fence,
    session: row.session,
    claimId: row.claimId,
    outcome: row.outcome,
    jobKey: row.jobKey,
    superseded: row.superseded,
    queueName: row.queueName,
    serial: row.serial,
    limitKey: row.limitKey,
    groups: copyStrings(row.groups),
    requires: copyStrings(row.requires),
    backoff: row.backoff === null ? null : { ...row.backoff },
    cancelRequested: row.cancelRequested,
    depth: row.depth,
    unchecked: row.unchecked,
    progress: copyPlain(row.progress),
    result: copyPlain(row.result),
    error: copyPlain(row.error),
    history: copyPlain(row.history),
    revision: row.revision,
    digest: row.shelf === null ? row.digest : null,
    absorbed: row.absorbed.length === 0 ? NONE : row.absorbed.map((entry) => ({ ...entry })),
  }
}

function copyStrings(strings: readonly string[]): readonly string[] {
  return strings.length === 0 ? NONE : [...strings]
}
