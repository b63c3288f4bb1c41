export type { RescheduleOptions, Session } from './core/administration.ts'
export type { Automation, AutomationJob, AutomationOptions } from './core/automation-definition.ts'
export type { EmitOptions } from './core/automations.ts'
export { exponential, fixed, graphile } from './core/backoff.ts'
export type { JobFilter, MomentFilter, TextFilter } from './core/conditions.ts'
export type { HandlerContext, HandlerQueue } from './core/context.ts'
export type { OutputOptions } from './core/output.ts'
export type { CancelTimer, Environment } from './core/environment.ts'
export { type ErrorCode, type ErrorDetails, HoldfastError } from './core/errors.ts'
export type { EventName, Listener, QueueEvents } from './core/events.ts'
export type { Executor, ExecutorOptions, ExecutorStats } from './core/executor.ts'
export type { EnqueueOptions } from './core/intake.ts'
export {
  type BoundHandler,
  defineJob,
  type HandlerFunction,
  type JobDefinition,
  type JobOptions,
  type JobSettings,
  type LimitOptions,
  type PayloadFormat,
  type PayloadInput,
  type PayloadOutput,
  type Requirement,
  type StandardSchema,
} from './core/definition.ts'
export { isDue, isLeaseExpired, type Job, nextRetryDelay } from './core/job.ts'
export type { JobList, JobPage, ListOptions, OrderBy, PageOptions } from './core/listing.ts'
export type { Logger } from './core/logger.ts'
export type { Moment, Priority, Span } from './core/options.ts'
export { FailPermanently, RetryLater, Unreachable } from './core/outcome.ts'
export type { Cleanup, Retention, RetentionOptions } from './core/pruner.ts'
export { type EnqueuedJob, type EnqueueItem, type JobQueue, openQueue, type QueueOptions } from './core/queue.ts'
export type { JobResult } from './core/results.ts'
export type { Runner } from './core/runner.ts'
export type {
  AttemptRecord,
  BackoffPolicy,
  Disposition,
  DumpedRecord,
  ErrorData,
  JobCounts,
  JobKeyMode,
  JobStatus,
  PauseScope,
  SerialMode,
  StorageAdapter,
  StorageDump,
  StorageHealth,
  StorageStatus,
  StorageTraits,
  Condition,
  FieldFilter,
  PartFilter,
  ValueFilter,
  Where,
} from './core/storage/contract.ts'
export type { ChangeEvent } from './core/watching.ts'
