import { backoffDelay, checkBackoff, GRAPHILE_RETRIES } from './backoff.ts'
import type { HandlerContext } from './context.ts'
import { HoldfastError, invalidOption } from './errors.ts'
import {
  atLeast0,
  atLeast1,
  callable,
  exclusive,
  name,
  type Priority,
  positiveSpan,
  priorityToNumber,
  readOptions,
  type Rule,
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

/** Settings as they were read. */
export interface GivenSettings extends Partial<Omit<Settings, 'maxInterruptions' | 'backoff'>> {
  readonly maxAttempts?: number
  readonly maxInterruptions?: number
  readonly backoff?: BackoffPolicy
}

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

/** How what a definition sets for its jobs, and an enqueue for its one, is read. */
export const SETTINGS: { readonly [Name in keyof GivenSettings]-?: Rule<NonNullable<GivenSettings[Name]>> } = {
  priority: priorityToNumber,
  maxRetries: atLeast0,
  maxAttempts: atLeast1,
  maxInterruptions: atLeast0,
  timeout: positiveSpan,
  leaseDuration: (field, value) => spanToMs(field, value, LEAST_LEASE),
  backoff: checkBackoff,
  requires: conditions,
}

/** The numbers of a job whose type has no definition here. */
export const PLAIN_DEFAULTS: JobDefaults = /* @__PURE__ */ Object.freeze({
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
  const {
    type = name('type', undefined),
    payload = null,
    limit = null,
    ...given
  } = readOptions('defineJob', options, { type: name, payload: checkSchema, limit: limitOf, ...SETTINGS }, '')
  exclusive('defineJob', given, 'maxRetries', 'maxAttempts')
  const maxRetries = given.backoff?.kind === 'graphile' ? GRAPHILE_RETRIES : DEFAULT_RETRIES
  const definition: JobDefinition<Type, SchemaInput<Schema>, SchemaOutput<Schema>> = {
    type: type as Type,
    schema: payload as StandardSchema<SchemaInput<Schema>, SchemaOutput<Schema>> | null,
    defaults: Object.freeze({
      ...settingsOf(given, { ...PLAIN_DEFAULTS, maxRetries }),
      limit: null,
      limitKey: null,
      ...limit,
    }),
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

/** The numbers of a job: as they are given, else as they were before. `maxAttempts` says `maxRetries` in runs. */
export function settingsOf(given: GivenSettings, before: Settings): Settings {
  const { maxAttempts, maxRetries = maxAttempts === undefined ? before.maxRetries : maxAttempts - 1 } = given
  return {
    priority: given.priority ?? before.priority,
    maxRetries,
    maxInterruptions: given.maxInterruptions ?? before.maxInterruptions,
    timeout: given.timeout ?? before.timeout,
    leaseDuration: given.leaseDuration ?? before.leaseDuration,
    backoff: given.backoff ?? before.backoff,
    requires: given.requires ?? before.requires,
  }
}

function conditions(field: string, value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw invalidOption(field, 'an array of names', value)
  return Object.freeze([...new Set(value.map((condition) => name(`${field}[]`, condition, 50)))].sort())
}

function limitOf(field: string, options: unknown): Pick<JobDefaults, 'limit' | 'limitKey'> {
  const { key, concurrency, rate, per } = readOptions(field, options, {
    concurrency: atLeast1,
    rate: atLeast1,
    per: positiveSpan,
    key: callable,
  })
  if (concurrency === undefined && rate === undefined)
    throw invalidOption(field, 'given `concurrency` or `rate`', options)
  if ((rate === undefined) !== (per === undefined))
    throw invalidOption(`${field}.per`, 'given together with `limit.rate`', per)
  const limit: Mutable<NonNullable<JobDefaults['limit']>> = {}
  if (concurrency !== undefined) limit.concurrency = concurrency
  if (rate !== undefined && per !== undefined) limit.rate = { count: rate, per }
  return { limit: Object.freeze(limit), limitKey: (key ?? null) as JobDefaults['limitKey'] }
}

/** ArkType's schemas are functions, so what kind of value it is does not matter. */
function checkSchema(field: string, schema: unknown): StandardSchema {
  const { '~standard': standard } = (schema ?? {}) as { '~standard'?: Partial<StandardSchema['~standard']> | null }
  if (standard?.version === 1 && typeof standard.validate === 'function') return schema as StandardSchema
  throw invalidOption(field, 'a Standard Schema (version 1)', schema)
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
