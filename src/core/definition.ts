import { checkBackoff, GRAPHILE_RETRIES } from './backoff.ts'
import type { HandlerContext } from './context.ts'
import { invalidOption } from './errors.ts'
import {
  callable,
  type Check,
  exclusive,
  integerFrom,
  listOf,
  name,
  orInfinite,
  type Priority,
  priorityToNumber,
  type Read,
  readOptions,
  type Span,
  spanFrom,
} from './options.ts'
import type { BackoffPolicy, SerialMode } from './storage/contract.ts'

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

/**
 * `json`: what JSON carries unchanged. `structured-clone`: beside that Date, Map, Blob, File, ArrayBuffer, typed arrays
 * and DataView, on a storage that keeps them.
 */
export type PayloadFormat = 'json' | 'structured-clone'

/** What a definition states for its jobs, and one enqueue for one of them, which else has it from the definition. */
export interface JobSettings {
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
  /**
   * What a job that was started and waits again (for its retry, a snooze, given back) means to its serial queue. Default
   * `relaxed`: the next may go. `strict`: no other starts until it has ended. Each job says it for itself, whatever the
   * others of its queue say. An enqueue that says it needs `queueName`.
   */
  readonly serial?: SerialMode
  /**
   * Conditions that must hold where the job runs; until they do, it waits. `'online'` is the only one of the platform's
   * own: an attempt that did not reach the network counts as nothing, see `Unreachable`. Any other is a name of yours,
   * which the `environment` of a queue has to say among its `conditions`; where none ever does, the job waits until its
   * `expireAfter`, which for such names is for ever unless it is given.
   */
  readonly requires?: Requirement | readonly Requirement[]
  /**
   * How long the job may take to come to its end, from when it is first due; then it is failed with
   * `HOLDFAST_EXPIRED`, unless it runs. Default: 7 days where it requires `online`, else `Infinity`.
   */
  readonly expireAfter?: Span | typeof Infinity
}

export interface JobOptions<Type extends string, Schema extends StandardSchema> extends JobSettings {
  /** Names the job in storage: 1 to 200 characters. */
  readonly type: Type
  /** Checked before a job is stored; what it puts out is what is stored. */
  readonly payload?: Schema
  /** What payloads may hold. Default `json`. A queue on a storage that keeps only JSON refuses the other. */
  readonly payloadFormat?: PayloadFormat
  /**
   * Version of what payloads look like, from 1, the default. Raise it with each change that a handler of before would
   * not understand: executors leave jobs of newer versions than theirs to others.
   */
  readonly version?: number
  /**
   * Makes a payload that was stored by an older version, named by `from`, what would be enqueued today; the schema then
   * checks it as it does an enqueue. Runs before the handler, for each attempt; if it throws, the attempt has failed.
   * Required from version 2 on.
   */
  readonly migrate?: (payload: unknown, from: number) => SchemaInput<Schema> | Promise<SchemaInput<Schema>>
  readonly limit?: LimitOptions<SchemaOutput<Schema>>
}

/** `'online'`, or a name that an `environment` of yours has among its `conditions`. */
export type Requirement = 'online' | (string & {})

/** Numbers of a definition as jobs are stored with them. */
export interface JobDefaults {
  readonly priority: number
  readonly maxRetries: number
  readonly maxInterruptions: number | null
  readonly timeout: number
  readonly leaseDuration: number
  readonly backoff: BackoffPolicy | null
  readonly serial: SerialMode
  readonly requires: readonly string[]
  /** `null`: by default, which depends on what a job requires. */
  readonly expireAfter: number | null
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
  readonly payloadFormat: PayloadFormat
  readonly version: number
  readonly migrate: ((payload: unknown, from: number) => unknown) | null
  readonly defaults: JobDefaults
  /** Binds what runs the job. Executors take bound handlers. */
  readonly handler: <Result>(run: HandlerFunction<Output, Result>) => BoundHandler<Type>
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

/** The numbers of a job whose type has no definition here. */
export const PLAIN_DEFAULTS: JobDefaults = /* @__PURE__ */ Object.freeze({
  priority: 1,
  maxRetries: 3,
  maxInterruptions: null,
  timeout: 300_000,
  leaseDuration: 30_000,
  backoff: null,
  serial: 'relaxed',
  requires: /* @__PURE__ */ Object.freeze([]),
  expireAfter: null,
  limit: null,
  limitKey: null,
})

type Settings = { readonly maxAttempts: Check<number> } & {
  readonly [Key in Exclude<keyof JobSettings, 'maxAttempts'>]: Check<NonNullable<JobDefaults[Key]>>
}

/** How they are checked. */
export const SETTINGS: Settings = {
  priority: priorityToNumber,
  maxRetries: /* @__PURE__ */ integerFrom(0),
  maxAttempts: /* @__PURE__ */ integerFrom(1),
  maxInterruptions: /* @__PURE__ */ integerFrom(0),
  timeout: /* @__PURE__ */ spanFrom(1),
  leaseDuration: /* @__PURE__ */ spanFrom(1000),
  backoff: checkBackoff,
  serial: serialMode,
  requires: conditions,
  expireAfter: /* @__PURE__ */ orInfinite(/* @__PURE__ */ spanFrom(1)),
}

/**
 * Defines a kind of job.
 *
 * @throws HOLDFAST_INVALID_OPTION for an unknown option or a value out of its range; the error names the field
 */
export function defineJob<const Type extends string, Schema extends StandardSchema = StandardSchema>(
  options: JobOptions<Type, Schema>,
): JobDefinition<Type, SchemaInput<Schema>, SchemaOutput<Schema>> {
  const shape = { payload: checkSchema, payloadFormat: checkFormat, version: integerFrom(1), migrate: callable }
  const checks = { type: name, limit: limitOf, ...shape, ...SETTINGS }
  const {
    type = name('type', undefined),
    payload,
    payloadFormat = 'json',
    version = 1,
    migrate = null,
    limit,
    ...settings
  } = readOptions('defineJob', options, checks, '')
  exclusive(settings, 'maxRetries', 'maxAttempts')
  if ((migrate === null) !== (version === 1))
    throw invalidOption('migrate', 'given where `version` is above 1, and only there', migrate ?? undefined)
  const definition: JobDefinition<Type, SchemaInput<Schema>, SchemaOutput<Schema>> = {
    type: type as Type,
    schema: (payload ?? null) as StandardSchema<SchemaInput<Schema>, SchemaOutput<Schema>> | null,
    payloadFormat,
    version,
    migrate: migrate as JobDefinition['migrate'],
    defaults: defaultsOf(settings, limit),
    handler: (run) => ({ type: definition.type, definition, run: callable('handler', run) as typeof run }),
  }
  return Object.freeze(definition)
}

type SchemaInput<Schema> = Schema extends StandardSchema<infer Input, infer _> ? Input : unknown
type SchemaOutput<Schema> = Schema extends StandardSchema<infer _, infer Output> ? Output : unknown

function defaultsOf({ maxAttempts, ...given }: Read<typeof SETTINGS>, limit: Limits | undefined): JobDefaults {
  const retries = maxAttempts !== undefined && { maxRetries: maxAttempts - 1 }
  const graphile = given.backoff?.kind === 'graphile' && { maxRetries: GRAPHILE_RETRIES }
  return Object.freeze({ ...PLAIN_DEFAULTS, ...graphile, ...given, ...retries, ...limit })
}

function conditions(field: string, value: unknown): readonly string[] {
  const condition: Check<string> = (at, one) => name(at, one, 50)
  const rule = 'the name of a condition, or an array of names'
  const names = typeof value === 'string' ? [condition(field, value)] : listOf(field, value, condition, rule)
  return Object.freeze([...new Set(names)].sort())
}

type Limits = Pick<JobDefaults, 'limit' | 'limitKey'>

function limitOf(field: string, options: unknown): Limits {
  const checks = { concurrency: integerFrom(1), rate: integerFrom(1), per: spanFrom(1), key: callable }
  const { concurrency, rate, per, key } = readOptions(field, options, checks)
  if (concurrency === undefined && rate === undefined)
    throw invalidOption(field, 'given `concurrency` or `rate`', options)
  if ((rate === undefined) !== (per === undefined))
    throw invalidOption(`${field}.per`, 'given together with `limit.rate`', per)
  const limit = {
    ...(concurrency !== undefined && { concurrency }),
    ...(rate !== undefined && per !== undefined && { rate: { count: rate, per } }),
  }
  return { limit: Object.freeze(limit), limitKey: (key as Limits['limitKey'] | undefined) ?? null }
}

function serialMode(field: string, value: unknown): SerialMode {
  if (value === 'relaxed' || value === 'strict') return value
  throw invalidOption(field, "'relaxed' or 'strict'", value)
}

function checkFormat(field: string, value: unknown): PayloadFormat {
  if (value === 'json' || value === 'structured-clone') return value
  throw invalidOption(field, "'json' or 'structured-clone'", value)
}

/** ArkType's schemas are functions, so what kind of value it is does not matter. */
function checkSchema(field: string, schema: unknown): StandardSchema {
  const { '~standard': standard } = Object(schema) as { '~standard'?: Partial<StandardSchema['~standard']> | null }
  if (standard?.version === 1 && typeof standard.validate === 'function') return schema as StandardSchema
  throw invalidOption(field, 'a Standard Schema (version 1)', schema)
}
