import type { Environment } from './environment.ts'
import { fieldError, invalidOption } from './errors.ts'
import { type JobDefinition, PLAIN_DEFAULTS, SETTINGS, type Settings, settingsOf, validated } from './job.ts'
import {
  exclusive,
  longName,
  type Moment,
  momentToMs,
  name,
  type Priority,
  readOptions,
  type Span,
  spanToMs,
} from './options.ts'
import { checkedJson } from './payload.ts'
import type { BackoffPolicy, JobKeyMode, NewJob } from './storage/contract.ts'

/** Options of one enqueue. What is not given comes from the job's definition. */
export interface EnqueueOptions {
  /** Makes the call repeatable: the same id with the same payload is stored once. Default: a new UUID. */
  readonly id?: string
  readonly priority?: Priority
  /** When the job becomes due. Default: at once. Not together with `delay`. */
  readonly runAt?: Moment
  /** How long from now the job becomes due. */
  readonly delay?: Span
  readonly maxRetries?: number
  readonly maxAttempts?: number
  readonly maxInterruptions?: number
  readonly timeout?: Span
  readonly leaseDuration?: Span
  readonly backoff?: BackoffPolicy
  /** Makes the job unique, replaceable or removable while it waits or runs. */
  readonly jobKey?: string
  /** What happens when the key is held. Default `replace`. Needs `jobKey`. */
  readonly jobKeyMode?: JobKeyMode
  /** Jobs with the same `queueName` run one after another. */
  readonly queueName?: string
  readonly requires?: readonly string[]
}

// Not spread into one literal: bundlers keep that where nothing uses it.
const OPTIONS = /* @__PURE__ */ Object.assign(
  { id: name, runAt: momentToMs, delay: spanToMs, jobKey: longName, jobKeyMode: keyMode, queueName: longName },
  SETTINGS,
)

function keyMode(field: string, value: unknown): JobKeyMode {
  if (value === 'replace' || value === 'preserveRunAt' || value === 'unsafeDedupe') return value
  throw invalidOption(field, "'replace', 'preserveRunAt' or 'unsafeDedupe'", value)
}

export interface IntakeOptions {
  readonly environment: Pick<Environment, 'now'>
  readonly newId: () => string
  readonly payloadLimit: number
  readonly maxInterruptions: number
  /** `null`: the queue was opened without a list of jobs, so any name may be enqueued. */
  readonly definitions: ReadonlyMap<string, JobDefinition> | null
}

type Details = Omit<NewJob, 'payload' | 'limitKey'> & { payload: unknown; limitKey: string | null }

/** Turns an enqueue call into a complete job to be stored, or into a typed error that says what is wrong with it. */
export class Intake {
  readonly #options: IntakeOptions

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /** A promise only when the schema makes one. Throws, or rejects, before anything is stored. */
  prepare(job: JobDefinition | string, payload: unknown, options: EnqueueOptions = {}): NewJob | Promise<NewJob> {
    const definition = typeof job === 'string' ? this.#byName(job) : checkDefinition(job)
    const type = definition?.type ?? (job as string)
    const details = this.#details(type, definition?.defaults ?? PLAIN_DEFAULTS, options)
    const output = definition === null ? payload : validated(definition, payload)
    const finish = (checked: unknown): NewJob => {
      details.payload = checkedJson('payload', checked, this.#options.payloadLimit)
      details.limitKey = limitKeyOf(definition, details.payload)
      return details
    }
    return output instanceof Promise ? output.then(finish) : finish(output)
  }

  #byName(type: string): JobDefinition | null {
    const { definitions } = this.#options
    name('job', type)
    if (definitions === null) return null
    const definition = definitions.get(type)
    if (definition !== undefined) return definition
    throw fieldError(
      'HOLDFAST_UNKNOWN_JOB',
      'job',
      type,
      `Job \`${type}\` is not among the jobs of this queue: ${[...definitions.keys()].join(', ')}`,
    )
  }

  /** All but `payload` and `limitKey`. */
  #details(type: string, defaults: Settings, options: EnqueueOptions): Details {
    const given = readOptions('options', options, OPTIONS, '')
    exclusive('options', given, 'maxRetries', 'maxAttempts')
    exclusive('options', given, 'runAt', 'delay')
    const { id, jobKey = null, jobKeyMode, queueName = null, delay = null } = given
    if (jobKeyMode !== undefined && jobKey === null)
      throw invalidOption('jobKeyMode', 'given together with `jobKey`', jobKeyMode)
    const createdAt = this.#options.environment.now()
    const settings = settingsOf(given, defaults)
    // Field by field: spreading the settings would cost more than the rest of an enqueue.
    return {
      id: id ?? this.#options.newId(),
      type,
      payload: null,
      priority: settings.priority,
      maxRetries: settings.maxRetries,
      maxInterruptions: settings.maxInterruptions ?? this.#options.maxInterruptions,
      createdAt,
      // A moment counts by the clock alone; a span also by itself, so that a wrong clock cannot stretch it.
      runAt: given.runAt ?? createdAt + (delay ?? 0),
      delay: given.runAt === undefined ? delay : -1,
      timeout: settings.timeout,
      leaseDuration: settings.leaseDuration,
      backoff: settings.backoff,
      requires: settings.requires,
      jobKey,
      jobKeyMode: jobKeyMode ?? 'replace',
      queueName,
      limitKey: null,
    }
  }
}

function limitKeyOf(definition: JobDefinition | null, payload: unknown): string | null {
  if (definition === null || definition.defaults.limit === null) return null
  const { limitKey } = definition.defaults
  if (limitKey === null) return ''
  const key: unknown = limitKey(payload as never)
  if (typeof key !== 'string' || key.length > 500)
    throw invalidOption('limit.key(payload)', 'a text of at most 500 characters', key)
  return key
}

export function checkDefinition(value: unknown): JobDefinition {
  const definition = value as Partial<JobDefinition> | null
  if (typeof definition === 'object' && typeof definition?.type === 'string' && typeof definition.defaults === 'object')
    return definition as JobDefinition
  throw invalidOption('job', 'a definition made by defineJob(), or the name of one', value)
}
