/* eslint-disable @typescript-eslint/no-unsafe-enum-comparison -- kinds are texts at run time; their enums would only add weight */
import type { SelectionSetNode } from 'graphql'
import type { Job } from '../core/job.ts'
import { STATUSES as OWN_STATUSES } from '../core/storage/contract.ts'
import { asJson } from './as-json.ts'
import { Problem, unknown } from './problem.ts'

type Read = (job: Job & { readonly disposition?: string }) => unknown

const moment =
  (name: 'createdAt' | 'runAt' | 'expireAt' | 'startedAt' | 'finishedAt' | 'lastHeartbeat'): Read =>
  (job) =>
    asMoment(job[name])

export const STATUSES: readonly string[] = /* @__PURE__ */ OWN_STATUSES.map((status) => status.toUpperCase())

/** Names of priorities, from 0. */
export const PRIORITIES: readonly string[] = ['LOW', 'NORMAL', 'HIGH', 'CRITICAL']

/** What there is to know of a job; each also under its snake_case name. */
const FIELDS: Readonly<Record<string, Read>> = {
  id: ({ id }) => id,
  jobId: ({ id }) => id,
  type: ({ type }) => type,
  jobType: ({ type }) => type,
  payload: ({ payload }) => asJson(payload),
  priority: ({ priority }) => PRIORITIES[priority] ?? priority,
  status: ({ status }) => status.toUpperCase(),
  attempts: ({ attempts }) => attempts,
  failures: ({ failures }) => failures,
  retryCount: ({ failures }) => failures,
  interruptions: ({ interruptions }) => interruptions,
  maxRetries: ({ maxRetries }) => maxRetries,
  maxInterruptions: ({ maxInterruptions }) => maxInterruptions,
  createdAt: moment('createdAt'),
  runAt: moment('runAt'),
  scheduledAt: moment('runAt'),
  expireAt: moment('expireAt'),
  startedAt: moment('startedAt'),
  finishedAt: moment('finishedAt'),
  completedAt: (job) => (job.status === 'completed' ? asMoment(job.finishedAt) : null),
  lastRetry: (job) => asMoment(lastRetry(job)),
  lastHeartbeat: moment('lastHeartbeat'),
  timeout: ({ timeout }) => timeout,
  leaseDuration: ({ leaseDuration }) => leaseDuration,
  fence: ({ fence }) => fence,
  session: ({ session }) => session,
  jobKey: ({ jobKey }) => jobKey,
  queueName: ({ queueName }) => queueName,
  requires: ({ requires }) => requires,
  progress: ({ progress }) => progress,
  result: ({ result }) => result,
  error: ({ error }) => error,
  cancelReason: ({ cancelReason }) => cancelReason,
  history: ({ history }) => history,
  revision: ({ revision }) => revision,
  disposition: ({ disposition }) => disposition ?? null,
}

/** Of these one may ask for parts; without, an error is its message. */
const COMPOUND: readonly string[] = ['payload', 'progress', 'result', 'error', 'history']

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
