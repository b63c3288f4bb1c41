import type { EmitOptions } from '../../core/automations.ts'
import { HoldfastError, invalidOption } from '../../core/errors.ts'
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
        calls.map((call) =>
          enqueueFor(
            host,
            call,
            (job, payload, options): EnqueueItem => ({
              job,
              payload,
              ...(options === undefined ? {} : { options }),
            }),
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

/** Hands on what a thread wants to enqueue, with the definition of this side where the thread named one. */
export function enqueueFor<Result>(
  { definitionOf }: Host,
  call: EnqueueCall,
  enqueue: (job: JobDefinition | string, payload: unknown, options?: EnqueueCall['options']) => Result,
): Result {
  const { type, defined, payload, options } = Object(call) as Partial<EnqueueCall>
  if (typeof type !== 'string') throw invalidOption('job', 'a definition made by defineJob(), or the name of one', type)
  const job = definitionOf(type)
  // By its name alone it would be stored without its schema and defaults.
  if (job === undefined && defined === true)
    throw new HoldfastError(
      'HOLDFAST_UNKNOWN_JOB',
      `Job \`${type}\` is defined in a worker, and the queue that stores it does not know it: open it with \`jobs\``,
      { details: { field: 'job', value: type } },
    )
  return enqueue(job ?? type, payload, options)
}
