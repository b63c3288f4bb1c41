import { describe, HoldfastError } from './errors.ts'
import type { JobDefinition, SchemaResult, StandardSchema } from './definition.ts'
import type { JobRecord } from './storage/contract.ts'
import { isObject } from './storage/plain.ts'
import { isThenable } from './thenable.ts'

/**
 * Runs a schema, without waiting where it does not, and hands on what it puts out: by a call, so that a payload that is
 * a promise itself is not taken for the schema's. Throws `HOLDFAST_SCHEMA_MISMATCH` with the schema's issues, or with what
 * the schema threw as the cause.
 */
export function validated<Result>(
  { schema, type }: Pick<JobDefinition, 'schema' | 'type'>,
  payload: unknown,
  then: (output: unknown) => Result,
): Result | Promise<Result> {
  if (schema === null) return then(payload)
  const result = resultOf(schema, type, payload)
  const go = (known: SchemaResult<unknown>): Result => then(outputOf(type, payload, known))
  return isThenable(result) ? result.then(go) : go(result)
}

/** What a schema says to a payload. Throws `HOLDFAST_SCHEMA_MISMATCH` where it throws, or gives no result. */
export function resultOf(
  schema: StandardSchema,
  type: string,
  payload: unknown,
): SchemaResult<unknown> | Promise<SchemaResult<unknown>> {
  const threw = (cause: unknown): never => {
    throw mismatch(type, payload, 'it threw, see the cause', [], cause)
  }
  // It is the user's, and without a type checker may be anything.
  const checked = (result: unknown): SchemaResult<unknown> => {
    if (isResult(result)) return result
    throw mismatch(type, payload, `it gave \`${describe(result)}\`, which is no result`)
  }
  let result: unknown
  try {
    result = schema['~standard'].validate(payload)
  } catch (error) {
    threw(error)
  }
  return isThenable(result) ? Promise.resolve(result).then(checked, threw) : checked(result)
}

function isResult(value: unknown): value is SchemaResult<unknown> {
  if (!isObject(value)) return false
  const { issues = [] } = value
  return Array.isArray(issues) && issues.every(isObject)
}

/** What the handler gets of a job: its payload, brought up and checked where none with the present schema stored it. */
export function currentPayload(
  definition: Pick<JobDefinition, 'type' | 'schema' | 'version' | 'migrate'>,
  { payload, payloadVersion, unchecked }: Pick<JobRecord, 'payload' | 'payloadVersion' | 'unchecked'>,
): unknown {
  const { version, migrate } = definition
  const checked = (migrated: unknown): unknown => validated(definition, migrated, (output) => output)
  if (migrate === null || payloadVersion >= version) return unchecked ? checked(payload) : payload
  const migrated = migrate(payload, payloadVersion)
  return isThenable(migrated) ? Promise.resolve(migrated).then(checked) : checked(migrated)
}

function outputOf(type: string, payload: unknown, result: SchemaResult<unknown>): unknown {
  if (result.issues === undefined) return result.value
  const { issues } = result
  const list = issues.slice(0, 5).map(({ message, path }) => `${pathText(path)}: ${message}`)
  throw mismatch(type, payload, list.join('; '), issues)
}

function mismatch(
  type: string,
  value: unknown,
  why: string,
  issues: NonNullable<SchemaResult<unknown>['issues']> = [],
  cause?: unknown,
): HoldfastError {
  const message = `The payload of job \`${type}\` does not fit its schema: ${why}`
  return new HoldfastError('HOLDFAST_SCHEMA_MISMATCH', message, {
    cause,
    details: { field: pathText(issues[0]?.path), value, issues },
  })
}

/** Where an issue is, as errors name it. */
export function pathText(path: unknown): string {
  const keys = keysIn(path).map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
  return `payload${keys.join('')}`
}

/** A segment of the path of an issue may be a key, or an object that has one. What is no path has none. */
export function keysIn(path: unknown): readonly PropertyKey[] {
  const segments: readonly unknown[] = Array.isArray(path) ? path : []
  return segments.map((segment) => (isObject(segment) && 'key' in segment ? segment['key'] : segment) as PropertyKey)
}
