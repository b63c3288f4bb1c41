import type { FieldNode } from 'graphql'
import type { EnqueueOptions } from '../core/intake.ts'
import type { ListOptions } from '../core/listing.ts'
import { type FieldFilter, FILTER_FIELDS } from '../core/storage/contract.ts'
import { camel, PRIORITIES } from './job-fields.ts'
import { Problem, type Placed, unknown } from './problem.ts'
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
  if (typeof type !== 'string') throw new Problem(`Expected \`type\` of ${field.name.value} to be a text`, field)
  const more = {
    ...(priority === undefined ? {} : { priority: lower(priority) }),
    ...(jobKeyMode === undefined
      ? {}
      : { jobKeyMode: typeof jobKeyMode === 'string' ? keyMode(jobKeyMode) : jobKeyMode }),
  }
  return { type, options: { ...options, ...more } as EnqueueOptions }
}

/** `PRESERVE_RUN_AT` → `preserveRunAt`. */
function keyMode(mode: string): string {
  return mode === mode.toUpperCase() ? camel(mode.toLowerCase()) : mode
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
const OPERATORS: readonly string[] = [
  'eq',
  'ne',
  'gt',
  'gte',
  'lt',
  'lte',
  'in',
  'nin',
  'contains',
  'containsAny',
  'containsAll',
  'startsWith',
  'endsWith',
  'matches',
  'isNull',
  'isNotNull',
] satisfies (keyof FieldFilter)[]

/** Names as jobs have them. */
function fieldNamed(name: string, at: Placed | undefined): string {
  const field = camel(name)
  const own = Object.hasOwn(ALIASES, field) ? (ALIASES[field] ?? field) : field
  if ((FILTER_FIELDS as readonly string[]).includes(own)) return own
  throw unknown('field', name, [...NAMES, 'payload'], at)
}

/** A `where` as `queue.list` takes it: fields in either spelling, statuses and priorities in capitals. */
export function whereOf(where: unknown, values: Values, at: Placed | undefined): NonNullable<ListOptions['where']> {
  if (typeof where !== 'object' || where === null || Array.isArray(where))
    throw new Problem('Expected `where` to be an object, as { status: { eq: "FAILED" } }', at)
  const entries = Object.entries(where as Given).map(([name, said]) => {
    const place = values.placeOf(where, name, at)
    if (name === 'and' || name === 'or') {
      if (!Array.isArray(said)) throw new Problem(`Expected \`${name}\` to be a list`, place)
      return [name, said.map((one) => whereOf(one, values, place))] as const
    }
    if (name === 'not') return [name, whereOf(said, values, place)] as const
    if (name === 'payload') return [name, said] as const
    const field = fieldNamed(name, place)
    return [field, filterOf(field, said, values, place)] as const
  })
  const names = entries.map(([name]) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new Problem(`\`${twice}\` stands here under two names`, at)
  return Object.fromEntries(entries)
}

function filterOf(field: string, filter: unknown, values: Values, at: Placed | undefined): unknown {
  if (typeof filter !== 'object' || filter === null || Array.isArray(filter))
    throw new Problem(`Expected conditions on \`${field}\`, as { eq: … }`, at)
  const entries = Object.entries(filter as Given).map(([operator, operand]) => {
    if (!OPERATORS.includes(operator))
      throw unknown('operator', operator, OPERATORS, values.placeOf(filter, operator, at))
    return [operator, Array.isArray(operand) ? operand.map((one) => operandOf(field, one)) : operandOf(field, operand)]
  })
  return Object.fromEntries(entries) as unknown
}

function operandOf(field: string, operand: unknown): unknown {
  if (field === 'status') return lower(operand)
  const priority = field === 'priority' && typeof operand === 'string' ? PRIORITIES.indexOf(operand.toUpperCase()) : -1
  return priority < 0 ? operand : priority
}

type OrderBy = NonNullable<ListOptions['orderBy']>

/** `{ createdAt: DESC }`, a list of such, or the shorthand `createdAt`, `"-createdAt"`. */
export function orderOf(order: unknown, values: Values, at: Placed | undefined): OrderBy {
  if (Array.isArray(order)) return order.map((one) => orderOf(one, values, at)) as OrderBy
  if (typeof order === 'string') {
    const falls = order.startsWith('-')
    const [first = '', ...path] = order.slice(Number(falls)).split('.')
    const field = first === 'payload' ? first : fieldNamed(first, at)
    return `${falls ? '-' : ''}${[field, ...path].join('.')}`
  }
  if (typeof order !== 'object' || order === null)
    throw new Problem('Expected `orderBy` to be as { createdAt: DESC }', at)
  return Object.fromEntries(
    Object.entries(order as Given).map(([name, direction]) =>
      name === 'payload'
        ? [name, lowered(direction)]
        : [fieldNamed(name, values.placeOf(order, name, at)), lower(direction)],
    ),
  )
}

function lowered(path: unknown): unknown {
  if (typeof path !== 'object' || path === null) return lower(path)
  return Object.fromEntries(Object.entries(path as Given).map(([name, one]) => [name, lowered(one)]))
}
