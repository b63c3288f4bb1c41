import type { JobAutomations } from './automation-jobs.ts'
import type { Environment } from './environment.ts'
import type { Events } from './events.ts'
import type { Executor } from './executor.ts'
import type { Intake } from './intake.ts'
import type { Logger } from './logger.ts'
import type { Pruner } from './pruner.ts'
import type { JobQueue } from './queue.ts'
import type { ServiceErrors } from './service-errors.ts'
import type { Settlement, StorageAdapter } from './storage/contract.ts'

type Settlements = readonly Settlement[]

/** What each service of an executor works with. */
export interface ServiceOptions {
  readonly storage: StorageAdapter
  readonly environment: Environment
  /** The session that the executor has now. */
  readonly session: () => string
  readonly errors: ServiceErrors
  /** Outcomes together with the jobs that automations make of them; a promise only where there are any. Absent: none. */
  readonly withAutomations?: (batch: readonly Settlement[]) => Settlements | Promise<Settlements>
}

/** What a queue shares with its executors. */
export interface QueueCore {
  readonly queue: JobQueue
  readonly storage: StorageAdapter
  readonly environment: Environment
  readonly events: Events
  /** Writes to the user's logger; never throws. */
  readonly log: (level: keyof Logger, message: string, fields: Readonly<Record<string, unknown>>) => void
  readonly intake: Intake
  readonly newId: () => string
  /** Those that run now. */
  readonly executors: Set<Executor>
  readonly payloadLimit: number
  readonly pruner: Pruner
  readonly jobAutomations: JobAutomations
  /** Errors of a background service: told to listeners and the logger, or reported when nobody listens. */
  readonly errors: (service: string) => ServiceErrors
}
