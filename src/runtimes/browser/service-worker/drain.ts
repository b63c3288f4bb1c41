import { HoldfastError } from '../../../core/errors.ts'
import type { BoundHandler } from '../../../core/definition.ts'
import type { Job } from '../../../core/job.ts'
import { anything, readOptions, type Span, spanToMs } from '../../../core/options.ts'
import type { JobQueue } from '../../../core/queue.ts'

type Opener = () => DrainedQueue | PromiseLike<DrainedQueue>
type DrainedQueue = Pick<JobQueue, 'createExecutor' | 'list' | 'environment'>

export interface DrainOptions {
  /**
   * What opens the queue: called by the first drain, and again by the next one after an opening that failed. Or the queue
   * itself, or the promise of one: one that is rejected stays so for as long as the worker lives.
   */
  readonly queue: Opener | DrainedQueue | PromiseLike<DrainedQueue>
  /** What runs the jobs, in the thread of the caller. */
  readonly handlers: readonly BoundHandler[]
  /** How long to work from when the queue is open. Default `'25s'`: browsers end a worker after some 30 s. */
  readonly deadline?: Span
  /** Jobs at once, from 1. Default 4. */
  readonly concurrency?: number
  /** Handed to every handler as `ctx.state`. */
  readonly state?: unknown
  /** How long a handler may go on after its signal was aborted at the deadline. Default 1 s. */
  readonly killGrace?: Span
}

export interface Drained {
  /** Jobs that came to their end here: completed, failed or cancelled. */
  readonly done: number
  /** Jobs of these handlers that are due and were not run: the deadline came, or a condition does not hold. */
  readonly left: number
  /** When there is work for these handlers again, epoch ms: now, if some is left; `null`: none waits. */
  readonly nextRunAt: number | null
}

const DEADLINE = 25_000

/**
 * Runs what is due until nothing is, or until the deadline: then running handlers are asked to end by their signal
 * (`HOLDFAST_STOPPING`), and what has not ended is given back, counted as nothing. For service workers and wherever
 * else code runs only for a while. Drains that overlap share the work.
 *
 * @throws HOLDFAST_INVALID_OPTION, HOLDFAST_QUEUE_CLOSED, HOLDFAST_WORKERS_DISABLED, and what the storage throws
 */
export async function drain(options: DrainOptions): Promise<Drained> {
  const { drained } = await work(options)
  return drained
}

/**
 * For the event `sync`: drains, and rejects with `HOLDFAST_WORK_LEFT` when jobs are left that are due, or that wait for
 * another try, so that the browser fires the event again later.
 */
export async function onSync(options: DrainOptions): Promise<Drained> {
  const { drained, retrying } = await work(options)
  const more = drained.left + retrying
  if (more === 0) return drained
  throw new HoldfastError('HOLDFAST_WORK_LEFT', `${more} jobs wait: the browser is to fire the event again`)
}

async function work(options: DrainOptions): Promise<{ readonly drained: Drained; readonly retrying: number }> {
  const checks = { queue: anything, handlers: anything, deadline: spanToMs, concurrency: anything, state: anything }
  const given = readOptions('drain', options, { ...checks, killGrace: anything })
  const { queue: source, deadline = DEADLINE, ...rest } = given
  const queue = await queueOf(source as DrainOptions['queue'])
  const executor = queue.createExecutor(rest as Parameters<DrainedQueue['createExecutor']>[0])
  await executor.processUntilIdle({ deadline: queue.environment.now() + deadline })
  const { completed, failed, cancelled } = executor.stats()
  const { retrying, ...waiting } = await waitingIn(queue, options.handlers)
  return { drained: { done: completed + failed + cancelled, ...waiting }, retrying }
}

/** What openers have opened: whatever wakes the worker, its drains share one queue. */
const opened = new WeakMap<Opener, Promise<DrainedQueue>>()

async function queueOf(queue: DrainOptions['queue']): Promise<DrainedQueue> {
  if (typeof queue !== 'function') return queue
  const opening = opened.get(queue) ?? Promise.resolve(queue())
  opened.set(queue, opening)
  try {
    return await opening
  } catch (error) {
    opened.delete(queue)
    throw error
  }
}

/** What waits, as it is once the last attempts were given back. */
async function waitingIn(
  queue: DrainedQueue,
  handlers: readonly BoundHandler[],
): Promise<{ readonly left: number; readonly retrying: number; readonly nextRunAt: number | null }> {
  const where = { type: { in: handlers.map(({ type }) => type) }, status: { in: ['pending', 'scheduled'] } } as const
  let left = 0
  let retrying = 0
  let next = Infinity
  const now = queue.environment.now()
  for await (const job of queue.list({ where, payloads: false })) {
    if (hasExpired(job, now)) continue
    if (job.status === 'pending') left += 1
    else if (job.unreached + job.failures + job.interruptions > 0) retrying += 1
    next = Math.min(next, job.status === 'pending' ? now : job.runAt)
  }
  return { left, retrying, nextRunAt: next === Infinity ? null : next }
}

/** Nobody starts it any more; it is failed by the next who looks. */
function hasExpired({ expireAt }: Job, now: number): boolean {
  return expireAt !== null && expireAt <= now
}
