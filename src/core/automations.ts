import { Administration } from './administration.ts'
import { checkCondition, type JobFilter } from './conditions.ts'
import { documentCopy } from './document.ts'
import { HoldfastError, invalidOption, toErrorData } from './errors.ts'
import type { EnqueueOptions } from './intake.ts'
import { type JobDefaults, type JobDefinition, toJob } from './job.ts'
import { anything, boolean, type Check, name, readOptions } from './options.ts'
import { checkedJson, tooLarge } from './payload.ts'
import type { EnqueuedJob } from './queue.ts'
import type { QueueCore } from './queue-core.ts'
import { partOf, type ReadPart, testOf } from './storage/condition-test.ts'
import type { Condition, DefineRequest, NewJob, Settlement } from './storage/contract.ts'
import { isObject } from './storage/plain.ts'
import { settled } from './storage/transitions.ts'
import { checkTemplate, fill, fillName, type Source } from './template.ts'

/** What an automation is stored as, and listed. */
export interface Automation {
  readonly name: string
  /** `insert:TABLE`, `update:TABLE`, `delete:TABLE`, `*:TABLE`, `job:completed` or `job:failed`. */
  readonly on: string
  readonly where: Condition
  readonly enqueue: {
    readonly job: string
    readonly payload: unknown
    readonly options: EnqueueOptions
    /** Of its definition, for programs that meet the event and do not know the job. */
    readonly settings?: EnqueueOptions
  }
  readonly atomic: boolean
  readonly enabled: boolean
}

/**
 * The job that an automation enqueues: options as those of `enqueue`, but for `id` and `runAt`. `${path}` stands for
 * values of the document in `jobKey` and `queueName` too.
 */
export interface AutomationJob extends Omit<EnqueueOptions, 'id' | 'runAt'> {
  readonly job: JobDefinition | string
  /** JSON in whose texts `${path}` stands for values of the document. */
  readonly payload?: unknown
}

export interface AutomationOptions {
  /** Another automation of this name is replaced. */
  readonly name: string
  readonly on: string
  /** On the document; for `job:…` on the job, its fields as where jobs are listed. Default: every one. */
  readonly where?: Condition | JobFilter
  readonly enqueue: AutomationJob
  /** An event whose job could not be made is refused, and with it all that it triggers. Not for `job:…`. Default false. */
  readonly atomic?: boolean
  /** Default true. */
  readonly enabled?: boolean
}

export interface EmitOptions {
  /** The document before an update or delete: `${old.status}`. */
  readonly previous?: unknown
}

/** One thing that happened. */
interface Happening {
  readonly event: string
  readonly document: unknown
  readonly previous?: unknown
  readonly now: number
  /** How many automations in a row led to it. */
  readonly depth: number
}

/** Options in which the document has a say. */
const FILLED = ['jobKey', 'queueName'] as const
type FilledOptions = Omit<EnqueueOptions, (typeof FILLED)[number]> & { [Option in (typeof FILLED)[number]]?: string }

/** Automations that trigger each other, and jobs that trigger themselves, end here. */
export const MOST_AUTOMATIONS_IN_A_ROW = 16

/** Jobs that follow events, by what is stored under a name; see docs/automations.md. */
export abstract class Automated extends Administration {
  /** Does nothing for no jobs. */
  protected abstract store(jobs: readonly NewJob[]): Promise<readonly EnqueuedJob[]>
  protected abstract takesJobs(): void

  /**
   * Stores an automation: from when this resolves, and after a restart too, each event it fits enqueues its job. The end
   * of a job in another process or tab does so a second later at the latest.
   *
   * @throws HOLDFAST_INVALID_OPTION naming the place, HOLDFAST_UNKNOWN_JOB, HOLDFAST_SCHEMA_MISMATCH where no document
   * could make the payload fit its schema, HOLDFAST_WORKERS_DISABLED; nothing was stored
   */
  async automate(options: AutomationOptions): Promise<Automation> {
    return (await this.toAutomate(options))()
  }

  /** @internal */
  async toAutomate(options: AutomationOptions): Promise<() => Promise<Automation>> {
    this.takesJobs()
    const { name: named, ...value } = await automationOf(this.open(), options)
    return async () => {
      await this.#define({ name: named, value })
      return automationFrom(named, value)
    }
  }

  /** All automations, by name. */
  async automations(): Promise<readonly Automation[]> {
    return automationsOf(this.open())
  }

  /** Keeps an automation and makes it do nothing, or (`true`) do its work again. False when there is none of the name. */
  async enableAutomation(called: string, enabled: boolean): Promise<boolean> {
    return this.#define({ name: name('name', called), change: { enabled: boolean('enabled', enabled) } })
  }

  /** False when there was none of the name. */
  async removeAutomation(called: string): Promise<boolean> {
    return this.#define({ name: name('name', called), value: null })
  }

  /** Whether there was one of the name before. */
  async #define(item: DefineRequest['batch'][number]): Promise<boolean> {
    const { storage, jobAutomations } = this.open()
    const [known = false] = await storage.define({ kind: 'automation', batch: [item] })
    jobAutomations.forget()
    return known
  }

  /**
   * Tells that something happened: `insert:users`, `update:users` or `delete:users`. Answers the jobs that automations
   * made of it, those that could not be made among them: they are `failed` with `HOLDFAST_AUTOMATION`. The document, and
   * the one before, is taken as it is at the call and may be anything: a Date is its ISO text, an object its own
   * properties; what else JSON has no value for, or is larger than a payload, matters only where it is filled in.
   *
   * @throws HOLDFAST_INVALID_OPTION; HOLDFAST_AUTOMATION when an automation that is `atomic` refuses, and nothing was stored
   */
  async emit(event: string, document: unknown, options: EmitOptions = {}): Promise<readonly EnqueuedJob[]> {
    return this.emitFrom(0, event, document, options)
  }

  /** @internal */
  async emitFrom(
    depth: number,
    event: string,
    document: unknown,
    options: EmitOptions,
  ): Promise<readonly EnqueuedJob[]> {
    this.takesJobs()
    const core = this.open()
    const { previous } = readOptions('emit', options, { previous: anything })
    if (!/^(?:insert|update|delete):./.test(name('event', event)))
      throw invalidOption('event', 'insert:TABLE, update:TABLE or delete:TABLE', event)
    const happening: Happening = {
      event,
      document: documentCopy(document),
      previous: documentCopy(previous),
      now: core.environment.now(),
      depth,
    }
    return this.store(await jobsAfter(core, happening, await automationsOf(core)))
  }
}

/** How long a context goes by what it knows of automations that others may have defined. ms */
const KNOWN_FOR = 1000

/** The automations that follow jobs. Each outcome asks for them, so they are read once a second at most. */
export class JobAutomations {
  readonly #core: Pick<QueueCore, 'storage' | 'environment'>
  #known: readonly Automation[] | Promise<readonly Automation[]> = []
  #readAt = -Infinity

  constructor(core: Pick<QueueCore, 'storage' | 'environment'>) {
    this.#core = core
  }

  /** They were changed here, or could not be read. */
  forget(): void {
    this.#readAt = -Infinity
  }

  /** A promise only where they have to be read: an outcome and the claim for its slot go into one flush. */
  known(): readonly Automation[] | Promise<readonly Automation[]> {
    const now = this.#core.environment.monotonic()
    if (now - this.#readAt < KNOWN_FOR) return this.#known
    // From before it is read: what is changed meanwhile is read again.
    this.#readAt = now
    const reading = this.#read()
    this.#known = reading
    reading.then(
      (automations) => {
        if (this.#known === reading) this.#known = automations
      },
      () => undefined,
    )
    return reading
  }

  async #read(): Promise<readonly Automation[]> {
    try {
      return (await automationsOf(this.#core)).filter(({ on }) => on.startsWith('job:'))
    } catch (error) {
      this.forget()
      throw error
    }
  }
}

/** Outcomes with the jobs that automations make of them: both are stored in one step. */
export function withAutomations(
  core: QueueCore,
  batch: readonly Settlement[],
): readonly Settlement[] | Promise<readonly Settlement[]> {
  const known = core.jobAutomations.known()
  return 'length' in known && known.length === 0 ? batch : followed(core, batch, known)
}

async function followed(
  core: QueueCore,
  batch: readonly Settlement[],
  known: readonly Automation[] | Promise<readonly Automation[]>,
): Promise<readonly Settlement[]> {
  const automations = await known
  if (automations.length === 0) return batch
  const now = core.environment.now()
  const records = await core.storage.get(batch.map(({ id }) => id))
  return Promise.all(
    batch.map(async (settlement, at) => {
      const record = records[at] ?? null
      if (record === null) return settlement
      // One that would be retried fails if its key is taken, which may happen at any moment until the storage decides:
      // what follows that is brought along, and stored only then. [chain]
      const holder = { ...record, superseded: record.superseded || record.jobKey !== null }
      const job = toJob({ ...record, ...settled(holder, settlement, now) }, now)
      if (job.status !== 'completed' && job.status !== 'failed') return settlement
      const happening = { event: `job:${job.status}`, document: job, now, depth: record.depth }
      const jobs = await jobsAfter(core, happening, automations)
      return jobs.length === 0 ? settlement : { ...settlement, enqueue: [...(settlement.enqueue ?? []), ...jobs] }
    }),
  )
}

async function automationsOf({ storage }: Pick<QueueCore, 'storage'>): Promise<readonly Automation[]> {
  const records = await storage.definitions('automation')
  return records.flatMap(({ name: named, value }) => (isAutomation(value) ? [automationFrom(named, value)] : []))
}

/** What another program stored in a shape that is unknown here triggers nothing, and is no harm to those beside it. */
function isAutomation(value: unknown): value is Omit<Automation, 'name'> {
  const { on, enqueue } = Object(value) as Partial<Automation>
  return typeof on === 'string' && isObject(enqueue) && isObject(enqueue.options)
}

/** JSON has no `Infinity`, which `expireAfter` may be: it is stored as null. */
function asStored(options: EnqueueOptions): EnqueueOptions {
  return JSON.parse(JSON.stringify(options)) as EnqueueOptions
}

function automationFrom(named: string, { enqueue, ...stored }: Omit<Automation, 'name'>): Automation {
  const revived = (options: EnqueueOptions): EnqueueOptions =>
    (options.expireAfter as unknown) === null ? { ...options, expireAfter: Infinity } : options
  const { options, settings = {} } = enqueue
  return { name: named, ...stored, enqueue: { ...enqueue, options: revived(options), settings: revived(settings) } }
}

async function jobsAfter(
  core: QueueCore,
  happening: Happening,
  automations: readonly Automation[],
): Promise<readonly NewJob[]> {
  const { event } = happening
  const any = `*:${event.slice(event.indexOf(':') + 1)}`
  const jobs: NewJob[] = []
  for (const automation of automations) {
    const { on, enabled } = automation
    if (!enabled || (on !== event && (on !== any || event.startsWith('job:')))) continue
    const job = await jobOf(core, automation, happening)
    if (job !== null) jobs.push(job)
  }
  return jobs
}

/** `null`: its condition does not hold. What goes wrong is the automation's, and no harm to what happened. */
async function jobOf(core: QueueCore, automation: Automation, happening: Happening): Promise<NewJob | null> {
  const { where, enqueue, atomic } = automation
  const { depth, event, now } = happening
  const id = core.newId()
  const lost = new Set<string>()
  let filled = 0
  const source: Source = {
    ...happening,
    facts: { $id: id, $event: event, $now: now },
    missing: (path) => lost.add(path),
    spend: (characters) => {
      filled += characters
      if (filled > core.payloadLimit) throw tooLarge('payload', filled, core.payloadLimit, 'or more')
    },
  }
  let payload: unknown = null
  const options: FilledOptions = { ...enqueue.options, id }
  try {
    if (!testOf(where, event.startsWith('job:') ? jobField : partOf)(happening.document)) return null
    for (const option of FILLED) if (options[option] !== undefined) options[option] = fillName(options[option], source)
    payload = fill(enqueue.payload, source)
    if (depth >= MOST_AUTOMATIONS_IN_A_ROW) throw failure(automation, `${depth} automations led to it: it is a loop`)
    if (lost.size > 0) throw failure(automation, `the document has no ${[...lost].join(', ')}`)
    return await core.intake.prepareNamed(enqueue.job, payload, enqueue.settings ?? {}, options, depth + 1)
  } catch (error) {
    const reason = HoldfastError.is(error, 'HOLDFAST_AUTOMATION') ? error : failure(automation, 'see the cause', error)
    if (atomic) throw reason
    return core.intake.broken(enqueue.job, payload, options, depth + 1, toErrorData(reason))
  }
}

/** Null is a field that is not set, as where jobs are listed. */
const jobField: ReadPart = (job, named) => partOf(job, named)

function failure({ name: named, on }: Automation, why: string, cause?: unknown): HoldfastError {
  const message = `Automation \`${named}\` (${on}) made no job: ${why}`
  return new HoldfastError('HOLDFAST_AUTOMATION', message, cause === undefined ? {} : { cause })
}

async function automationOf(core: QueueCore, options: unknown): Promise<Automation> {
  const checks = { name, on: checkTrigger, where: anything, enqueue: anything, atomic: boolean, enabled: boolean }
  const given = readOptions('automate', options, checks)
  const { where = {}, atomic = false, enabled = true } = given
  const on = given.on ?? checkTrigger('automate.on', undefined)
  if (atomic && on.startsWith('job:'))
    throw invalidOption('automate.atomic', 'absent for an event of jobs: what ended cannot be refused', atomic)
  const condition = checkCondition('automate.where', where, on.startsWith('job:'))
  const enqueue = await enqueueOf(core, given.enqueue)
  return { name: given.name ?? name('automate.name', undefined), on, where: condition, enqueue, atomic, enabled }
}

async function enqueueOf(core: QueueCore, given: unknown): Promise<Automation['enqueue']> {
  if (typeof given !== 'object' || given === null) throw invalidOption('automate.enqueue', 'an object', given)
  const { job, payload = null, ...options } = given as AutomationJob
  for (const option of ['id', 'runAt'])
    if (option in options)
      throw invalidOption(`automate.enqueue.${option}`, 'absent: it would be that of every job', given)
  const template = checkedJson('automate.enqueue.payload', payload, core.payloadLimit)
  checkTemplate('automate.enqueue.payload', template)
  // Also tells of a job that is unknown and of bad options.
  const { type, schema, version, defaults } = core.intake.definitionOf(job)
  core.intake.checkOptions(job, options)
  for (const option of FILLED) checkTemplate(`automate.enqueue.${option}`, options[option])
  const result = await schema?.['~standard'].validate(template)
  const never = result?.issues?.filter(({ path }) => !isOpen(template, path ?? []))
  if (never !== undefined && never.length > 0) {
    const message = `No document could make this payload fit the schema of job \`${type}\`: ${never[0]?.message ?? ''}`
    throw new HoldfastError('HOLDFAST_SCHEMA_MISMATCH', message, {
      details: { field: 'automate.enqueue.payload', issues: never },
    })
  }
  return {
    job: type,
    payload: template,
    options: asStored(options),
    settings: asStored(settingsOf(version, defaults)),
  }
}

function settingsOf(version: number | null, defaults: JobDefaults): EnqueueOptions {
  const { priority, maxRetries, timeout, leaseDuration, backoff, requires, expireAfter } = defaults
  return {
    ...{ priority, maxRetries, timeout, leaseDuration, requires },
    ...(backoff !== null && { backoff }),
    ...(expireAfter !== null && { expireAfter }),
    ...(version !== null && { version }),
  }
}

/** Whether what stands there, or around it, depends on the document. */
function isOpen(template: unknown, path: readonly unknown[]): boolean {
  let at = template
  for (const part of path) {
    if (typeof at === 'string') break
    const key = typeof part === 'object' && part !== null && 'key' in part ? part.key : part
    at = (Object(at) as Record<PropertyKey, unknown>)[key as PropertyKey]
  }
  return checkTemplate('payload', at)
}

const checkTrigger: Check<string> = (field, value) => {
  if (/^(?:(?:insert|update|delete|\*):[^*]+|job:(?:completed|failed))$/.test(name(field, value)))
    return value as string
  throw invalidOption(field, 'insert:TABLE, update:TABLE, delete:TABLE, *:TABLE, job:completed or job:failed', value)
}
