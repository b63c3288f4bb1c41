import type { JobDefinition } from './definition.ts'
import type { Job } from './job.ts'
import type { OutputOptions } from './output.ts'
import type { EnqueueOptions, JobQueue } from './queue.ts'

/** What a handler may do with the queue, in whatever thread it runs. In a worker each is a call to the executor's. */
export type HandlerQueue = Pick<JobQueue, 'enqueue' | 'enqueueMany' | 'emit' | 'get' | 'counts' | 'cancel' | 'retry'>

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
  /** Records progress: any JSON value. Stored with the next heartbeat, at the latest with the outcome; told to listeners in this context at once. Once the attempt has ended it does nothing. */
  readonly progress: (value: unknown) => void
  /** Tells listeners and the logger; nothing is stored. */
  readonly log: (message: string, fields?: Readonly<Record<string, unknown>>) => void
  /**
   * Hands something to this context's listeners, at once: `queue.on('output')`. Any value that can be cloned, in whatever
   * thread the handler runs; what `transfer` names is moved and not copied, and of no use to the handler afterwards. Nothing
   * is stored: what has to outlive the page belongs into the result, or into the payload of a next job.
   *
   * @throws HOLDFAST_INVALID_PAYLOAD when it can be neither cloned nor moved; HOLDFAST_INVALID_OPTION
   */
  readonly output: (value: unknown, options?: OutputOptions) => void
  readonly queue: HandlerQueue
  /**
   * Jobs that are stored in the same step as this attempt's completion, and only then.
   *
   * @throws HOLDFAST_LEASE_LOST when the attempt has ended, and what `queue.enqueue` throws for the job
   */
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
