import type { HandlerContext } from './context.ts'
import { fieldError, invalidOption } from './errors.ts'
import type { Intake } from './intake.ts'
import type { BoundHandler, HandlerFunction, JobDefinition } from './definition.ts'
import { listOf } from './options.ts'
import { currentPayload } from './schema.ts'
import type { JobRecord, Lane } from './storage/contract.ts'
import { isThenable } from './thenable.ts'

/** One handler per type, each of a definition that this queue knows. */
export function handlersByType(
  field: string,
  handlers: unknown,
  intake: Pick<Intake, 'known'>,
): ReadonlyMap<string, BoundHandler> {
  const bound = (at: string, handler: unknown): BoundHandler => {
    const { run, definition } = Object(handler) as Partial<BoundHandler>
    if (typeof run !== 'function' || definition === undefined)
      throw invalidOption(at, 'made by definition.handler()', handler)
    return intake.known(at, definition).handler(run as HandlerFunction<unknown>)
  }
  return byType(field, listOf(field, handlers, bound, 'an array of at least one handler', 1))
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

/** What an executor claims for a job. */
export function laneOf({ type, version, defaults: { limit } }: JobDefinition): Lane {
  return { type, ...(limit !== null && { limit }), ...(version > 1 && { payloadVersion: version }) }
}

/** What a handler is given, wherever it runs. */
export interface HandlerRun extends HandlerContext {
  readonly record: JobRecord
  /** Its payload was of an older version, or unchecked: from now on it shows as the handler gets it. */
  broughtUp(payload: unknown): void
}

/** Runs the handler, with a payload that an older version stored brought up before, and what no schema saw checked. */
export function runHandler({ definition, run }: BoundHandler, attempt: HandlerRun): unknown {
  const { payload } = attempt.record
  const current = currentPayload(definition, attempt.record)
  if (current === payload) return run(payload as never, attempt as never)
  const go = (migrated: unknown): unknown => {
    attempt.broughtUp(migrated)
    return run(migrated as never, attempt as never)
  }
  return isThenable(current) ? Promise.resolve(current).then(go) : go(current)
}
