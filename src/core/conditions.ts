import { invalidOption } from './errors.ts'
import {
  boolean,
  type Check,
  listOf,
  type Moment,
  momentToMs,
  type Priority,
  priorityToNumber,
  readable,
  text,
} from './options.ts'
import { checkedJson } from './payload.ts'
import { isOperator } from './storage/condition-test.ts'
import {
  type Condition,
  type FieldFilter,
  type FilterField,
  FILTER_FIELDS,
  type JobStatus,
  type PartFilter,
  STATUSES,
  type ValueFilter,
  type Where,
} from './storage/contract.ts'
import { compilePattern } from './storage/pattern.ts'
import { isObject, setOwn, tagOf } from './storage/plain.ts'

type MomentField = Extract<FilterField, `${string}At`>
const COUNTS = ['attempts', 'failures', 'interruptions', 'maxRetries'] as const
type CountField = (typeof COUNTS)[number]

/** Conditions on a moment: a Date, epoch ms, or ISO 8601 with `Z` or an offset. */
export type MomentFilter = ValueFilter<Moment>

export interface TextFilter<Value = string> extends ValueFilter<Value>, PartFilter<string> {}

/** Conditions on jobs; several parts mean `and`. */
export type JobFilter = {
  readonly [Field in Exclude<FilterField, MomentField | CountField | 'priority' | 'status'>]?: TextFilter
} & {
  readonly [Field in CountField]?: ValueFilter<number>
} & {
  readonly [Field in MomentField]?: MomentFilter
} & {
  readonly status?: TextFilter<JobStatus>
  readonly priority?: ValueFilter<Priority>
  readonly payload?: Condition
  readonly and?: readonly JobFilter[]
  readonly or?: readonly JobFilter[]
  readonly not?: JobFilter
}

/** The most bytes of JSON that one operand has. */
const OPERAND_LIMIT = 65_536
/** Conditions in conditions. Deeper ones are mistakes. */
const MOST_DEPTH = 32

/** What stands under a name that is no operator. */
type Within = (field: string, name: string, value: unknown, depth: number) => unknown

/** A condition on jobs as a storage takes it. Throws `HOLDFAST_INVALID_OPTION`, naming the place. */
export function checkWhere(field: string, where: unknown): Where {
  return check(field, where, ofJob(nothing), 0)
}

/** A condition on any value, whose names are those of the value; `isJob`: of the fields of a job as in `checkWhere`. */
export function checkCondition(field: string, condition: unknown, isJob = false): Condition {
  return readable(field, condition, () => check(field, condition, isJob ? ofJob(ofValue) : ofValue, 0) as Condition)
}

const nothing: Within = (field, name, value) => {
  const known = [...FILTER_FIELDS, 'payload', 'and', 'or', 'not'].join(', ')
  throw invalidOption(`${field}.${name}`, `absent (known fields: ${known})`, value)
}

function ofJob(others: Within): Within {
  return (field, name, value, depth) => {
    const place = `${field}.${name}`
    if (name === 'payload') return check(place, value, ofValue, depth)
    if (!(FILTER_FIELDS as readonly string[]).includes(name)) return others(field, name, value, depth)
    return check(place, value, ofField(name), depth)
  }
}

/** A field of a job has nothing in it, and values of its kind: another would be met by no job, or by all. */
function ofField(named: string): Within {
  const operand = operandsOf(named)
  const part = operand === status ? text : operand
  return (field, name, value) => {
    if (isOperator(name)) return operandOf(`${field}.${name}`, name, value, orNull(operand), part)
    throw invalidOption(`${field}.${name}`, 'an operator: eq, ne, gt, gte, lt, lte, in, nin, contains, …', value)
  }
}

function operandsOf(named: string): Check {
  if (named === 'status') return status
  if (named === 'priority') return priorityToNumber
  if (named.endsWith('At')) return momentToMs
  return (COUNTS as readonly string[]).includes(named) ? number : text
}

function ofValue(field: string, name: string, value: unknown, depth: number): unknown {
  const place = `${field}.${name}`
  return isOperator(name) ? operandOf(place, name, value, json, json) : check(place, value, ofValue, depth)
}

function check(field: string, condition: unknown, within: Within, depth: number): Record<string, unknown> {
  if (!isObject(condition) || tagOf(condition) !== 'Object')
    throw invalidOption(field, 'an object of conditions, as { eq: 1 }', condition)
  if (depth > MOST_DEPTH) throw invalidOption(field, `at most ${MOST_DEPTH} levels deep`, condition)
  const checked: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(condition)) {
    if (name === 'and' || name === 'or')
      checked[name] = listOf(`${field}.${name}`, value, (place, one) => check(place, one, within, depth + 1))
    else if (name === 'not') checked['not'] = check(`${field}.not`, value, within, depth + 1)
    // An absent condition would be met by every job: nobody means that of an operator.
    else if (value !== undefined || isOperator(name)) setOwn(checked, name, within(field, name, value, depth + 1))
  }
  return checked
}

/** `part`: what the value may have in it. */
function operandOf(field: string, operator: keyof FieldFilter, value: unknown, operand: Check, part: Check): unknown {
  switch (operator) {
    case 'in':
    case 'nin':
      return listOf(field, value, operand)
    case 'contains':
      return part(field, value)
    case 'containsAny':
    case 'containsAll':
      return listOf(field, value, part)
    case 'startsWith':
    case 'endsWith':
      return text(field, part(field, value))
    case 'matches':
      if (compilePattern(text(field, part(field, value))) !== null) return value
      throw invalidOption(field, 'a pattern of characters, `.` and classes, each with `*`, `+` or `?`', value)
    case 'isNull':
    case 'isNotNull':
      return boolean(field, value)
    default:
      return operand(field, value)
  }
}

function orNull(check: Check): Check {
  return (field, value) => (value === null ? null : check(field, value))
}

function number(field: string, value: unknown): number {
  if (Number.isFinite(value)) return value as number
  throw invalidOption(field, 'a number', value)
}

function json(field: string, value: unknown): unknown {
  if (isObject(value)) return checkedJson(field, value, OPERAND_LIMIT)
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) return value
  throw invalidOption(field, 'a text, a number, true, false or null', value)
}

function status(field: string, value: unknown): unknown {
  if ((STATUSES as readonly unknown[]).includes(value)) return value
  throw invalidOption(field, `one of ${STATUSES.join(', ')}`, value)
}
