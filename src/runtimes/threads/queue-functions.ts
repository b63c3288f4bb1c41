import type { EmitOptions } from '../../core/automations.ts'
import { fieldError, invalidOption } from '../../core/errors.ts'
import type { JobDefinition } from '../../core/definition.ts'
import type { EnqueueItem } from '../../core/queue.ts'
import type { RunnerHost } from '../../core/runner.ts'
import type { EnqueueCall } from './protocol.ts'

type Host = Pick<RunnerHost, 'queue' | 'definitionOf'>
type Functions = Readonly<Record<string, (...values: never[]) => unknown>>

/** What a handler in a thread may do with the queue: `HandlerQueue`, each by a call whose arguments are data. */
export function queueFunctions(host: Host): Functions {
  const { queue } = host
  return {
    enqueue: (depth: number, call: EnqueueCall) => enqueueFor(host, call, queue.from(depth).enqueue),
    enqueueMany: (depth: number, calls: readonly EnqueueCall[]) =>
      queue.from(depth).enqueueMany(
        calls.map((call, at) =>
          enqueueFor(
            host,
            call,
            (job, payload, options): EnqueueItem => ({
              job,
              payload,
              ...(options === undefined ? {} : { options }),
            }),
            `items[${at}].`,
          ),
        ),
      ),
    emit: (depth: number, event: string, document: unknown, options?: EmitOptions) =>
      queue.from(depth).emit(event, document, options),
    get: (id: string) => queue.get(id),
    counts: () => queue.counts(),
    cancel: (id: string, reason?: string) => queue.cancel(id, reason),
    retry: (ids: readonly string[]) => queue.retry(ids),
  }
}

/**
 * Hands on what a thread wants to enqueue, with the definition of this side where the thread named one. `within`: where it
 * stands, for errors.
 */
export function enqueueFor<Result>(
  { definitionOf }: Host,
  call: EnqueueCall,
  enqueue: (job: JobDefinition | string, payload: unknown, options?: EnqueueCall['options']) => Result,
  within = '',
): Result {
  const { type, version = null, payload, options } = Object(call) as Partial<EnqueueCall>
  if (typeof type !== 'string') throw invalidOption(`${within}job`, 'a job', type)
  const job = definitionOf(type)
  // By its name alone it would be stored without its schema and defaults, by another version as what it is not.
  if (version !== null && version !== job?.version)
    throw fieldError(
      'HOLDFAST_UNKNOWN_JOB',
      `${within}job`,
      type,
      `Job \`${type}\` has version ${version} in a worker, and ${job?.version ?? 'none'} in the queue that stores it: open that with \`jobs\``,
    )
  return enqueue(job ?? type, payload, options)
}
