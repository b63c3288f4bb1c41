import { checkCondition, type JobFilter } from './conditions.ts'
import type { JobDefaults, JobDefinition, StandardSchema } from './definition.ts'
import { HoldfastError, invalidOption, within } from './errors.ts'
import { type EnqueueOptions, OPTION_NAMES } from './intake.ts'
import { anything, boolean, type Check, name, readOptions } from './options.ts'
import { checkedJson } from './payload.ts'
import type { QueueCore } from './queue-core.ts'
import { keysIn, pathText, resultOf } from './schema.ts'
import type { Condition } from './storage/contract.ts'
import { isObject } from './storage/plain.ts'
import { checkTemplate } from './template.ts'

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

/** Options in which the document has a say. */
export const FILLED = ['jobKey', 'queueName'] as const

/** What a user defines, checked. Rejects with what is wrong with it, naming the place. */
export async function automationOf(core: QueueCore, options: unknown): Promise<Automation> {
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
  const kept = OPTION_NAMES.map((option) => [option, anything] as const)
  const checks = { ...Object.fromEntries(kept), id: ofOneJob, runAt: ofOneJob, job: anything, payload: anything }
  const { job, payload = null, ...options } = readOptions('automate.enqueue', given, checks) as AutomationJob
  const template = checkedJson('automate.enqueue.payload', payload, core.payloadLimit)
  checkTemplate('automate.enqueue.payload', template)
  // Also tells of a job that is unknown and of bad options.
  const { type, schema, version, defaults } = within('automate.enqueue', () => core.intake.checked(job, options))
  for (const option of FILLED) checkTemplate(`automate.enqueue.${option}`, options[option])
  if (schema !== null) await within('automate.enqueue', () => checkPayload(schema, type, template))
  return {
    job: type,
    payload: template,
    options: asStored(options),
    settings: asStored(settingsOf(version, defaults)),
  }
}

const ofOneJob: Check = (field, value) => {
  throw invalidOption(field, 'absent: it would be that of every job', value)
}

/** Refuses what the schema would refuse whatever the document. */
async function checkPayload(schema: StandardSchema, type: string, template: unknown): Promise<void> {
  const { issues = [] } = await resultOf(schema, type, template)
  const never = issues.filter(({ path }) => !isOpen(template, path))
  const [first] = never
  if (first === undefined) return
  const message = `No document could make this payload fit the schema of job \`${type}\`: ${first.message}`
  const details = { field: pathText(first.path), value: template, issues: never }
  throw new HoldfastError('HOLDFAST_SCHEMA_MISMATCH', message, { details })
}

function settingsOf(version: number | null, defaults: JobDefaults): EnqueueOptions {
  const known = Object.entries({ ...defaults, version }).filter(
    ([key, value]) => value !== null && OPTION_NAMES.includes(key),
  )
  return Object.fromEntries(known)
}

/** Whether what stands there, or around it, depends on the document. */
function isOpen(template: unknown, path: unknown): boolean {
  let at = template
  for (const key of keysIn(path)) {
    if (typeof at === 'string') break
    at = (Object(at) as Record<PropertyKey, unknown>)[key]
  }
  return checkTemplate('payload', at)
}

const checkTrigger: Check<string> = (field, value) => {
  if (/^(?:(?:insert|update|delete|\*):[^*]+|job:(?:completed|failed))$/.test(name(field, value)))
    return value as string
  throw invalidOption(field, 'insert:TABLE, update:TABLE, delete:TABLE, *:TABLE, job:completed or job:failed', value)
}

/** All that are stored, by name. */
export async function automationsOf({ storage }: Pick<QueueCore, 'storage'>): Promise<readonly Automation[]> {
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

export function automationFrom(named: string, { enqueue, ...stored }: Omit<Automation, 'name'>): Automation {
  const revived = (options: EnqueueOptions): EnqueueOptions =>
    (options.expireAfter as unknown) === null ? { ...options, expireAfter: Infinity } : options
  const { options, settings = {} } = enqueue
  return { name: named, ...stored, enqueue: { ...enqueue, options: revived(options), settings: revived(settings) } }
}
