import type { Job, JobDefinition } from './job.ts'
import type { EnqueueOptions, JobQueue } from './queue.ts'

/**
 * What a handler gets beside its payload. Signal and job view are made when they are first read; functions may be taken
 * out of it.
 */
export interface HandlerContext<Payload = unknown> {
  readonly job: Job<Payload>
  /** Number of this attempt, from 1. */
  readonly attempt: number
  /** Rises at every claim of the job: a fencing token for other systems. */
  readonly fence: number
  /**
   * Aborts when the attempt should end: `reason.code` is `HOLDFAST_TIMEOUT`, `HOLDFAST_CANCELLED`,
   * `HOLDFAST_LEASE_LOST` or `HOLDFAST_STOPPING`.
   */
  readonly signal: AbortSignal
  /** When the attempt times out, epoch ms. Later after a time in which this page or process stood still. */
  readonly deadline: number
  /** Records progress: any JSON value. Stored with the next heartbeat, at the latest with the outcome; told to listeners in this context at once. */
  readonly progress: (value: unknown) => void
  /** Tells listeners and the logger; nothing is stored. */
  readonly log: (message: string, fields?: Readonly<Record<string, unknown>>) => void
  readonly queue: JobQueue
  /** Jobs that are stored in the same step as this attempt's completion, and only then. */
  readonly onComplete: {
    readonly enqueue: <Input>(
      job: JobDefinition<string, Input> | string,
      payload: Input,
      options?: EnqueueOptions,
    ) => void
  }
  /** The executor's `state`. */
  readonly state: unknown
}
