import { type Environment, systemEnvironment } from './environment.ts'
import { HoldfastError, invalidOption, knownOptions } from './errors.ts'
import { byType } from './handlers.ts'
import { checkDefinition } from './intake.ts'
import type { JobDefinition } from './definition.ts'
import { type Logger, SILENT } from './logger.ts'
import { boolean, callable, integerFrom, listOf, readOptions } from './options.ts'
import { DEFAULT_PAYLOAD_LIMIT, MOST_PAYLOAD_LIMIT } from './payload.ts'
import { type KeptFor, type RetentionOptions, retentionRules } from './pruner.ts'
import type { StorageAdapter } from './storage/contract.ts'
import { DEFAULT_BINARY_LIMIT } from './structured-payload.ts'
import { guarded } from './thenable.ts'

export interface QueueOptions<Jobs extends readonly JobDefinition[] = readonly JobDefinition[]> {
  readonly storage: StorageAdapter
  /** The jobs of this queue. With it, any other name or definition is `HOLDFAST_UNKNOWN_JOB`; names are typed. */
  readonly jobs?: Jobs
  /** Default true. When false, `enqueue` and all that would enqueue fail with `HOLDFAST_WORKERS_DISABLED`. */
  readonly workersEnabled?: boolean
  /** How long finished jobs are kept. */
  readonly retention?: RetentionOptions
  /** How often a session may die under a job before the job is failed, from 0. Default 3. */
  readonly maxInterruptions?: number
  /** The most bytes of a payload or result as JSON, 1 to 524,288. Default 262,144. */
  readonly payloadLimit?: number
  /**
   * The most bytes that the Blobs, Files and buffers of one payload have together, from 0. Default 50,000,000. For
   * definitions with `payloadFormat: 'structured-clone'`; the rest of such a payload is bounded by `payloadLimit`.
   */
  readonly binaryLimit?: number
  /** What background services meet, and what handlers log. Default: writes nothing. */
  readonly logger?: Logger
  /** Clock, randomness, timers and conditions, to replace some of the platform's own. */
  readonly environment?: Partial<Environment>
}

/** The options of a queue, checked and complete. */
export interface QueueSettings {
  readonly storage: StorageAdapter
  /** By type; `null` when any name may be enqueued. */
  readonly jobs: ReadonlyMap<string, JobDefinition> | null
  readonly workersEnabled: boolean
  readonly retention: readonly KeptFor[]
  readonly maxInterruptions: number
  readonly payloadLimit: number
  readonly binaryLimit: number
  readonly logger: Logger
  readonly environment: Environment
}

const CHECKS = {
  storage: checkStorage,
  jobs: definitionsOf,
  workersEnabled: boolean,
  retention: (_field: string, value: unknown) => retentionRules(value),
  maxInterruptions: /* @__PURE__ */ integerFrom(0),
  payloadLimit: /* @__PURE__ */ integerFrom(1, MOST_PAYLOAD_LIMIT),
  binaryLimit: /* @__PURE__ */ integerFrom(0),
  logger: checkLogger,
  environment: seams,
}

export function queueSettings(options: unknown): QueueSettings {
  const given = readOptions('openQueue', options, CHECKS, '')
  const environment: Environment = { ...systemEnvironment(), ...given.environment }
  return {
    storage: given.storage ?? checkStorage('storage', undefined),
    jobs: given.jobs ?? null,
    workersEnabled: given.workersEnabled ?? true,
    retention: given.retention ?? retentionRules(),
    maxInterruptions: given.maxInterruptions ?? 3,
    payloadLimit: given.payloadLimit ?? DEFAULT_PAYLOAD_LIMIT,
    binaryLimit: given.binaryLimit ?? DEFAULT_BINARY_LIMIT,
    logger: given.logger ?? SILENT,
    environment: { ...environment, report: lastResort(environment.report) },
  }
}

/** When the last resort fails too there is nobody left to tell; the service that met the error goes on all the same. */
function lastResort(report: Environment['report']): Environment['report'] {
  return (error) =>
    guarded(
      () => report(error),
      () => undefined,
    )
}

function checkStorage(field: string, value: unknown): StorageAdapter {
  const { contract, name, open } = Object(value) as Partial<Omit<StorageAdapter, 'contract'>> & { contract?: unknown }
  if (typeof open !== 'function') throw invalidOption(field, 'a storage adapter, for instance memory()', value)
  if (contract === 1) return value as StorageAdapter
  throw new HoldfastError(
    'HOLDFAST_CONTRACT_VERSION',
    `The ${String(name)} storage is made for contract ${String(contract)}, this version of holdfast for contract 1`,
  )
}

function definitionsOf(field: string, jobs: unknown): ReadonlyMap<string, JobDefinition> {
  return byType(field, listOf(field, jobs, checkDefinition, 'an array of definitions'))
}

function checkLogger(field: string, logger: unknown): Logger {
  for (const level of Object.keys(SILENT)) callable(`${field}.${level}`, member(logger, level))
  return logger as Logger
}

/**
 * An environment may be an instance of a class, as a manual clock is: what it has beyond the seams is its own, and its
 * methods may need it as `this`.
 */
function seams(field: string, value: unknown): Partial<Environment> {
  const known = Object.keys(systemEnvironment())
  const plain = Object.getPrototypeOf(Object(value)) === Object.prototype
  knownOptions(field, value, plain ? known : Object.keys(Object(value) as object))
  const given = known.filter((name) => member(value, name) !== undefined)
  return Object.fromEntries(given.map((name) => [name, callable(`${field}.${name}`, member(value, name)).bind(value)]))
}

function member(value: unknown, name: string): unknown {
  return (Object(value) as Record<string, unknown>)[name]
}
