import type { Environment } from './environment.ts'
import { fieldError, type HoldfastError, invalidOption } from './errors.ts'
import { type JobDefaults, type JobDefinition, type JobSettings, PLAIN_DEFAULTS, SETTINGS } from './definition.ts'
import {
  anything,
  exclusive,
  integerFrom,
  listOf,
  longName,
  type Moment,
  momentToMs,
  name,
  readable,
  readOptions,
  type Span,
  spanToMs,
} from './options.ts'
import { checkedJson } from './payload.ts'
import type { EnqueueItem } from './queue.ts'
import { validated } from './schema.ts'
import type { ErrorData, JobKeyMode, NewJob, PayloadSize, StorageAdapter } from './storage/contract.ts'
import { checkedStructured } from './structured-payload.ts'
import { isThenable } from './thenable.ts'

/** Options of one enqueue. What is not given comes from the job's definition. */
export interface EnqueueOptions extends JobSettings {
  /** Makes the call repeatable: the same id with the same payload is stored once. Default: a new UUID. */
  readonly id?: string
  /** When the job becomes due. Default: at once. Not together with `delay`. */
  readonly runAt?: Moment
  /** How long from now the job becomes due. */
  readonly delay?: Span
  /** Makes the job unique, replaceable or removable while it waits or runs. */
  readonly jobKey?: string
  /** What happens when the key is held. Default `replace`. Needs `jobKey`. */
  readonly jobKeyMode?: JobKeyMode
  /** Jobs with the same `queueName` run one after another. */
  readonly queueName?: string
  /** Version of the payload, from 1, where the queue does not know the definition, which else says it. Default 1. */
  readonly version?: number
}

// Not spread into one literal: bundlers keep that where nothing uses it.
const OPTIONS = /* @__PURE__ */ Object.assign(
  {
    id: name,
    runAt: momentToMs,
    delay: spanToMs,
    jobKey: longName,
    jobKeyMode: keyMode,
    queueName: longName,
    version: /* @__PURE__ */ integerFrom(1),
  },
  SETTINGS,
)

/** What an enqueue may be given. */
export const OPTION_NAMES: readonly string[] = /* @__PURE__ */ Object.keys(OPTIONS)

/** How long a job that requires the network may wait for it, unless it says otherwise: 7 days. ms */
const OFFLINE_PATIENCE = 604_800_000

export interface IntakeOptions {
  readonly environment: Pick<Environment, 'now'>
  readonly newId: () => string
  readonly storage: Pick<StorageAdapter, 'name' | 'traits'>
  readonly payloadLimit: number
  readonly binaryLimit: number
  readonly maxInterruptions: number
  /** `null`: the queue was opened without a list of jobs, so any name may be enqueued. */
  readonly definitions: ReadonlyMap<string, JobDefinition> | null
}

/** What is known of a job, by its definition where there is one; `version: null`: not even that. */
interface Described extends Omit<JobDefinition, 'handler' | 'migrate' | 'version'> {
  readonly version: number | null
  /** Nobody knows whether its handler's definition has a schema. */
  readonly unchecked?: true
}

const UNKNOWN: Omit<Described, 'type'> = /* @__PURE__ */ Object.freeze({
  schema: null,
  payloadFormat: 'json',
  version: null,
  defaults: PLAIN_DEFAULTS,
  unchecked: true,
})

/** An unknown job, for whose definition `settings` stand. */
function describedBy(type: string, settings: EnqueueOptions): Described {
  const { version = null, ...given } = readOptions('settings', settings, OPTIONS)
  return { ...UNKNOWN, type, version, defaults: { ...PLAIN_DEFAULTS, ...given } }
}

type Details = Omit<NewJob, 'payload' | 'limitKey' | 'depth' | 'unchecked'> & {
  payload: unknown
  unchecked?: boolean
  limitKey: string | null
  depth: number
}

/** `undefined` where it throws. */
function attempted<Result>(make: () => Result): Result | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}

/** Turns an enqueue call into a complete job to be stored, or into a typed error that says what is wrong with it. */
export class Intake {
  readonly #options: IntakeOptions
  readonly #joinedAtMost: PayloadSize

  constructor(options: IntakeOptions) {
    this.#options = options
    this.#joinedAtMost = { json: options.payloadLimit, binary: options.binaryLimit }
  }

  /** A promise only when the schema makes one. Throws, or rejects, before anything is stored. */
  prepare(
    job: JobDefinition | string,
    payload: unknown,
    options: EnqueueOptions = {},
    depth = 0,
  ): NewJob | Promise<NewJob> {
    return this.#prepare(this.#definitionOf(job), payload, options, depth)
  }

  #prepare(definition: Described, payload: unknown, options: EnqueueOptions, depth: number): NewJob | Promise<NewJob> {
    const { payloadFormat, defaults } = definition
    const { payloadLimit, binaryLimit, storage } = this.#options
    const details = this.#details(definition, options)
    details.depth = depth
    if (definition.unchecked) details.unchecked = true
    return validated(definition, payload, (output) => {
      details.payload =
        payloadFormat === 'structured-clone'
          ? checkedStructured('payload', output, payloadLimit, binaryLimit, storage.traits.blobs)
          : checkedJson('payload', output, payloadLimit)
      details.limitKey = limitKeyOf(defaults, details.payload)
      return details
    })
  }

  /** As `prepare`, of a job by its name, which may be unknown here: then `settings` stand for its definition. */
  prepareNamed(
    type: string,
    payload: unknown,
    settings: EnqueueOptions,
    options: EnqueueOptions,
    depth: number,
  ): NewJob | Promise<NewJob> {
    return this.#prepare(this.defined(type) ?? describedBy(type, settings), payload, options, depth)
  }

  /**
   * A job that could not be made: it is stored as `failed`, so that it is seen. Never throws: another program may have
   * given a job that is unknown here, options and settings of a newer version, and a payload that no job may have.
   */
  broken(
    type: string,
    payload: unknown,
    settings: EnqueueOptions,
    options: EnqueueOptions & { readonly id: string },
    depth: number,
    error: ErrorData,
  ): NewJob {
    const known = Object.fromEntries(Object.entries(settings).filter(([key]) => OPTION_NAMES.includes(key)))
    const definition = this.defined(type) ?? attempted(() => describedBy(type, known)) ?? { ...UNKNOWN, type }
    const details = attempted(() => this.#details(definition, options)) ?? this.#details(definition, { id: options.id })
    const kept = attempted(() => checkedJson('payload', payload, this.#options.payloadLimit)) ?? null
    // A key would let it replace a job that waits.
    return { ...details, payload: kept, jobKey: null, depth, unchecked: true, failed: error }
  }

  /** What is known of a job. Throws for options that no enqueue of it may have. */
  checked(job: JobDefinition | string, options: EnqueueOptions): Described {
    const definition = this.#definitionOf(job)
    this.#details(definition, options)
    return definition
  }

  #definitionOf(job: JobDefinition | string): Described {
    if (typeof job === 'string') return this.#byName(job)
    return this.known('job', job, JOB)
  }

  /** A definition that may be used with this queue. With a list of jobs it has to be the very one of the list. */
  known(field: string, value: unknown, rule?: string): JobDefinition {
    const definition = checkDefinition(field, value, rule)
    const { definitions, storage } = this.#options
    if (definition.payloadFormat === 'structured-clone' && storage.traits.payload === 'json')
      throw formatRefused(definition, storage.name)
    if (definitions === null || definitions.get(definition.type) === definition) return definition
    throw unknownJob(field, definition.type, definitions)
  }

  /** The jobs of this queue, if it was opened with a list of them. */
  listed(): readonly JobDefinition[] | undefined {
    const { definitions } = this.#options
    return definitions === null ? undefined : [...definitions.values()]
  }

  /** The job of this name, if the queue was opened with it. */
  defined(type: string): JobDefinition | undefined {
    return this.#options.definitions?.get(type)
  }

  #byName(type: string): Described {
    const { definitions } = this.#options
    name('job', type)
    if (definitions === null) return { ...UNKNOWN, type }
    const definition = definitions.get(type)
    if (definition !== undefined) return definition
    throw unknownJob('job', type, definitions)
  }

  /** All but `payload`, `limitKey` and `depth`. */
  #details({ type, version, defaults }: Described, options: EnqueueOptions): Details {
    const given = readOptions('options', options, OPTIONS, '')
    exclusive(given, 'maxRetries', 'maxAttempts')
    exclusive(given, 'runAt', 'delay')
    const createdAt = this.#options.environment.now()
    const { jobKey = null, jobKeyMode, queueName = null, maxAttempts } = given
    if (jobKeyMode !== undefined && jobKey === null)
      throw invalidOption('jobKeyMode', 'given together with `jobKey`', jobKeyMode)
    if (given.serial !== undefined && queueName === null)
      throw invalidOption('serial', 'given together with `queueName`', given.serial)
    if (given.version !== undefined && given.version !== (version ?? given.version))
      throw invalidOption('version', `absent or ${version}, as the definition says`, given.version)
    const { runAt, delay } = dueTime(given, createdAt)
    const requires = given.requires ?? defaults.requires
    return {
      id: given.id ?? this.#options.newId(),
      type,
      payload: null,
      payloadVersion: version ?? given.version ?? 1,
      priority: given.priority ?? defaults.priority,
      maxRetries: maxAttempts === undefined ? (given.maxRetries ?? defaults.maxRetries) : maxAttempts - 1,
      maxInterruptions: given.maxInterruptions ?? defaults.maxInterruptions ?? this.#options.maxInterruptions,
      createdAt,
      runAt,
      delay,
      timeout: given.timeout ?? defaults.timeout,
      leaseDuration: given.leaseDuration ?? defaults.leaseDuration,
      backoff: given.backoff ?? defaults.backoff,
      jobKey,
      jobKeyMode: jobKeyMode ?? 'replace',
      queueName,
      serial: given.serial ?? defaults.serial,
      limitKey: null,
      depth: 0,
      joinedAtMost: this.#joinedAtMost,
      requires,
      expireAfter: patience(requires, given.expireAfter ?? defaults.expireAfter),
    }
  }
}

/** How long it may wait, in ms; `null`: for ever. */
function patience(requires: readonly string[], given: number | null): number | null {
  const span = given ?? (requires.includes('online') ? OFFLINE_PATIENCE : Infinity)
  return span === Infinity ? null : span
}

type DueTime = Pick<NewJob, 'runAt' | 'delay'>

/** A moment counts by the clock alone; a span also by itself, so that a wrong clock cannot stretch it. */
function dueTime({ runAt, delay }: { readonly runAt?: number; readonly delay?: number }, now: number): DueTime {
  if (runAt !== undefined) return { runAt, delay: -1 }
  return delay === undefined ? { runAt: now, delay: null } : { runAt: now + delay, delay }
}

function keyMode(field: string, value: unknown): JobKeyMode {
  if (value === 'replace' || value === 'preserveRunAt' || value === 'unsafeDedupe') return value
  throw invalidOption(field, "'replace', 'preserveRunAt' or 'unsafeDedupe'", value)
}

function limitKeyOf({ limit, limitKey }: JobDefaults, payload: unknown): string | null {
  if (limit === null) return null
  if (limitKey === null) return ''
  let key: unknown
  try {
    key = limitKey(payload as never)
  } catch (cause) {
    const message = 'The function `limit.key` threw for this payload: see the cause'
    throw fieldError('HOLDFAST_INVALID_OPTION', 'limit.key', limitKey, message, cause)
  }
  // Nobody waits for a promise, so nobody else hears that it rejects.
  if (isThenable(key)) key.then(undefined, () => undefined)
  if (typeof key === 'string' && key.length <= 500) return key
  throw invalidOption('limit.key', 'a function that gives a text of at most 500 characters', key)
}

/** What an item of `enqueueMany` may have: whoever makes a job of it looks at each. */
const ITEM = { job: anything, payload: anything, options: anything }

/** What is made of the items of `enqueueMany`, each with its place, as errors begin that are about it. */
export function eachItem<Made>(items: unknown, make: (item: EnqueueItem, place: string) => Made): Made[] {
  const making = (place: string, item: unknown): Made => make(readOptions(place, item, ITEM) as EnqueueItem, place)
  return listOf('items', items, making, 'an array of { job, payload, options }')
}

const DEFINITION = 'a definition made by defineJob()'
/** What an enqueue takes for a job. */
export const JOB = 'a definition made by defineJob(), or the name of one'

export function checkDefinition(field: string, value: unknown, rule: string = DEFINITION): JobDefinition {
  return readable(field, value, () => {
    const { type, defaults, handler } = Object(value) as Partial<JobDefinition>
    const { leaseDuration } = Object(defaults) as Partial<JobDefaults>
    if (typeof type === 'string' && typeof leaseDuration === 'number' && typeof handler === 'function')
      return value as JobDefinition
    throw invalidOption(field, rule, value)
  })
}

function formatRefused({ type, payloadFormat }: JobDefinition, storage: string): HoldfastError {
  return fieldError(
    'HOLDFAST_PAYLOAD_FORMAT',
    'payloadFormat',
    payloadFormat,
    `Job \`${type}\` has payloads of the format '${payloadFormat}', the ${storage} storage keeps only JSON`,
  )
}

/** Another definition of a name on the list is unknown too: which of the two counts would be anybody's guess. */
function unknownJob(field: string, type: string, definitions: ReadonlyMap<string, JobDefinition>): HoldfastError {
  return fieldError(
    'HOLDFAST_UNKNOWN_JOB',
    field,
    type,
    `Job \`${type}\` ${definitions.has(type) ? 'has another definition in' : 'is not among'} the jobs of this queue: ${[...definitions.keys()].join(', ')}`,
  )
}
