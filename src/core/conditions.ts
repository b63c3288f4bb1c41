import { invalidOption } from './errors.ts'
import { boolean, type Check, type Moment, momentToMs, text } from './options.ts'
import { checkedJson } from './payload.ts'
import { isOperator } from './storage/condition-test.ts'
import {
  type Condition,
  type FieldFilter,
  type FilterField,
  FILTER_FIELDS,
  type JobStatus,
  type Where,
} from './storage/contract.ts'
import { compilePattern } from './storage/pattern.ts'
import { isObject, setOwn, tagOf } from './storage/plain.ts'

type MomentField = Extract<FilterField, `${string}At`>

/** Conditions on a moment: a Date, epoch ms, or ISO 8601 with `Z` or an offset. */
export interface MomentFilter extends Pick<FieldFilter, 'isNull' | 'isNotNull'> {
  readonly eq?: Moment | null
  readonly ne?: Moment | null
  readonly in?: readonly (Moment | null)[]
  readonly nin?: readonly (Moment | null)[]
  readonly gt?: Moment
  readonly gte?: Moment
  readonly lt?: Moment
  readonly lte?: Moment
}

/** Conditions on jobs; several parts mean `and`. */
export type JobFilter = { readonly [Field in Exclude<FilterField, MomentField>]?: FieldFilter } & {
  readonly [Field in MomentField]?: MomentFilter
} & {
  readonly payload?: Condition
  readonly and?: readonly JobFilter[]
  readonly or?: readonly JobFilter[]
  readonly not?: JobFilter
}

/** The most bytes of JSON that one operand has. */
const OPERAND_LIMIT = 65_536
/** Conditions in conditions. Deeper ones are mistakes. */
const MOST_DEPTH = 32

const STATUSES: readonly unknown[] = [
  'pending',
  'scheduled',
  'running',
  'completed',
  'failed',
  'cancelled',
] satisfies JobStatus[]

/** What stands under a name that is no operator. */
type Within = (field: string, name: string, value: unknown, depth: number) => unknown

/** A condition on jobs as a storage takes it. Throws `HOLDFAST_INVALID_OPTION`, naming the place. */
export function checkWhere(field: string, where: unknown): Where {
  return check(field, where, ofJob, 0)
}

/** A condition on any value: its names are those of the value. */
export function checkCondition(field: string, condition: unknown): Condition {
  return check(field, condition, ofValue(json), 0) as Condition
}

function ofJob(field: string, name: string, value: unknown, depth: number): unknown {
  const place = `${field}.${name}`
  if (name === 'payload') return check(place, value, ofValue(json), depth)
  if (!(FILTER_FIELDS as readonly string[]).includes(name))
    throw invalidOption(place, `absent (known fields: ${FILTER_FIELDS.join(', ')}, payload, and, or, not)`, value)
  const operand = name === 'status' ? status : name.endsWith('At') ? moment : scalar
  return check(place, value, operators(operand), depth)
}

/** A field of a job has nothing in it. */
function operators(operand: Check): Within {
  return (field, name, value) => {
    if (isOperator(name)) return operandOf(`${field}.${name}`, name, value, operand)
    throw invalidOption(`${field}.${name}`, 'an operator: eq, ne, gt, gte, lt, lte, in, nin, contains, …', value)
  }
}

function ofValue(operand: Check): Within {
  return (field, name, value, depth) =>
    isOperator(name)
      ? operandOf(`${field}.${name}`, name, value, operand)
      : check(`${field}.${name}`, value, ofValue(operand), depth)
}

function check(field: string, condition: unknown, within: Within, depth: number): Record<string, unknown> {
  if (!isObject(condition) || tagOf(condition) !== 'Object')
    throw invalidOption(field, 'an object of conditions, as { eq: 1 }', condition)
  if (depth > MOST_DEPTH) throw invalidOption(field, `at most ${MOST_DEPTH} levels deep`, condition)
  const checked: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(condition)) {
    if (name === 'and' || name === 'or')
      checked[name] = list(`${field}.${name}`, value, (place, one) => check(place, one, within, depth + 1))
    else if (name === 'not') checked['not'] = check(`${field}.not`, value, within, depth + 1)
    // An absent condition would be met by every job: nobody means that of an operator.
    else if (value !== undefined || isOperator(name)) setOwn(checked, name, within(field, name, value, depth + 1))
  }
  return checked
}

function operandOf(field: string, operator: keyof FieldFilter, value: unknown, operand: Check): unknown {
  switch (operator) {
    case 'in':
    case 'nin':
    case 'containsAny':
    case 'containsAll':
      return list(field, value, operand)
    case 'startsWith':
    case 'endsWith':
      return text(field, value)
    case 'matches':
      if (compilePattern(text(field, value)) !== null) return value
      throw invalidOption(field, 'a pattern of characters, `.` and classes, each with `*`, `+` or `?`', value)
    case 'isNull':
    case 'isNotNull':
      return boolean(field, value)
    default:
      return operand(field, value)
  }
}

function list(field: string, value: unknown, item: Check): unknown[] {
  if (!Array.isArray(value)) throw invalidOption(field, 'an array', value)
  return Array.from(value, (one) => item(`${field}[]`, one))
}

function scalar(field: string, value: unknown): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) return value
  throw invalidOption(field, 'a text, a number, true, false or null', value)
}

function json(field: string, value: unknown): unknown {
  return isObject(value) ? checkedJson(field, value, OPERAND_LIMIT) : scalar(field, value)
}

function moment(field: string, value: unknown): number | null {
  return value === null ? null : momentToMs(field, value)
}

/** Another text would be met by no job: it is a slip of the pen. */
function status(field: string, value: unknown): unknown {
  if (STATUSES.includes(value)) return value
  throw invalidOption(field, `one of ${STATUSES.join(', ')}`, value)
}
