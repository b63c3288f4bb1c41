import { HoldfastError, invalidOption } from './errors.ts'
import type { BoundHandler, JobDefinition } from './job.ts'
import type { Lane } from './storage/contract.ts'

/** One handler per type. `known`: checks that a definition may be used here. */
export function handlersByType(
  handlers: unknown,
  known: (definition: unknown) => JobDefinition,
): ReadonlyMap<string, BoundHandler> {
  if (!Array.isArray(handlers) || handlers.length === 0)
    throw invalidOption('handlers', 'an array of at least one handler', handlers)
  const map = new Map<string, BoundHandler>()
  for (const handler of handlers as readonly unknown[]) {
    const { run, definition } = Object(handler) as Partial<BoundHandler>
    if (typeof run !== 'function' || definition === undefined)
      throw invalidOption('handlers[]', 'made by definition.handler()', handler)
    const { type } = known(definition)
    if (map.has(type)) {
      throw new HoldfastError('HOLDFAST_DUPLICATE_JOB', `Two handlers for job \`${type}\``, {
        details: { field: 'handlers', value: type },
      })
    }
    map.set(type, handler as BoundHandler)
  }
  return map
}

/** What an executor claims for a handler. */
export function laneOf({ type, definition }: BoundHandler): Lane {
  const { limit } = definition.defaults
  return limit === null ? { type } : { type, limit }
}
