import type { Condition, FieldFilter, Json } from './contract.ts'
import { compilePattern } from './pattern.ts'
import { isObject, tagOf } from './plain.ts'

/** Whether a condition holds for a value. `isField`: it is a field of a job, where null means that it is not set. */
export type Test = (value: unknown, isField?: boolean) => boolean

/** Reads what stands under a name in a value; `undefined` where nothing does. */
export type ReadPart = (value: unknown, name: string) => unknown

type Operators = { readonly [Operator in keyof FieldFilter]-?: (operand: NonNullable<FieldFilter[Operator]>) => Test }

const OPERATORS: Operators = {
  eq: equals,
  ne: (operand) => negated(equals(operand)),
  in: (operands) => some(operands.map(equals)),
  nin: (operands) => negated(some(operands.map(equals))),
  gt: (operand) => compares(operand, (order) => order > 0),
  gte: (operand) => compares(operand, (order) => order >= 0),
  lt: (operand) => compares(operand, (order) => order < 0),
  lte: (operand) => compares(operand, (order) => order <= 0),
  contains,
  containsAny: (operands) => some(operands.map(contains)),
  containsAll: (operands) =>
    every([(value) => typeof value === 'string' || Array.isArray(value), ...operands.map(contains)]),
  startsWith: (operand) => (value) => typeof value === 'string' && value.startsWith(operand),
  endsWith: (operand) => (value) => typeof value === 'string' && value.endsWith(operand),
  matches: (operand) => {
    const isIn = compilePattern(operand)
    return (value) => typeof value === 'string' && isIn?.(value) === true
  },
  isNull: (operand) => (value) => ((value ?? null) === null) === operand,
  isNotNull: (operand) => (value) => ((value ?? null) !== null) === operand,
}

export function isOperator(name: string): name is keyof FieldFilter {
  return Object.hasOwn(OPERATORS, name)
}

/**
 * What a condition says, as a function. Made once for a search and not for each value. `isJob`: it is one on jobs, and its
 * names are those of their fields. A payload is looked at last: it may have to be fetched. [tests/core/search.test.ts]
 */
export function testOf(condition: Condition, isJob = false, read: ReadPart = partOf): Test {
  const names = Object.keys(condition).sort((a, b) => Number(a === 'payload') - Number(b === 'payload'))
  return every(names.map((name) => testOfPart(name, condition[name], isJob, read)))
}

function testOfPart(name: string, said: unknown, isJob: boolean, read: ReadPart): Test {
  if (name === 'and') return every((said as readonly Condition[]).map((one) => testOf(one, isJob, read)))
  if (name === 'or') return some((said as readonly Condition[]).map((one) => testOf(one, isJob, read)))
  if (name === 'not') return negated(testOf(said as Condition, isJob, read))
  if (isOperator(name)) return OPERATORS[name](said as never)
  const test = testOf(said as Condition)
  const isField = isJob && name !== 'payload'
  return (value) => test(read(value, name), isField)
}

function every(tests: readonly Test[]): Test {
  const [first] = tests
  if (first !== undefined && tests.length === 1) return first
  return (value, isField) => tests.every((test) => test(value, isField))
}

function some(tests: readonly Test[]): Test {
  return (value, isField) => tests.some((test) => test(value, isField))
}

function negated(test: Test): Test {
  return (value, isField) => !test(value, isField)
}

function equals(operand: Json): Test {
  if (!isObject(operand)) return (value) => value === operand
  return (value) => value !== undefined && compareValues(value, operand) === 0
}

function compares(operand: Json, fits: (order: number) => boolean): Test {
  return (value, isField) =>
    value !== undefined && !(isField === true && value === null) && fits(compareValues(value, operand))
}

function contains(operand: Json): Test {
  const equal = equals(operand)
  return (value) =>
    typeof value === 'string'
      ? typeof operand === 'string' && value.includes(operand)
      : Array.isArray(value) && value.some((member) => equal(member))
}

/** An own property, a member of a list by its number. A Date is its epoch ms. */
export function partOf(value: unknown, name: string): unknown {
  if (!isObject(value) || !Object.hasOwn(value, name) || (Array.isArray(value) && name === 'length')) return undefined
  const part = value[name]
  return isObject(part) && tagOf(part) === 'Date' ? (part as unknown as Date).getTime() : part
}

const RANKS: Readonly<Record<string, number>> = { boolean: 1, number: 2, string: 3 }

/** Null < boolean < number < text < list < object, and last what JSON does not have. */
function rankOf(value: unknown): number {
  if (!isObject(value)) return RANKS[typeof value] ?? 0
  if (Array.isArray(value)) return 4
  return tagOf(value) === 'Object' ? 5 : 6
}

/** The order of two values: by their types, then as these are ordered. Objects compare as the sorted lists of their names and values. */
export function compareValues(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  const rank = rankOf(a)
  const byRank = rank - rankOf(b)
  if (byRank !== 0) return byRank
  if (rank === 4) return compareLists(a as readonly unknown[], b as readonly unknown[])
  if (rank === 5) return compareLists(entriesOf(a as object), entriesOf(b as object))
  if (rank === 6 || a === b) return 0
  return (a as string) < (b as string) ? -1 : 1
}

function entriesOf(value: object): readonly unknown[] {
  const named = value as Readonly<Record<string, unknown>>
  return Object.keys(value)
    .sort()
    .flatMap((name) => [name, named[name]])
}

function compareLists(a: readonly unknown[], b: readonly unknown[]): number {
  for (const [index, item] of a.entries()) {
    if (index >= b.length) return 1
    const order = compareValues(item, b[index])
    if (order !== 0) return order
  }
  return a.length - b.length
}
