import type { FieldNode } from 'graphql'
import type { EnqueueOptions } from '../core/intake.ts'
import type { ListOptions } from '../core/listing.ts'
import { type FieldFilter, FILTER_FIELDS } from '../core/storage/contract.ts'
import { camel, PRIORITIES, STATUSES } from './job-fields.ts'
import { Problem, unknown, type Where } from './problem.ts'
import type { Values } from './values.ts'

/** The arguments of a field, by their first names. */
export type Given = Readonly<Record<string, unknown>>

/** `names`: each argument's own name, then others it answers to. Two names of one at once, or one twice, is an error. */
export function argumentsOf(field: FieldNode, names: readonly (readonly string[])[], values: Values): Given {
  const given = new Map<string, unknown>()
  for (const argument of field.arguments ?? []) {
    const { name, value } = argument
    const own = names.find((all) => all.includes(name.value))?.[0]
    if (own === undefined) throw unknown(`argument of ${field.name.value}`, name.value, names.flat(), argument)
    if (given.has(own)) throw new Problem(`\`${name.value}\` says what another argument says already`, argument)
    given.set(own, values.of(value))
  }
  return Object.fromEntries([...given].filter(([, value]) => value !== undefined))
}

export const ENQUEUE: readonly (readonly string[])[] = [
  ['type', 'jobType'],
  ['priority'],
  ['runAt', 'scheduledAt'],
  ['delay'],
  ['maxRetries', 'retries'],
  ['timeout'],
  ['jobKey'],
  ['jobKeyMode'],
  ['queueName'],
]

/** Options of an enqueue as the queue takes them, and the type. */
export function enqueueOptions(
  field: FieldNode,
  given: Given,
): { readonly type: string; readonly options: EnqueueOptions } {
  const { type, payload: _payload, payloads: _payloads, priority, jobKeyMode, ...options } = given
  if (typeof type !== 'string')
    throw new Problem(
      `Expected \`type\` of ${field.name.value} to be a text`,
      type === undefined ? field : 'type',
      type,
    )
  const more = { priority: named('priority', priority, 'priority'), jobKeyMode: keyMode(jobKeyMode) }
  return { type, options: { ...options, ...more } as EnqueueOptions }
}

/** `PRESERVE_RUN_AT` → `preserveRunAt`. */
function keyMode(mode: unknown): unknown {
  return typeof mode === 'string' && mode === mode.toUpperCase() ? camel(mode.toLowerCase()) : mode
}

const lower = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : value)

const ALIASES: Readonly<Record<string, string>> = {
  jobId: 'id',
  jobType: 'type',
  retryCount: 'failures',
  scheduledAt: 'runAt',
  completedAt: 'finishedAt',
}
const NAMES: readonly string[] = [...FILTER_FIELDS, ...Object.keys(ALIASES)]
// Named here once more, so that a text is read without the code that evaluates conditions.
const OF_PARTS: readonly string[] = [
  'contains',
  'containsAny',
  'containsAll',
  'startsWith',
  'endsWith',
  'matches',
] satisfies (keyof FieldFilter)[]
const OPERATORS: readonly string[] = [
  ...(['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'nin', 'isNull', 'isNotNull'] satisfies (keyof FieldFilter)[]),
  ...OF_PARTS,
]

/** What values of fields are called, in capitals. */
const CALLED = { status: STATUSES, priority: PRIORITIES }

/** A name as the queue has it. */
function ownName(name: string): string {
  const field = camel(name)
  return Object.hasOwn(ALIASES, field) ? (ALIASES[field] ?? field) : field
}

const PLACES: Readonly<Record<string, string>> = {
  job: 'type',
  retries: 'maxRetries',
  jobIds: 'ids',
  first: 'limit',
  skip: 'offset',
}

/** As errors name it. */
export function placeName(name: string): string {
  return Object.hasOwn(PLACES, name) ? (PLACES[name] ?? name) : ownName(name)
}

function isField(name: string): boolean {
  return (FILTER_FIELDS as readonly string[]).includes(name)
}

function fieldNamed(name: string, path: string): string {
  const own = ownName(name)
  if (isField(own)) return own
  throw unknown('field', name, [...NAMES, 'payload'], `${path}.${name}`)
}

/**
 * A `where` as `queue.list` takes it: fields in either spelling, statuses and priorities in capitals. `more`: it is of
 * a job with all that jobs have, and other names stand for themselves. `path`: where it stands.
 */
export function whereOf(where: unknown, path: string, more = false): NonNullable<ListOptions['where']> {
  const entries = entriesOf(where, 'conditions, as { status: { eq: "FAILED" } }', path).map(([name, said]) => {
    const place = `${path}.${name}`
    if (name === 'and' || name === 'or') {
      if (!Array.isArray(said)) throw new Problem(`Expected \`${name}\` to be a list`, place, said)
      return [name, said.map((one, at) => whereOf(one, `${place}.${at}`, more))] as const
    }
    if (name === 'not') return [name, whereOf(said, place, more)] as const
    if (name === 'payload' || (more && !isField(ownName(name)))) return [name, said] as const
    const field = fieldNamed(name, path)
    return [field, filterOf(field, said, place)] as const
  })
  const whole = Object.fromEntries(entries)
  if (Object.keys(whole).length < entries.length) throw new Problem('Expected each field once, under one name', path)
  return whole
}

function entriesOf(value: unknown, expected: string, path: string): readonly [string, unknown][] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value)
  throw new Problem(`Expected ${expected}`, path, value)
}

function filterOf(field: string, filter: unknown, path: string): unknown {
  const entries = entriesOf(filter, `conditions on \`${field}\`, as { eq: … }`, path).map(([operator, operand]) => {
    const place = `${path}.${operator}`
    if (!OPERATORS.includes(operator)) throw unknown('operator', operator, OPERATORS, place)
    const own = (one: unknown): unknown => operandOf(field, operator, one, place)
    return [operator, Array.isArray(operand) ? operand.map(own) : own(operand)]
  })
  return Object.fromEntries(entries) as unknown
}

function operandOf(field: string, operator: string, operand: unknown, at: Where): unknown {
  if ((field !== 'status' && field !== 'priority') || typeof operand !== 'string') return operand
  if (!OF_PARTS.includes(operator)) return named(field, operand, at)
  // In patterns `\\S` is another class than `\\s`.
  return operand.replaceAll(/\\.|[A-Z]/g, (part) => (part.length > 1 ? part : part.toLowerCase()))
}

/** A status or priority as the queue has it, by its name in capitals; what is no text is for the queue to judge. */
function named(what: keyof typeof CALLED, value: unknown, at: Where): unknown {
  const names = CALLED[what]
  if (typeof value !== 'string') return value
  if (names.includes(value.toUpperCase())) return value.toLowerCase()
  throw unknown(what, value, names, at)
}

type OrderBy = NonNullable<ListOptions['orderBy']>

/** `{ createdAt: DESC }`, a list of such, or the shorthand `createdAt`, `"-createdAt"`. */
export function orderOf(order: unknown, path: string): OrderBy {
  if (Array.isArray(order)) return order.map((one, at) => orderOf(one, `${path}.${at}`)) as OrderBy
  if (typeof order === 'string') {
    const falls = order.startsWith('-')
    const [first = '', ...within] = order.slice(Number(falls)).split('.')
    const field = first === 'payload' ? first : fieldNamed(first, path)
    return `${falls ? '-' : ''}${[field, ...within].join('.')}`
  }
  return Object.fromEntries(
    entriesOf(order, 'an order, as { createdAt: DESC }', path).map(([name, direction]) =>
      name === 'payload' ? [name, lowered(direction)] : [fieldNamed(name, path), lower(direction)],
    ),
  )
}

function lowered(path: unknown): unknown {
  if (typeof path !== 'object' || path === null) return lower(path)
  return Object.fromEntries(Object.entries(path as Given).map(([name, one]) => [name, lowered(one)]))
}
