import type { Condition, Where } from '../../src/core/storage/contract.ts'

// What queries mean, written as plainly as it can be said: see docs/queries.md.

/** `null`, booleans, numbers, texts, lists, objects. */
const rank = (value: unknown): number =>
  value === null
    ? 0
    : Array.isArray(value)
      ? 4
      : ['boolean', 'number', 'string', '', 'object'].indexOf(typeof value) + 1

export function compare(a: unknown, b: unknown): number {
  if (rank(a) !== rank(b)) return rank(a) - rank(b)
  if (rank(a) < 4) return (a as number) < (b as number) ? -1 : Number((a as number) > (b as number))
  const parts = (value: unknown): unknown[] =>
    Array.isArray(value)
      ? value
      : Object.entries(value as object)
          .sort(([x], [y]) => (x < y ? -1 : 1))
          .flat()
  const [left, right] = [parts(a), parts(b)]
  const differs = left.findIndex((part, at) => at >= right.length || compare(part, right[at]) !== 0)
  if (differs < 0) return left.length - right.length
  return differs >= right.length ? 1 : compare(left[differs], right[differs])
}

const same = (a: unknown, b: unknown): boolean => a !== undefined && compare(a, b) === 0
const has = (value: unknown, part: unknown): boolean =>
  typeof value === 'string'
    ? typeof part === 'string' && value.includes(part)
    : Array.isArray(value) && value.some((one) => same(one, part))

/** `isField`: null in a field of a job means that it is not set. */
const operators: Record<string, (value: unknown, operand: never, isField: boolean) => boolean> = {
  eq: same,
  ne: (value, operand) => !same(value, operand),
  in: (value, operand: unknown[]) => operand.some((one) => same(value, one)),
  nin: (value, operand: unknown[]) => !operand.some((one) => same(value, one)),
  gt: (value, operand, isField) => isThere(value, isField) && compare(value, operand) > 0,
  gte: (value, operand, isField) => isThere(value, isField) && compare(value, operand) >= 0,
  lt: (value, operand, isField) => isThere(value, isField) && compare(value, operand) < 0,
  lte: (value, operand, isField) => isThere(value, isField) && compare(value, operand) <= 0,
  contains: has,
  containsAny: (value, operand: unknown[]) => operand.some((one) => has(value, one)),
  containsAll: (value, operand: unknown[]) =>
    rank(value) >= 3 && rank(value) <= 4 && operand.every((one) => has(value, one)),
  startsWith: (value, operand: string) => typeof value === 'string' && value.startsWith(operand),
  endsWith: (value, operand: string) => typeof value === 'string' && value.endsWith(operand),
  matches: (value, operand: string) => typeof value === 'string' && new RegExp(operand, 'su').test(value),
  isNull: (value, operand) => ((value ?? null) === null) === operand,
  isNotNull: (value, operand) => ((value ?? null) !== null) === operand,
}
const isThere = (value: unknown, isField: boolean): boolean => value !== undefined && !(isField && value === null)

export function holds(value: unknown, condition: Condition | Where, level = 0): boolean {
  return Object.entries(condition).every(([name, said]) => {
    if (name === 'and') return (said as Condition[]).every((one) => holds(value, one, level))
    if (name === 'or') return (said as Condition[]).some((one) => holds(value, one, level))
    if (name === 'not') return !holds(value, said as Condition, level)
    const operator = Object.hasOwn(operators, name) ? operators[name] : undefined
    if (operator !== undefined) return operator(value, said as never, level === 1)
    const inside = typeof value === 'object' && value !== null && Object.keys(value).includes(name)
    return holds(
      inside ? (value as Record<string, unknown>)[name] : undefined,
      said as Condition,
      name === 'payload' && level === 0 ? 2 : level + 1,
    )
  })
}
