import type { EmitOptions } from '../../core/automations.ts'
import type { HandlerQueue } from '../../core/context.ts'
import { fieldError, HoldfastError } from '../../core/errors.ts'
import type { EnqueueOptions } from '../../core/intake.ts'
import type { EnqueueItem } from '../../core/queue.ts'
import type { Calls } from '../threads/calls.ts'
import type { EnqueueCall } from '../threads/protocol.ts'

/** The queue of the executor, for a handler whose job so many automations led to: each of its functions is a call. */
export function remoteQueue({ call }: Pick<Calls, 'call'>, depth: number): HandlerQueue {
  const functions = {
    enqueue: async (job: unknown, payload: unknown, options?: EnqueueOptions) =>
      call('enqueue', depth, enqueueCall(job, payload, options)),
    enqueueMany: async (items: readonly EnqueueItem[]) =>
      call(
        'enqueueMany',
        depth,
        items.map(({ job, payload, options }) => enqueueCall(job, payload, options)),
      ),
    emit: (event: string, document: unknown, options?: EmitOptions) => call('emit', depth, event, document, options),
    get: (id: string) => call('get', id),
    counts: () => call('counts'),
    cancel: (id: string, reason?: string) => call('cancel', id, reason),
    retry: (ids: readonly string[]) => call('retry', ids),
  }
  return functions as HandlerQueue
}

/** As it is now: what becomes of the payload afterwards is none of the job's. */
export function enqueueCall(job: unknown, payload: unknown, options?: EnqueueOptions): EnqueueCall {
  const { type } = Object(job) as { readonly type?: unknown }
  const call = {
    type: typeof job === 'string' ? job : (type as string),
    defined: typeof job !== 'string',
    payload,
    ...(options === undefined ? {} : { options }),
  }
  try {
    return structuredClone(call)
  } catch (error) {
    if (HoldfastError.is(error)) throw error
    throw fieldError(
      'HOLDFAST_INVALID_PAYLOAD',
      'payload',
      payload,
      `A payload cannot leave its worker: ${String(error)}`,
    )
  }
}
