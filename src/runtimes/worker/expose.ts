import { handlersByType } from '../../core/handlers.ts'
import { checkDefinition } from '../../core/intake.ts'
import type { BoundHandler } from '../../core/definition.ts'
import { callable, readOptions } from '../../core/options.ts'
import { isObject } from '../../core/storage/plain.ts'
import { answering, calling } from '../threads/calls.ts'
import { type FromThread, marked, revived, runsOf, thrownData, unmarked } from '../threads/protocol.ts'
import { HandlerRuns } from './handler-runs.ts'
import { remoteQueue } from './remote-queue.ts'
import { misplaced, type Scope, workerScope } from './scope.ts'
import { ticking } from './ticks.ts'

export interface ExposeOptions {
  /**
   * Makes what every handler here gets as `ctx.state`; called once, before the first job. What has `Symbol.asyncDispose`
   * or `Symbol.dispose` is disposed of when the executor stops; not when the thread is ended by force.
   */
  readonly setup?: () => unknown
}

/** Scopes that have exposed handlers. */
const exposed = new WeakSet()

/**
 * Called once by the file of a worker, of either platform: the executor that spawned it runs these handlers here. They
 * are the same that run inline.
 *
 *     exposeHandlers([resize.handler(async (payload, ctx) => …)], { setup: () => openCache() })
 *
 * @throws HOLDFAST_INVALID_OPTION, HOLDFAST_DUPLICATE_JOB, HOLDFAST_WORKER_NOT_READY when called twice, or outside of a
 * worker
 */
export function exposeHandlers(handlers: readonly BoundHandler[], options: ExposeOptions = {}): void {
  const scope = workerScope()
  try {
    expose(scope, handlers, options)
  } catch (error) {
    scope.post(marked({ kind: 'broken', error: thrownData(error) }))
    throw error
  }
}

function expose(scope: Scope, given: readonly BoundHandler[], options: ExposeOptions): void {
  const handlers = handlersByType('handlers', given, { known: checkDefinition })
  const { setup } = readOptions('exposeHandlers', options, { setup: callable })
  if (exposed.has(globalThis)) throw misplaced('A worker exposes its handlers once, all of them together')
  exposed.add(globalThis)
  const post = (message: FromThread, moved?: readonly unknown[]): void => scope.post(marked(message), moved)
  const calls = calling(post)
  const runs = new HandlerRuns({ handlers, post, queue: (depth) => remoteQueue(calls, depth) })
  const request = answering(
    {
      open: async ({ payloadLimit }: { readonly payloadLimit: number }) => {
        runs.open(await setup?.(), payloadLimit)
      },
      close: () => disposed(runs.state),
    },
    post,
  )
  const tickEvery = ticking(() => post({ kind: 'tick' }))
  scope.onBroken((error) => post({ kind: 'broken', error: thrownData(error) }))
  scope.listen((data) => {
    const message = unmarked(data)
    switch (message?.kind) {
      case 'run':
        return runs.start(runsOf(message))
      case 'abort':
        return runs.abort(message.run, revived(message.reason))
      case 'deadlines':
        return runs.prolong(message.deadlines)
      case 'tick':
        return tickEvery(message.every)
      case 'request':
        return request(message.message)
      case 'answer':
        return calls.receive(message.message)
    }
  })
  const exposes = [...handlers.values()].map(({ type, definition: { version } }) => ({ type, version }))
  post({ kind: 'exposed', handlers: exposes })
}

async function disposed(state: unknown): Promise<void> {
  if (!isObject(state)) return
  // Symbols that not every engine has.
  const { asyncDispose, dispose } = Symbol as { readonly asyncDispose?: symbol; readonly dispose?: symbol }
  const keys = [asyncDispose, dispose].filter((symbol) => symbol !== undefined)
  const own = state as Readonly<Record<symbol, unknown>>
  const key = keys.find((symbol) => typeof own[symbol] === 'function')
  if (key !== undefined) await (own[key] as () => unknown).call(state)
}
