import { fieldError, invalidOption } from './errors.ts'
import type { Intake } from './intake.ts'
import type { BoundHandler, HandlerFunction } from './job.ts'
import type { Lane } from './storage/contract.ts'

/** One handler per type, each of a definition that this queue knows. */
export function handlersByType(
  field: string,
  handlers: unknown,
  intake: Pick<Intake, 'known'>,
): ReadonlyMap<string, BoundHandler> {
  if (!Array.isArray(handlers) || handlers.length === 0)
    throw invalidOption(field, 'an array of at least one handler', handlers)
  return byType(
    field,
    Array.from(handlers, (handler: unknown) => {
      const { run, definition } = Object(handler) as Partial<BoundHandler>
      if (typeof run !== 'function' || definition === undefined)
        throw invalidOption(`${field}[]`, 'made by definition.handler()', handler)
      return intake.known(definition).handler(run as HandlerFunction<unknown>)
    }),
  )
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
  const { version, defaults } = definition
  return {
    type,
    ...(defaults.limit !== null && { limit: defaults.limit }),
    ...(version > 1 && { payloadVersion: version }),
  }
}
