import { describe, HoldfastError } from './errors.ts'
import type { JobDefinition, SchemaResult } from './definition.ts'
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
  const threw = (cause: unknown): never => {
    throw mismatch(type, payload, 'it threw, see the cause', [], cause)
  }
  let result: unknown
  try {
    result = schema['~standard'].validate(payload)
  } catch (error) {
    threw(error)
  }
  return isThenable(result)
    ? Promise.resolve(result).then((late) => then(schemaOutput(type, payload, late)), threw)
    : then(schemaOutput(type, payload, result))
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

function schemaOutput(type: string, payload: unknown, result: unknown): unknown {
  // It is the user's, and without a type checker may be anything.
  if (!isObject(result)) throw mismatch(type, payload, `it gave \`${describe(result)}\`, which is no result`)
  const { issues, value } = result as Partial<Record<'value', unknown>> & Pick<SchemaResult<unknown>, 'issues'>
  if (issues === undefined) return value
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

function pathText(path: readonly unknown[] | undefined): string {
  const keys = (path ?? []).map((part) => {
    const key = isObject(part) && 'key' in part ? part['key'] : part
    return typeof key === 'number' ? `[${key}]` : `.${String(key)}`
  })
  return `payload${keys.join('')}`
}
