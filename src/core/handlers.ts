import { fieldError, invalidOption } from './errors.ts'
import type { BoundHandler } from './job.ts'
import type { Lane } from './storage/contract.ts'

/** One handler per type. */
export function handlersByType(handlers: readonly BoundHandler[]): ReadonlyMap<string, BoundHandler> {
  if (!Array.isArray(handlers) || handlers.length === 0)
    throw invalidOption('handlers', 'an array of at least one handler', handlers)
  const map = new Map<string, BoundHandler>()
  for (const handler of handlers as readonly BoundHandler[]) {
    if (typeof (handler as BoundHandler | null)?.run !== 'function' || typeof handler.definition !== 'object')
      throw invalidOption('handlers[]', 'made by definition.handler()', handler)
    if (map.has(handler.type)) {
      throw fieldError('HOLDFAST_DUPLICATE_JOB', 'handlers', handler.type, `Two handlers for job \`${handler.type}\``)
    }
    map.set(handler.type, handler)
  }
  return map
}

/** What an executor claims for a handler. */
export function laneOf({ type, definition }: BoundHandler): Lane {
  const { limit } = definition.defaults
  return limit === null ? { type } : { type, limit }
}
