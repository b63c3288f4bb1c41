import type { EmitOptions } from '../../core/automations.ts'
import type { HandlerQueue } from '../../core/context.ts'
import { documentCopy } from '../../core/document.ts'
import { invalidOption } from '../../core/errors.ts'
import { checkDefinition, eachItem, type EnqueueOptions, JOB } from '../../core/intake.ts'
import type { EnqueueItem } from '../../core/queue.ts'
import { type Calls, moving } from '../threads/calls.ts'
import type { EnqueueCall } from '../threads/protocol.ts'
import { ownCopy } from './own-copy.ts'

/** The queue of the executor, for a handler whose job so many automations led to: each of its functions is a call. */
export function remoteQueue({ call }: Pick<Calls, 'call'>, depth: number): HandlerQueue {
  const functions = {
    enqueue: async (job: unknown, payload: unknown, options?: EnqueueOptions) => {
      const { call: enqueue, bytes } = outgoing(job, payload, options)
      return call('enqueue', depth, moving(enqueue, bytes))
    },
    enqueueMany: async (items: readonly EnqueueItem[]) => {
      const all = eachItem(items, ({ job, payload, options }, place) => outgoing(job, payload, options, `${place}.`))
      const calls = all.map((each) => each.call)
      const bytes = all.flatMap((each) => each.bytes)
      return call('enqueueMany', depth, moving(calls, bytes))
    },
    emit: async (event: string, document: unknown, options?: EmitOptions) =>
      call(
        'emit',
        depth,
        event,
        documentCopy(document),
        options && { ...options, previous: documentCopy(options.previous) },
      ),
    get: (id: string) => call('get', id),
    counts: () => call('counts'),
    cancel: (id: string, reason?: string) => call('cancel', id, reason),
    retry: (ids: readonly string[]) => call('retry', ids),
  }
  return functions as HandlerQueue
}

/** An enqueue on its way to the executor, and the bytes that are moved with it. */
export interface Outgoing {
  readonly call: EnqueueCall
  readonly bytes: readonly ArrayBuffer[]
}

/** As it is now: what becomes of the payload afterwards is none of the job's. `within`: where it stands, for errors. */
export function outgoing(job: unknown, payload: unknown, options?: EnqueueOptions, within = ''): Outgoing {
  const { type, version } =
    typeof job === 'string' ? { type: job, version: null } : checkDefinition(`${within}job`, job, JOB)
  const { value, bytes } = ownCopy(`${within}payload`, payload)
  const call = {
    type,
    version,
    payload: value,
    ...(options !== undefined && { options: plain(`${within}options`, options) }),
  }
  return { call, bytes }
}

function plain(field: string, options: EnqueueOptions): EnqueueOptions {
  try {
    return structuredClone(options)
  } catch {
    throw invalidOption(field, 'data, which can leave its worker', options)
  }
}
