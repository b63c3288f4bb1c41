/* eslint-disable @typescript-eslint/no-unsafe-enum-comparison -- kinds are texts at run time; their enums would only add weight */
import type { SelectionSetNode } from 'graphql'
import type { Job } from '../core/job.ts'
import { STATUSES as OWN_STATUSES } from '../core/storage/contract.ts'
import { asJson } from './as-json.ts'
import { Problem, unknown } from './problem.ts'

type Read = (job: Job & { readonly disposition?: string }) => unknown

export const STATUSES: readonly string[] = /* @__PURE__ */ OWN_STATUSES.map((status) => status.toUpperCase())

/** Names of priorities, from 0. */
export const PRIORITIES: readonly string[] = ['LOW', 'NORMAL', 'HIGH', 'CRITICAL']

/** Fields that are answered as the queue has them. */
const PLAIN = [
  'id',
  'type',
  'payloadVersion',
  'attempts',
  'failures',
  'retryCount',
  'interruptions',
  'unreached',
  'maxRetries',
  'maxInterruptions',
  'timeout',
  'leaseDuration',
  'fence',
  'session',
  'jobKey',
  'queueName',
  'serial',
  'requires',
  'backoff',
  'progress',
  'result',
  'error',
  'cancelReason',
  'history',
  'revision',
] as const

const MOMENTS = ['createdAt', 'runAt', 'expireAt', 'startedAt', 'finishedAt', 'lastHeartbeat'] as const

/** What there is to know of a job; each also under its snake_case name. */
const FIELDS: Readonly<Record<string, Read>> = {
  ...readers(PLAIN, (job, name) => job[name]),
  ...readers(MOMENTS, (job, name) => asMoment(job[name])),
  jobId: ({ id }) => id,
  jobType: ({ type }) => type,
  payload: ({ payload }) => asJson(payload),
  priority: ({ priority }) => PRIORITIES[priority] ?? priority,
  status: ({ status }) => status.toUpperCase(),
  scheduledAt: ({ runAt }) => asMoment(runAt),
  completedAt: ({ status, finishedAt }) => (status === 'completed' ? asMoment(finishedAt) : null),
  lastRetry: (job) => asMoment(lastRetry(job)),
  disposition: ({ disposition }) => disposition ?? null,
}

function readers<Name extends string>(
  names: readonly Name[],
  read: (job: Job, name: Name) => unknown,
): Readonly<Record<string, Read>> {
  return Object.fromEntries(names.map((name) => [name, (job) => read(job, name)]))
}

/** Of these one may ask for parts; without, an error is its message. */
const COMPOUND: readonly string[] = ['payload', 'backoff', 'progress', 'result', 'error', 'history']

/** `last_retry` → `lastRetry`. */
export function camel(name: string): string {
  const [first = '', ...words] = name.split('_')
  return first + words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join('')
}

/** How a job is answered. */
export type View = (job: Job) => unknown

export function viewOf(set: SelectionSetNode | undefined, at: Parameters<typeof unknown>[3]): View {
  if (set === undefined) throw new Problem('Expected fields in braces, as { id status }', at)
  const parts = selected(set).map(({ key, name, node, within }) => {
    const field = camel(name)
    const read = Object.hasOwn(FIELDS, field) ? FIELDS[field] : undefined
    if (read === undefined) throw unknown('field', name, Object.keys(FIELDS), node)
    if (within !== undefined && !COMPOUND.includes(field)) throw new Problem(`\`${name}\` has no fields`, node)
    checkParts([{ node, within }])
    return [key, (job: Job) => (within === undefined ? whole(field, read(job)) : partsOf(within, read(job)))] as const
  })
  return (job) => Object.fromEntries(parts.map(([key, read]) => [key, read(job)]))
}

/** What is wrong anywhere is told before anything is done. */
function checkParts(parts: readonly Pick<Selected, 'node' | 'within'>[]): void {
  for (const { node, within } of parts) {
    if (node.kind === 'Field' && (node.arguments?.length ?? 0) > 0)
      throw new Problem('Expected no arguments here', node)
    if (within !== undefined) checkParts(selected(within))
  }
}

interface Selected {
  /** Under which it is answered. */
  readonly key: string
  readonly name: string
  readonly node: SelectionSetNode['selections'][number]
  readonly within: SelectionSetNode | undefined
}

/** The fields of a selection. */
export function selected({ selections }: SelectionSetNode): readonly Selected[] {
  const keys = new Set<string>()
  return selections.map((node) => {
    if (node.kind !== 'Field') throw new Problem('Expected a field: fragments are not part of AQL', node)
    if ((node.directives?.length ?? 0) > 0) throw new Problem('Expected no directive: they are not part of AQL', node)
    const key = node.alias?.value ?? node.name.value
    if (keys.has(key))
      throw new Problem(`\`${key}\` stands here twice: give one of them another name, as \`other: ${key}\``, node)
    keys.add(key)
    return { key, name: node.name.value, node, within: node.selectionSet }
  })
}

function whole(field: string, value: unknown): unknown {
  return field === 'error' && value !== null ? (value as { readonly message: string }).message : value
}

/** Parts of a value by their names, of each member where it is a list; null where there is none. */
function partsOf(set: SelectionSetNode, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => partsOf(set, item))
  if (typeof value !== 'object' || value === null) return null
  return Object.fromEntries(
    selected(set).map(({ key, name, within }) => {
      const part = Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : null
      return [key, within === undefined ? part : partsOf(within, part)]
    }),
  )
}

/** What a Date can hold. ms */
const LAST_MOMENT = 8.64e15

function asMoment(ms: number | null): string | null {
  return ms === null || Math.abs(ms) > LAST_MOMENT ? null : new Date(ms).toISOString()
}

/** The start of the latest attempt after the first. */
function lastRetry({ attempts, status, startedAt, history }: Job): number | null {
  if (attempts < 2) return null
  return status === 'running' ? startedAt : (history.at(-1)?.startedAt ?? startedAt)
}
