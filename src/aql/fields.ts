import type { FieldNode } from 'graphql'
import type { Job } from '../core/job.ts'
import type { JobList, ListOptions } from '../core/listing.ts'
import type { JobQueue } from '../core/queue.ts'
import { type PauseScope, STATUSES } from '../core/storage/contract.ts'
import { argumentsOf, ENQUEUE, enqueueOptions, type Given, orderOf, whereOf } from './arguments.ts'
import { selected, type View, viewOf } from './job-fields.ts'
import { Problem, unknown } from './problem.ts'
import type { Values } from './values.ts'

/** What a field does, once the whole text was found to be right. */
export type Step = () => Promise<unknown>

type Plan = (queue: JobQueue, field: FieldNode, values: Values) => Step | Promise<Step>

/** Jobs of a list that says no number. */
const USUAL_LIMIT = 100
const MOST_LIMIT = 1000

const LIST = [['where'], ['orderBy'], ['limit', 'first'], ['offset', 'skip'], ['after']]

const QUERIES: Readonly<Record<string, Plan>> = {
  _jobs: (queue, field, values) => {
    const given = argumentsOf(field, LIST, values)
    const page = pageOf(queue.list(listOptions(given)), given)
    const connection = connectionOf(field)
    if (connection !== null) return async () => connection(await page())
    const view = viewOf(field.selectionSet, field)
    return async () => (await page()).jobs.map(view)
  },
  _jobsCount: (queue, field, values) => {
    const given = argumentsOf(field, [['where']], values)
    noFields(field)
    const list = queue.list({ ...listOptions(given), payloads: false })
    return async () => {
      let count = 0
      for await (const { id } of list) count += Number(id !== '')
      return count
    }
  },
  _stats: (queue, field, values) => {
    argumentsOf(field, [], values)
    const known = [...STATUSES, 'total']
    const parts = field.selectionSet === undefined ? null : selected(field.selectionSet)
    for (const { name, node } of parts ?? []) if (!known.includes(name)) throw unknown('field', name, known, node)
    return async () => {
      const counts = await queue.counts()
      const stats: Given = { ...counts, total: Object.values(counts).reduce((sum, count) => sum + count, 0) }
      return parts === null ? stats : Object.fromEntries(parts.map(({ key, name }) => [key, stats[name]]))
    }
  },
}

const MUTATIONS: Readonly<Record<string, Plan>> = {
  enqueueJob: async (queue, field, values) => {
    const given = argumentsOf(field, [...ENQUEUE, ['payload']], values)
    const store = await enqueuing(queue, field, given, [given['payload']])
    return async () => (await store())[0]
  },
  enqueueJobs: (queue, field, values) => {
    const given = argumentsOf(field, [...ENQUEUE, ['payloads']], values)
    const payloads: unknown = given['payloads']
    if (!Array.isArray(payloads)) throw new Problem('Expected `payloads` to be a list', 'payloads', payloads)
    return enqueuing(queue, field, given, payloads)
  },
  cancelJob: (queue, field, values) => {
    const { id, reason } = argumentsOf(field, [['id', 'jobId'], ['reason']], values)
    const view = viewOf(field.selectionSet, field)
    const cancel = queue.toCancel(id as string, reason as string | undefined)
    return async () => orNull(await cancel(), view)
  },
  retryJobs: (queue, field, values) => {
    const { ids } = argumentsOf(field, [['ids', 'jobIds']], values)
    const view = viewOf(field.selectionSet, field)
    const retry = queue.toRetry(ids as readonly string[])
    return async () => (await retry()).map(view)
  },
  removeJob: (queue, field, values) => {
    const { id, jobKey } = argumentsOf(field, [['id', 'jobId'], ['jobKey']], values)
    if ((id === undefined) === (jobKey === undefined)) throw new Problem('Expected one of `id` and `jobKey`', field)
    const view = viewOf(field.selectionSet, field)
    const remove = queue.toRemove(id === undefined ? { jobKey: jobKey as string } : [id as string])
    return async () => orNull((await remove())[0], view)
  },
  pause: (queue, field, values) => queue.toPause(scopeOf(field, values), true),
  resume: (queue, field, values) => queue.toPause(scopeOf(field, values), false),
}

async function enqueuing(
  queue: JobQueue,
  field: FieldNode,
  given: Given,
  payloads: readonly unknown[],
): Promise<() => Promise<readonly unknown[]>> {
  const { type, options } = enqueueOptions(field, given)
  const view = viewOf(field.selectionSet, field)
  const store = await queue.toEnqueue(Array.from(payloads, (payload) => ({ job: type, payload, options })))
  return async () => (await store()).map(view)
}

/** Rejects with a Problem, or with what the queue says to options that are wrong. Changes nothing. */
export async function planField(
  queue: JobQueue,
  operation: 'query' | 'mutation',
  field: FieldNode,
  values: Values,
): Promise<Step> {
  const plans = operation === 'query' ? QUERIES : MUTATIONS
  const { value: name } = field.name
  const plan = Object.hasOwn(plans, name) ? plans[name] : undefined
  if (plan === undefined) throw unknown(`field of ${operation}`, name, Object.keys(plans), field)
  return plan(queue, field, values)
}

function listOptions({ where, orderBy }: Given): ListOptions {
  return {
    ...(where === undefined ? {} : { where: whereOf(where, 'where') }),
    ...(orderBy === undefined ? {} : { orderBy: orderOf(orderBy, 'orderBy') }),
  }
}

interface Page {
  readonly jobs: readonly Job[]
  readonly cursors: readonly string[]
  readonly isMore: boolean
}

/** One page. What is asked for is checked at once. */
function pageOf(list: JobList, { limit = USUAL_LIMIT, offset = 0, after = null }: Given): () => Promise<Page> {
  const isCount = (value: unknown, least: number, most: number): value is number =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
  if (!isCount(limit, 1, MOST_LIMIT))
    throw new Problem(`Expected \`limit\` to be an integer from 1 to ${MOST_LIMIT}`, 'limit', limit)
  if (!isCount(offset, 0, 1e9)) throw new Problem('Expected `offset` to be an integer from 0 to 1e9', 'offset', offset)
  const pageAfter = (size: number, from: unknown): ReturnType<JobList['toPage']> =>
    list.toPage({ size, ...(from === null ? {} : { after: from as string }) })
  let ask = pageAfter(limit, after)
  return async () => {
    let from = after
    for (let left = offset; left > 0; left -= MOST_LIMIT) {
      from = (await pageAfter(Math.min(left, MOST_LIMIT), from)()).cursor
      if (from === null) return { jobs: [], cursors: [], isMore: false }
      ask = pageAfter(limit, from)
    }
    const { jobs, cursors, cursor } = await ask()
    return { jobs, cursors, isMore: cursor !== null }
  }
}

/** `edges` and `pageInfo`; `null` when the field asks for jobs themselves. */
function connectionOf(field: FieldNode): ((page: Page) => unknown) | null {
  const parts = field.selectionSet === undefined ? [] : selected(field.selectionSet)
  if (!parts.some(({ name }) => name === 'edges' || name === 'pageInfo')) return null
  const readers = parts.map(({ key, name, node, within }) => {
    if (within === undefined) throw new Problem(`Expected fields of \`${name}\` in braces`, node)
    if (name === 'edges') return [key, edgesOf(within)] as const
    if (name === 'pageInfo') return [key, pageInfoOf(within)] as const
    throw unknown('field', name, ['edges', 'pageInfo'], node)
  })
  return (page) => Object.fromEntries(readers.map(([key, read]) => [key, read(page)]))
}

type Selection = NonNullable<FieldNode['selectionSet']>

function edgesOf(set: Selection): (page: Page) => unknown {
  const readers = selected(set).map(({ key, name, node, within }) => {
    if (name === 'cursor') return [key, ({ cursors }: Page, at: number) => cursors[at]] as const
    if (name !== 'node') throw unknown('field', name, ['cursor', 'node'], node)
    const view = viewOf(within, node)
    return [key, ({ jobs }: Page, at: number) => view(jobs[at] as Job)] as const
  })
  return (page) => page.jobs.map((_job, at) => Object.fromEntries(readers.map(([key, read]) => [key, read(page, at)])))
}

function pageInfoOf(set: Selection): (page: Page) => unknown {
  const readers = selected(set).map(({ key, name, node }) => {
    if (name === 'hasNextPage') return [key, ({ isMore }: Page): unknown => isMore] as const
    if (name === 'endCursor') return [key, ({ cursors }: Page): unknown => cursors.at(-1) ?? null] as const
    throw unknown('field', name, ['hasNextPage', 'endCursor'], node)
  })
  return (page) => Object.fromEntries(readers.map(([key, read]) => [key, read(page)]))
}

function scopeOf(field: FieldNode, values: Values): PauseScope {
  const given = argumentsOf(field, [['all'], ['type', 'jobType'], ['queueName']], values)
  noFields(field)
  return given as unknown as PauseScope
}

function noFields(field: FieldNode): void {
  if (field.selectionSet !== undefined) throw new Problem(`\`${field.name.value}\` has no fields`, field)
}

function orNull(job: Job | null | undefined, view: View): unknown {
  return job ? view(job) : null
}
