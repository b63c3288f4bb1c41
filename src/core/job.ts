import { backoffDelay, checkBackoff, GRAPHILE_RETRIES } from './backoff.ts'
import type { HandlerContext } from './context.ts'
import { HoldfastError, invalidOption } from './errors.ts'
import {
  callable,
  exclusive,
  integer,
  knownOptions,
  name,
  type Priority,
  priorityToNumber,
  type Span,
  spanToMs,
} from './options.ts'
import type { AttemptRecord, BackoffPolicy, ErrorData, JobRecord, JobStatus } from './storage/contract.ts'
import { statusOf } from './storage/job-table/query.ts'
import { isThenable } from './thenable.ts'

/** The part of a Standard Schema (standardschema.dev, version 1) that holdfast reads. Zod, Valibot, ArkType have it. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] }

/** How many jobs of one kind may run, over all executors of the storage. */
export interface LimitOptions<Payload> {
  /** The most that run at once, from 1. */
  readonly concurrency?: number
  /** The most that start per window of `per`, from 1. A start consumes a place, a release returns none. */
  readonly rate?: number
  /** The window of `rate`. */
  readonly per?: Span
  /** Jobs are limited per key, computed when they are enqueued. Default: all jobs of the type share one limit. */
  readonly key?: (payload: Payload) => string
}

/** What a definition says for all its jobs, and an enqueue for its one, as it is given. */
type SettingsOptions = Partial<
  Pick<
    JobOptions<string, StandardSchema>,
    | 'priority'
    | 'maxRetries'
    | 'maxAttempts'
    | 'maxInterruptions'
    | 'timeout'
    | 'leaseDuration'
    | 'backoff'
    | 'requires'
  >
>

export interface JobOptions<Type extends string, Schema extends StandardSchema> {
  /** Names the job in storage: 1 to 200 characters. */
  readonly type: Type
  /** Checked before a job is stored; what it puts out is what is stored. */
  readonly payload?: Schema
  /** Default `normal`. */
  readonly priority?: Priority
  /** Retries after failures, from 0. Default 3: up to 4 runs. */
  readonly maxRetries?: number
  /** The other spelling of `maxRetries`: runs, from 1. Giving both is an error. */
  readonly maxAttempts?: number
  /** How often a session may die under the job before it is failed, from 0. Default: that of the queue. */
  readonly maxInterruptions?: number
  /** How long an attempt may take. Default 5 min. */
  readonly timeout?: Span
  /** How long a session must be silent before its job is taken back, from 1 s. Default 30 s. */
  readonly leaseDuration?: Span
  /** Delay before a retry. Default `exponential()`: 5, 25, 125 s. */
  readonly backoff?: BackoffPolicy
  readonly limit?: LimitOptions<SchemaOutput<Schema>>
  /** Conditions that must hold where the job runs, for instance `['online']`. */
  readonly requires?: readonly string[]
}

/** Numbers as a job is stored with them. */
export interface Settings {
  readonly priority: number
  readonly maxRetries: number
  readonly maxInterruptions: number | null
  readonly timeout: number
  readonly leaseDuration: number
  readonly backoff: BackoffPolicy | null
  readonly requires: readonly string[]
}

/** What a definition says for all its jobs. */
export interface JobDefaults extends Settings {
  readonly limit: {
    readonly concurrency?: number
    readonly rate?: { readonly count: number; readonly per: number }
  } | null
  readonly limitKey: ((payload: never) => string) | null
}

/** A kind of job: its name, schema and defaults, and no handler, so that a client's bundle can import it. */
export interface JobDefinition<Type extends string = string, Input = unknown, Output = unknown> {
  readonly type: Type
  readonly schema: StandardSchema<Input, Output> | null
  readonly defaults: JobDefaults
  /** Binds what runs the job. Executors take bound handlers. */
  handler<Result>(run: HandlerFunction<Output, Result>): BoundHandler<Type>
}

export type HandlerFunction<Payload, Result = unknown> = (
  payload: Payload,
  context: HandlerContext<Payload>,
) => Result | Promise<Result>

export interface BoundHandler<Type extends string = string> {
  readonly type: Type
  readonly definition: JobDefinition<Type>
  readonly run: HandlerFunction<never>
}

// biome-ignore format: one line each shows that they are each other's counterparts
/** What `enqueue` takes for a definition, and what its handler gets. */
export type PayloadInput<Definition> = Definition extends JobDefinition<string, infer Input, infer _> ? Input : never
export type PayloadOutput<Definition> = Definition extends JobDefinition<string, infer _, infer Output> ? Output : never

const DEFAULT_RETRIES = 3
const DEFAULT_TIMEOUT = 300_000
const DEFAULT_LEASE = 30_000
const LEAST_LEASE = 1000

/** What a definition sets for its jobs, and an enqueue for its one. */
export const SETTINGS: readonly string[] = [
  'priority',
  'maxRetries',
  'maxAttempts',
  'maxInterruptions',
  'timeout',
  'leaseDuration',
  'backoff',
  'requires',
]

/** The numbers of a job whose type has no definition here. */
export const PLAIN_DEFAULTS: JobDefaults = Object.freeze({
  priority: 1,
  maxRetries: DEFAULT_RETRIES,
  maxInterruptions: null,
  timeout: DEFAULT_TIMEOUT,
  leaseDuration: DEFAULT_LEASE,
  backoff: null,
  requires: Object.freeze([]),
  limit: null,
  limitKey: null,
})

/**
 * Defines a kind of job.
 *
 * @throws HOLDFAST_INVALID_OPTION for an unknown option or a value out of its range; the error names the field
 */
export function defineJob<const Type extends string, Schema extends StandardSchema = StandardSchema>(
  options: JobOptions<Type, Schema>,
): JobDefinition<Type, SchemaInput<Schema>, SchemaOutput<Schema>> {
  knownOptions('defineJob', options, ['type', 'payload', 'limit', ...SETTINGS])
  const definition: JobDefinition<Type, SchemaInput<Schema>, SchemaOutput<Schema>> = {
    type: name('type', options.type) as Type,
    schema: checkSchema(options.payload) as StandardSchema<SchemaInput<Schema>, SchemaOutput<Schema>> | null,
    defaults: defaultsOf(options),
    handler(run) {
      callable('handler', run)
      return { type: this.type, definition: this, run }
    },
  }
  return Object.freeze(definition)
}

type Mutable<T> = { -readonly [Field in keyof T]: T[Field] }

type SchemaInput<Schema> = Schema extends StandardSchema<infer Input, infer _> ? Input : unknown
type SchemaOutput<Schema> = Schema extends StandardSchema<infer _, infer Output> ? Output : unknown

function defaultsOf(options: JobOptions<string, StandardSchema>): JobDefaults {
  const maxRetries = options.backoff?.kind === 'graphile' ? GRAPHILE_RETRIES : DEFAULT_RETRIES
  return Object.freeze({
    ...settingsOf('defineJob', options, { ...PLAIN_DEFAULTS, maxRetries }),
    ...limitOf(options.limit),
  })
}

/** The numbers of a job: as they are given, else as they were before. */
export function settingsOf(what: string, options: SettingsOptions, before: Settings): Settings {
  const { priority = before.priority, timeout = before.timeout, leaseDuration = before.leaseDuration } = options
  const { maxInterruptions, backoff, requires } = options
  return {
    priority: priorityToNumber('priority', priority),
    maxRetries: retriesOf(what, options) ?? before.maxRetries,
    maxInterruptions:
      maxInterruptions === undefined ? before.maxInterruptions : integer('maxInterruptions', maxInterruptions, 0),
    timeout: spanToMs('timeout', timeout, 1),
    leaseDuration: spanToMs('leaseDuration', leaseDuration, LEAST_LEASE),
    backoff: backoff === undefined ? before.backoff : checkBackoff('backoff', backoff),
    requires: requires === undefined ? before.requires : conditions('requires', requires),
  }
}

/** `maxRetries`, or `maxAttempts` said in retries; `null` when neither is given. */
function retriesOf(what: string, options: SettingsOptions): number | null {
  exclusive(what, options, 'maxRetries', 'maxAttempts')
  if (options.maxRetries !== undefined) return integer('maxRetries', options.maxRetries, 0)
  return options.maxAttempts === undefined ? null : integer('maxAttempts', options.maxAttempts, 1) - 1
}

function conditions(field: string, value: readonly string[]): readonly string[] {
  if (!Array.isArray(value)) throw invalidOption(field, 'an array of names', value)
  return Object.freeze([...new Set(value.map((condition) => name(`${field}[]`, condition, 50)))].sort())
}

function limitOf(options: LimitOptions<never> | undefined): Pick<JobDefaults, 'limit' | 'limitKey'> {
  if (options === undefined) return { limit: null, limitKey: null }
  knownOptions('limit', options, ['concurrency', 'rate', 'per', 'key'])
  const { concurrency, rate, per, key } = options
  if (concurrency === undefined && rate === undefined)
    throw invalidOption('limit', 'given `concurrency` or `rate`', options)
  if ((rate === undefined) !== (per === undefined))
    throw invalidOption('limit.per', 'given together with `limit.rate`', per)
  if (key !== undefined) callable('limit.key', key)
  const limit: Mutable<NonNullable<JobDefaults['limit']>> = {}
  if (concurrency !== undefined) limit.concurrency = integer('limit.concurrency', concurrency, 1)
  if (rate !== undefined) limit.rate = { count: integer('limit.rate', rate, 1), per: spanToMs('limit.per', per, 1) }
  return { limit: Object.freeze(limit), limitKey: key ?? null }
}

/** ArkType's schemas are functions, so what kind of value it is does not matter. */
function checkSchema(schema: unknown): StandardSchema | null {
  if (schema === undefined) return null
  const { '~standard': standard } = (schema ?? {}) as { '~standard'?: Partial<StandardSchema['~standard']> | null }
  if (standard?.version === 1 && typeof standard.validate === 'function') return schema as StandardSchema
  throw invalidOption('payload', 'a Standard Schema (version 1)', schema)
}

/** Runs a schema, as far as possible without waiting. Throws `HOLDFAST_SCHEMA_MISMATCH` with the schema's issues. */
export function validated(definition: JobDefinition, payload: unknown): unknown {
  if (definition.schema === null) return payload
  const result = definition.schema['~standard'].validate(payload)
  return isThenable(result)
    ? Promise.resolve(result).then((late) => schemaOutput(definition.type, late))
    : schemaOutput(definition.type, result)
}

function schemaOutput(type: string, result: SchemaResult<unknown>): unknown {
  if (result.issues === undefined) return result.value
  const list = result.issues.slice(0, 5).map(({ message, path }) => `${pathText(path)}: ${message}`)
  throw new HoldfastError(
    'HOLDFAST_SCHEMA_MISMATCH',
    `The payload of job \`${type}\` does not fit its schema: ${list.join('; ')}`,
    {
      details: { field: 'payload', issues: result.issues },
    },
  )
}

function pathText(path: readonly unknown[] | undefined): string {
  const keys = (path ?? []).map((part) =>
    String(typeof part === 'object' && part !== null && 'key' in part ? part.key : part),
  )
  return ['payload', ...keys].join('.')
}

// --- jobs as users see them ---------------------------------------------------------------------------------------

/** A job as it was when it was read. Moments are epoch ms, spans ms. */
export interface Job<Payload = unknown> {
  readonly id: string
  readonly type: string
  readonly payload: Payload
  readonly priority: number
  readonly status: JobStatus
  /** Claims that counted: those given back (a snooze, a clean stop) do not. */
  readonly attempts: number
  readonly failures: number
  readonly interruptions: number
  readonly maxRetries: number
  readonly maxInterruptions: number
  /** The same as `failures`. */
  readonly retryCount: number
  readonly createdAt: number
  readonly runAt: number
  readonly startedAt: number | null
  readonly finishedAt: number | null
  readonly timeout: number
  readonly leaseDuration: number
  /** The latest sign of life of its session while it runs; its start until the first. */
  readonly lastHeartbeat: number | null
  /** Rises at every claim and is never reused: pass it on to systems that should refuse a late writer. */
  readonly fence: number
  readonly session: string | null
  readonly jobKey: string | null
  readonly queueName: string | null
  readonly requires: readonly string[]
  readonly backoff: BackoffPolicy | null
  readonly progress: unknown
  readonly result: unknown
  readonly error: ErrorData | null
  /** Why it was cancelled, or is asked to end while it still runs. */
  readonly cancelReason: string | null
  readonly history: readonly AttemptRecord[]
  readonly revision: number
}

export function toJob<Payload = unknown>(
  record: JobRecord,
  now: number,
  lastHeartbeat: number | null = record.startedAt,
): Job<Payload> {
  return {
    id: record.id,
    type: record.type,
    payload: record.payload as Payload,
    priority: record.priority,
    status: statusOf(record, now),
    attempts: record.attempts,
    failures: record.failures,
    interruptions: record.interruptions,
    maxRetries: record.maxRetries,
    maxInterruptions: record.maxInterruptions,
    retryCount: record.failures,
    createdAt: record.createdAt,
    runAt: record.runAt,
    startedAt: record.startedAt,
    finishedAt: record.finishedAt,
    timeout: record.timeout,
    leaseDuration: record.leaseDuration,
    lastHeartbeat: record.state === 'running' ? lastHeartbeat : null,
    fence: record.fence,
    session: record.session,
    jobKey: record.jobKey,
    queueName: record.queueName,
    requires: record.requires,
    backoff: record.backoff,
    progress: record.progress,
    result: record.result,
    error: record.error,
    cancelReason: record.cancelRequested,
    history: record.history,
    revision: record.revision,
  }
}

/** Whether a waiting job's time has come. `now` in epoch ms. */
export function isDue(job: Pick<Job, 'status' | 'runAt'>, now: number): boolean {
  return job.status === 'pending' || (job.status === 'scheduled' && job.runAt <= now)
}

/**
 * Whether a running job's session has given no sign of life for the job's lease, by the wall clock. For display: what
 * takes a job away is the reaper's own observation, never this.
 */
export function isLeaseExpired(job: Pick<Job, 'status' | 'lastHeartbeat' | 'leaseDuration'>, now: number): boolean {
  return job.status === 'running' && now - (job.lastHeartbeat ?? 0) > job.leaseDuration
}

/** The delay in ms before the job would be retried if it failed now, without jitter. */
export function nextRetryDelay(job: Pick<Job, 'failures' | 'backoff'>): number {
  return backoffDelay(job.backoff, job.failures + 1, 0.5)
}
