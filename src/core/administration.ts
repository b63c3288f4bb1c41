import { invalidOption } from './errors.ts'
import { type Job, toJob } from './job.ts'
import { JobList } from './listing.ts'
import {
  anything,
  integerFrom,
  listOf,
  longName,
  type Moment,
  momentToMs,
  name,
  type Priority,
  priorityToNumber,
  readable,
  readOptions,
} from './options.ts'
import { checkedJson } from './payload.ts'
import type { Cleanup } from './pruner.ts'
import type { QueueCore } from './queue-core.ts'
import type { Amendment, ErrorData, PauseScope, SessionRecord } from './storage/contract.ts'
import { isObject } from './storage/plain.ts'
import { tellTaken } from './telling.ts'

/** An executor at work, here or elsewhere, as the storage knows it. Moments are epoch ms, spans ms. */
export interface Session extends Omit<SessionRecord, 'ended'> {
  /** There is proof that its process or page is gone: its jobs are about to be taken back. */
  readonly ended: boolean
  /** Whether it belongs to an executor of this queue. */
  readonly own: boolean
  /** The ids of the jobs it runs. */
  readonly holds: readonly string[]
}

/** What `reschedule` changes; what is omitted stays. */
export interface RescheduleOptions {
  readonly runAt?: Moment
  readonly priority?: Priority
  /** From 0. Counted from the job's first failure, as ever. */
  readonly maxRetries?: number
}

/** Amendments that are told as events, as outcomes are. */
const ENDS: readonly unknown[] = ['cancel', 'complete', 'fail', 'forceRelease'] satisfies Amendment['kind'][]

/**
 * Steering by hand, the part of a queue that operators use. Each call answers what it changed; jobs that are unknown, or
 * in a state that the call does not touch, stay as they are and are missing from the answer. None touches a running job
 * but `cancel` and `forceRelease`.
 */
export abstract class Administration {
  /** Throws once the queue is closed. @internal */
  protected abstract open(): QueueCore

  /**
   * A waiting job is cancelled at once. A running one gets its signal aborted, in this context now, elsewhere with its
   * next heartbeat, and is cancelled when its handler ends, unless it completes all the same. Answers the job as it is
   * then, `null` when there was nothing to cancel.
   */
  async cancel(id: string, reason?: string): Promise<Job | null> {
    return this.toCancel(id, reason)()
  }

  /** As each that begins with `to`: a call in two. What is wrong with it is thrown at once, what it answers does it. @internal */
  toCancel(id: string, reason = 'cancelled'): () => Promise<Job | null> {
    const batch = [{ kind: 'cancel', id: name('id', id), reason: checkReason(reason) }] as const
    return async () => {
      const [job] = await this.#amend(batch)
      if (job?.status === 'running') for (const executor of this.open().executors) executor.cancel(id, reason)
      return job ?? null
    }
  }

  /** Failed, cancelled or waiting jobs become due now, their counters at 0, history and fence kept. */
  async retry(ids: readonly string[]): Promise<readonly Job[]> {
    return this.toRetry(ids)()
  }

  /** @internal */
  toRetry(ids: readonly string[]): () => Promise<readonly Job[]> {
    const all = checkIds(ids)
    return async () => {
      const runAt = this.open().environment.now()
      return this.#awaken(await this.#amend(all.map((id) => ({ kind: 'requeue', id, runAt, delay: null }))))
    }
  }

  /** Waiting jobs get another moment, priority or number of retries. At least one has to be given. */
  async reschedule(ids: readonly string[], options: RescheduleOptions): Promise<readonly Job[]> {
    const checks = { runAt: momentToMs, priority: priorityToNumber, maxRetries: integerFrom(0) }
    const given = readOptions('reschedule', options, checks)
    if (Object.keys(given).length === 0)
      throw invalidOption('reschedule', 'given `runAt`, `priority` or `maxRetries`', options)
    return this.#awaken(await this.#amend(checkIds(ids).map((id) => ({ kind: 'reschedule', id, ...given }))))
  }

  /** Waiting, failed or cancelled jobs are completed without being run. `result`: JSON, default `null`. */
  async complete(ids: readonly string[], options: { result?: unknown } = {}): Promise<readonly Job[]> {
    const { result = null } = readOptions('complete', options, { result: anything })
    const json = checkedJson('result', result, this.open().payloadLimit)
    return this.#amend(checkIds(ids).map((id) => ({ kind: 'complete', id, result: json })))
  }

  /** Waiting or cancelled jobs are failed for good, with `HOLDFAST_FAILED_BY_HAND` and this reason. */
  async fail(ids: readonly string[], reason: string): Promise<readonly Job[]> {
    const message = checkReason(reason)
    const error: ErrorData = { name: 'HoldfastError', code: 'HOLDFAST_FAILED_BY_HAND', message }
    return this.#amend(checkIds(ids).map((id) => ({ kind: 'fail', id, error })))
  }

  /**
   * Removes jobs that do not run, or the waiting or failed holder of a key; a running holder loses the key, goes on and
   * is not retried. Answers the removed ones as they were last, a running one as it is now.
   */
  async remove(which: readonly string[] | { readonly jobKey: string }): Promise<readonly Job[]> {
    return this.toRemove(which)()
  }

  /** @internal */
  toRemove(which: readonly string[] | { readonly jobKey: string }): () => Promise<readonly Job[]> {
    const batch = readable('remove', which, () =>
      Array.isArray(which) ? checkIds(which).map((id) => ({ kind: 'remove', id }) as const) : [ofKey(which)],
    )
    return () => this.#amend(batch)
  }

  /**
   * Ends sessions, whatever their state: what they run waits again at once and counts as interrupted. A session that
   * lives after all learns of it with its next heartbeat, and what its handlers still do counts for nothing. Answers the
   * jobs that were taken back.
   */
  async forceRelease(sessions: readonly string[]): Promise<readonly Job[]> {
    return this.#awaken(
      await this.#amend(checkIds(sessions, 'sessions').map((session) => ({ kind: 'forceRelease', session }))),
    )
  }

  /** What executors do now and then, now: fails jobs whose time is up and removes finished ones by retention. */
  async cleanup(): Promise<Cleanup> {
    return this.open().pruner.prune()
  }

  /** The executors at work on this storage, in all processes and tabs, the oldest first. */
  async sessions(): Promise<readonly Session[]> {
    const { storage, executors } = this.open()
    const holds = new Map<string, string[]>()
    for await (const { id, session } of new JobList(() => this.open(), { where: { status: { eq: 'running' } } }))
      holds.set(session ?? '', [...(holds.get(session ?? '') ?? []), id])
    const own = new Set(Array.from(executors, ({ session }) => session))
    const records = [...(await storage.sessions())].sort((a, b) => a.epoch - b.epoch)
    return records.map((record) => ({
      ...record,
      ended: record.ended === true,
      own: own.has(record.id),
      holds: holds.get(record.id) ?? [],
    }))
  }

  /**
   * Nothing of `scope` is started any more, by whatever executor, until it is resumed: `{ all: true }`, `{ type }` or
   * `{ queueName }`. Stored, so it outlives a restart; running jobs go on. False when it was paused already. To pause
   * one executor alone there is `executor.pause()`.
   */
  async pause(scope: PauseScope): Promise<boolean> {
    return this.toPause(scope, true)()
  }

  /** Ends a pause of this very scope; others go on. False when there was none. */
  async resume(scope: PauseScope): Promise<boolean> {
    return this.toPause(scope, false)()
  }

  /** @internal */
  toPause(scope: PauseScope, paused: boolean): () => Promise<boolean> {
    const checked = checkScope(paused ? 'pause' : 'resume', scope)
    return async () => this.open().storage.pause({ scope: checked, paused })
  }

  /** What is paused now. */
  async pauses(): Promise<readonly PauseScope[]> {
    return this.open().storage.pauses()
  }

  async #amend(batch: readonly Amendment[]): Promise<readonly Job[]> {
    const { storage, environment, events } = this.open()
    const now = environment.now()
    const answers = await storage.amend({ batch, now })
    const changed = answers.map(({ verdict, jobs }) => (verdict === 'ok' ? jobs : []))
    for (const [at, jobs] of changed.entries())
      if (ENDS.includes(batch[at]?.kind)) for (const job of jobs) tellTaken(events, job, now)
    return changed.flat().map((record) => toJob(record, now))
  }

  /** Executors of this context need no hint of what has become due. */
  #awaken(jobs: readonly Job[]): readonly Job[] {
    const types = jobs.map(({ type }) => type)
    for (const executor of this.open().executors) executor.wake(types)
    return jobs
  }
}

function checkIds(ids: unknown, field = 'ids'): readonly string[] {
  return listOf(field, ids, name, 'an array of ids')
}

function ofKey(which: unknown): Amendment {
  if (!isObject(which)) throw invalidOption('remove', 'an array of ids, or { jobKey }', which)
  const { jobKey = longName('remove.jobKey', undefined) } = readOptions('remove', which, { jobKey: longName })
  return { kind: 'removeKey', jobKey }
}

function checkReason(reason: unknown): string {
  return name('reason', reason, 1000)
}

function checkScope(call: string, scope: unknown): PauseScope {
  const checks = { all: onlyTrue, type: name, queueName: longName }
  const given = readOptions(call, scope, checks)
  if (Object.keys(given).length === 1) return given as PauseScope
  throw invalidOption(call, 'given one of `all`, `type` and `queueName`', scope)
}

function onlyTrue(field: string, value: unknown): true {
  if (value === true) return true
  throw invalidOption(field, 'true or absent', value)
}
