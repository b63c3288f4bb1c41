/* eslint-disable @typescript-eslint/no-unsafe-enum-comparison -- kinds are texts at run time; their enums would only add weight */
import type { FieldNode } from 'graphql'
import type { AutomationOptions } from '../core/automation-definition.ts'
import { type ErrorCode, HoldfastError } from '../core/errors.ts'
import type { JobQueue } from '../core/queue.ts'
import { argumentsOf, ENQUEUE, enqueueOptions, placeName, whereOf } from './arguments.ts'
import { planField, type Step } from './fields.ts'
import { selected } from './job-fields.ts'
import { type AqlDefinition, type HandlerNode, parse } from './parser.ts'
import { Problem, type Placed, placeOf, unknown } from './problem.ts'
import { checkGiven, Values } from './values.ts'

/** Why a text was not, or not wholly, done. Lines and columns count from 1. */
export interface AqlError {
  /** `HOLDFAST_AQL` for what is wrong with the text; else the code of what the queue threw. */
  readonly code: ErrorCode
  /** What was expected, and what was found. */
  readonly message: string
  readonly line: number
  readonly column: number
}

/** Plain data, as JSON carries it. */
export interface AqlResult {
  /** What each field answered, under its name or alias; null for one that failed, and for all when nothing was done. */
  readonly data: Readonly<Record<string, unknown>> | null
  /** Empty when all went well. */
  readonly errors: readonly AqlError[]
}

export interface AqlOptions {
  /** Values of the `$variables` that the text declares. */
  readonly variables?: Readonly<Record<string, unknown>>
}

export interface Aql {
  /**
   * Does what a text says, field after field, and never rejects. A text with an error anywhere does nothing. When a field
   * fails while it is done, those after it are done all the same.
   */
  readonly execute: (text: string, options?: AqlOptions) => Promise<AqlResult>
}

interface Planned {
  readonly key: string
  readonly step: Step
  readonly at: Placed
}

/** The query language on a queue; docs/aql.md tells what it can say. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a queue of any jobs
export function aql(queue: JobQueue<any>): Aql {
  return { execute: (text, options) => execute(queue as JobQueue, text, options?.variables ?? {}) }
}

async function execute(
  queue: JobQueue,
  text: string,
  variables: NonNullable<AqlOptions['variables']>,
): Promise<AqlResult> {
  let steps: readonly Planned[]
  try {
    steps = await planned(queue, parse(text), variables)
  } catch (error) {
    return { data: null, errors: [errorOf(error, undefined)] }
  }
  const data: [string, unknown][] = []
  const errors: AqlError[] = []
  for (const { key, step, at } of steps) {
    try {
      data.push([key, await step()])
    } catch (error) {
      data.push([key, null])
      errors.push(errorOf(error, at))
    }
  }
  return { data: Object.fromEntries(data), errors }
}

async function planned(
  queue: JobQueue,
  definitions: readonly AqlDefinition[],
  variables: Readonly<Record<string, unknown>>,
): Promise<readonly Planned[]> {
  const steps: Planned[] = []
  checkGiven(definitions, variables)
  for (const definition of definitions) {
    const values = new Values()
    if (definition.kind === 'Handler') steps.push(await planHandler(queue, definition, values))
    else if (definition.kind === 'OperationDefinition' && definition.operation !== 'subscription') {
      values.declare(definition, variables)
      for (const { key, node } of selected(definition.selectionSet)) {
        const at = node as FieldNode
        const step = await planField(queue, definition.operation as 'query' | 'mutation', at, values).catch(placed(at))
        steps.push({ key, at, step })
      }
    } else throw new Problem('Expected query, mutation or define handler', definition)
  }
  for (const [index, { key, at }] of steps.entries())
    if (steps.findIndex((step) => step.key === key) < index)
      throw new Problem(`\`${key}\` is answered twice: give one of them another name, as \`other: ${key}\``, at)
  return steps
}

/**
 * What is refused is told with its place, under a name of its own: errors of WebKit have a `line` and a `column`, which are
 * those of the program.
 */
function placed(at: Placed): (error: unknown) => never {
  return (error) => {
    throw Object.assign(new Error(), { told: errorOf(error, at) })
  }
}

const ENTRIES = ['on', 'where', 'action', 'atomic', 'enabled']

async function planHandler(queue: JobQueue, { name, entries, loc }: HandlerNode, values: Values): Promise<Planned> {
  // Errors of its options name them as they do those of an enqueue.
  const parts = entries.flatMap((entry) =>
    entry.value.kind === 'Field' ? [entry, ...(entry.value.arguments ?? [])] : [entry],
  )
  const at = { loc, arguments: parts } as Placed
  try {
    const given: Record<string, unknown> = {}
    for (const { name: entry, value } of entries) {
      if (!ENTRIES.includes(entry.value)) throw unknown('entry of a handler', entry.value, ENTRIES, entry)
      if (entry.value in given) throw new Problem(`\`${entry.value}\` stands here twice`, entry)
      given[entry.value] = value.kind === 'Field' ? enqueueOf(value, values) : values.of(value)
    }
    for (const needed of ['on', 'action'])
      if (!(needed in given)) throw new Problem(`Expected \`${needed}:\` in the handler`, at)
    const { action, ...options } = given
    const { on, where } = options
    if (String(on).startsWith('job:') && where !== undefined) options['where'] = whereOf(where, 'where', true)
    const automate = await queue.toAutomate({ name: name.value, ...options, enqueue: action } as never)
    return {
      key: name.value,
      at,
      step: async () => {
        const { name: defined, on: event, enabled } = await automate()
        return { name: defined, on: event, enabled }
      },
    }
  } catch (error) {
    return placed(at)(error)
  }
}

function enqueueOf(field: FieldNode, values: Values): AutomationOptions['enqueue'] {
  if (field.name.value !== 'enqueueJob') throw unknown('action', field.name.value, ['enqueueJob'], field)
  const given = argumentsOf(field, [...ENQUEUE, ['payload']], values)
  const { type, options } = enqueueOptions(field, given)
  return { job: type, payload: given['payload'] ?? null, ...options }
}

/** `from`: what was done, or planned; in it may be the place that the error names. */
function errorOf(error: unknown, from: Placed | undefined): AqlError {
  const {
    message,
    locations,
    code,
    details,
    at = details?.field ?? '',
    told,
  } = Object(error) as Partial<Problem & HoldfastError> & {
    locations?: readonly Pick<AqlError, 'line' | 'column'>[]
    told?: AqlError
  }
  if (told !== undefined) return told
  const place = typeof at === 'string' ? from && placeOf(from, at, placeName) : at
  const found = locations?.[0] ?? place?.loc?.startToken
  return {
    code: code ?? 'HOLDFAST_AQL',
    message: message ?? String(error),
    line: found?.line ?? 1,
    column: found?.column ?? 1,
  }
}
