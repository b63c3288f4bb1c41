import type { Attempt } from './attempt.ts'
import type { Environment } from './environment.ts'
import type { HoldfastError } from './errors.ts'
import type { JobDefinition } from './definition.ts'
import type { JobQueue } from './queue.ts'
import type { ServiceErrors } from './service-errors.ts'

/**
 * Where the handlers of an executor run: `workerThreads()`, `webWorkers()`. It holds nothing until an executor starts,
 * so one runner may serve several.
 */
export interface Runner {
  /** What the executor and the runner are to go by, made of the queue's own. Absent: that one. @internal */
  environment?(own: Environment): Environment
  /** @internal */
  open(host: RunnerHost): OpenRunner
}

/** What a runner is told of its executor, and whom it tells what comes of the attempts. */
export interface RunnerHost {
  readonly queue: JobQueue
  /** What this side knows by the name of a type. */
  readonly definitionOf: (type: string) => JobDefinition | undefined
  readonly environment: Environment
  /** The definitions of the jobs that it is to run, by type. */
  readonly definitions: ReadonlyMap<string, JobDefinition>
  /** The most that will run at once. */
  readonly concurrency: number
  readonly payloadLimit: number
  readonly ends: AttemptEnds
  /** There may be more `places` than before. */
  readonly onRoom: () => void
  /** A worker that is over without having been asked is replaced, a try like any other: one succeeds when it has run a job. */
  readonly errors: ServiceErrors
  /** Of a worker that runs no jobs and only tells the time. */
  readonly tickErrors: ServiceErrors
}

/** How the run of a handler ends. Each run ends once; what is told of it afterwards is not heard. */
export interface AttemptEnds {
  returned(attempt: Attempt, value: unknown): void
  threw(attempt: Attempt, error: unknown): void
  /** Its thread is gone: it died of this, or (`null`) was ended for another job's sake or this one's. */
  gone(attempt: Attempt, died: HoldfastError | null): void
}

/** A runner at work, for one executor. */
export interface OpenRunner {
  /** Resolves when it can run handlers; rejects with a typed error that says why it cannot. */
  readonly ready: Promise<void>
  /** How many more jobs it can start now. */
  readonly places: number
  /** Whether `kill` ends a handler. Where it does not, a slot stays taken for as long as its handler likes. */
  readonly kills: boolean
  /** Starts the handler of a job; there is a place for it. */
  run(attempt: Attempt): void
  /** The attempt is asked to end, for the reason in `attempt.ending`. */
  abort(attempt: Attempt): void
  /** It was asked, and its grace is over. */
  kill(attempt: Attempt): void
  /** The deadlines of all attempts are later now. Absent: handlers see that by themselves. */
  prolonged?(): void
  /** Ends whatever still runs. May be called at any time, also before it is ready. */
  close(): Promise<void>
}
