import type { Environment } from './environment.ts'
import { fieldError, invalidOption } from './errors.ts'
import { type JobDefinition, PLAIN_DEFAULTS, SETTINGS, type Settings, settingsOf, validated } from './job.ts'
import {
  exclusive,
  knownOptions,
  type Moment,
  momentToMs,
  name,
  type Priority,
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

const OPTIONS: readonly string[] = ['id', 'runAt', 'delay', 'jobKey', 'jobKeyMode', 'queueName', ...SETTINGS]

const KEY_MODES: readonly unknown[] = ['replace', 'preserveRunAt', 'unsafeDedupe']

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
    knownOptions('options', options, OPTIONS)
    const createdAt = this.#options.environment.now()
    const { jobKey, jobKeyMode } = options
    if (jobKeyMode !== undefined && !KEY_MODES.includes(jobKeyMode))
      throw invalidOption('jobKeyMode', "'replace', 'preserveRunAt' or 'unsafeDedupe'", jobKeyMode)
    if (jobKeyMode !== undefined && jobKey === undefined)
      throw invalidOption('jobKeyMode', 'given together with `jobKey`', jobKeyMode)
    const settings = settingsOf('options', options, defaults)
    const { runAt, delay } = dueTime(options, createdAt)
    // Field by field: spreading the settings would cost more than the rest of an enqueue.
    return {
      id: options.id === undefined ? this.#options.newId() : name('id', options.id),
      type,
      payload: null,
      priority: settings.priority,
      maxRetries: settings.maxRetries,
      maxInterruptions: settings.maxInterruptions ?? this.#options.maxInterruptions,
      createdAt,
      runAt,
      delay,
      timeout: settings.timeout,
      leaseDuration: settings.leaseDuration,
      backoff: settings.backoff,
      requires: settings.requires,
      jobKey: jobKey === undefined ? null : name('jobKey', jobKey, 500),
      jobKeyMode: jobKeyMode ?? 'replace',
      queueName: options.queueName === undefined ? null : name('queueName', options.queueName, 500),
      limitKey: null,
    }
  }
}

/** A moment counts by the clock alone; a span also by itself, so that a wrong clock cannot stretch it. */
function dueTime(options: EnqueueOptions, now: number): { readonly runAt: number; readonly delay: number | null } {
  exclusive('options', options, 'runAt', 'delay')
  if (options.runAt !== undefined) return { runAt: momentToMs('runAt', options.runAt), delay: -1 }
  if (options.delay === undefined) return { runAt: now, delay: null }
  const delay = spanToMs('delay', options.delay)
  return { runAt: now + delay, delay }
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
