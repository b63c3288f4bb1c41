import { fieldError, invalidOption } from './errors.ts'
import type { BoundHandler } from './job.ts'
import type { Lane } from './storage/contract.ts'

/** One handler per type. */
export function handlersByType(field: string, handlers: unknown): ReadonlyMap<string, BoundHandler> {
  if (!Array.isArray(handlers) || handlers.length === 0)
    throw invalidOption(field, 'an array of at least one handler', handlers)
  return byType(field, handlers.map(checkHandler))
}

function checkHandler(value: unknown): BoundHandler {
  const handler = value as Partial<BoundHandler> | null
  if (typeof handler?.run === 'function' && typeof handler.definition === 'object') return handler as BoundHandler
  throw invalidOption('handlers[]', 'made by definition.handler()', value)
}

/** Definitions or handlers by their type, of which there must be one each. */
export function byType<Item extends { readonly type: string }>(
  field: string,
  items: readonly Item[],
): ReadonlyMap<string, Item> {
  const map = new Map<string, Item>()
  for (const item of items) {
    const { type } = item
    if (map.has(type))
      throw fieldError('HOLDFAST_DUPLICATE_JOB', field, type, `Job \`${type}\` stands twice in \`${field}\``)
    map.set(type, item)
  }
  return map
}

/** What an executor claims for a handler. */
export function laneOf({ type, definition }: BoundHandler): Lane {
  const { limit } = definition.defaults
  return limit === null ? { type } : { type, limit }
}
