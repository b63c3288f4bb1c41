// What queries mean, written as plainly as it can be said: see docs/queries.md.

const TYPES = ['null', 'boolean', 'number', 'string', 'list', 'object']
const typeOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value)
const entriesOf = (value: object): [string, unknown][] => Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
const partsOf = (value: object): unknown[] => (Array.isArray(value) ? value : entriesOf(value).flat())

export function compare(a: unknown, b: unknown): number {
  if (typeOf(a) !== typeOf(b)) return TYPES.indexOf(typeOf(a)) - TYPES.indexOf(typeOf(b))
  if (typeof a !== 'object' || a === null) return a === b ? 0 : (a as number) < (b as number) ? -1 : 1
  const [left, right] = [partsOf(a), partsOf(b as object)]
  const at = left.findIndex((part, index) => index >= right.length || compare(part, right[index]) !== 0)
  return at < 0 ? left.length - right.length : at < right.length ? compare(left[at], right[at]) : 1
}

/** Of what is missing no comparison is true: NaN. */
const order = (value: unknown, operand: unknown): number => (value === undefined ? Number.NaN : compare(value, operand))
const eq = (value: unknown, operand: unknown): boolean => order(value, operand) === 0
const among = (value: unknown, operands: unknown[]): boolean => operands.some((one) => eq(value, one))
const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
const contains = (value: unknown, part: unknown): boolean =>
  among(part, Array.isArray(value) ? value : []) || (typeof part === 'string' && text(value)?.includes(part) === true)

const operators: Readonly<Record<string, (value: unknown, operand: never) => boolean>> = {
  ...{ eq, ne: (value, operand) => !eq(value, operand), in: among, nin: (value, operands) => !among(value, operands) },
  ...{ gt: (value, operand) => order(value, operand) > 0, gte: (value, operand) => order(value, operand) >= 0 },
  ...{ lt: (value, operand) => order(value, operand) < 0, lte: (value, operand) => order(value, operand) <= 0 },
  ...{ contains, containsAny: (value, parts: unknown[]) => parts.some((part) => contains(value, part)) },
  containsAll: (value, parts: unknown[]) =>
    /list|string/.test(typeOf(value)) && parts.every((part) => contains(value, part)),
  ...{ startsWith: (value, operand) => text(value)?.startsWith(operand) === true },
  ...{ endsWith: (value, operand) => text(value)?.endsWith(operand) === true },
  matches: (value, operand) => text(value) !== null && new RegExp(operand, 'su').test(value as string),
  ...{ isNull: (value, said) => (value == null) === said, isNotNull: (value, said) => (value != null) === said },
}

/** `level` 1: of a field of a job, where null means to comparisons that it is not set. */
export function holds(value: unknown, condition: object, level = 0): boolean {
  return Object.entries(condition as Record<string, never>).every(([name, said]) => {
    if (name === 'and') return (said as object[]).every((one) => holds(value, one, level))
    if (name === 'or') return (said as object[]).some((one) => holds(value, one, level))
    if (name === 'not') return !holds(value, said, level)
    const isUnset = level === 1 && value === null && /^[gl]te?$/.test(name)
    if (Object.hasOwn(operators, name)) return operators[name]?.(isUnset ? undefined : value, said)
    const part = entriesOf(/list|object/.test(typeOf(value)) ? (value as object) : {}).find(([own]) => own === name)
    return holds(part?.[1], said, name === 'payload' && level === 0 ? 2 : level + 1)
  })
}
