import { callable, integerFrom, readOptions, type Span, spanFrom } from '../../core/options.ts'
import { invalidOption } from '../../core/errors.ts'
import type { OpenRunner, RunnerHost } from '../../core/runner.ts'
import { isObject } from '../../core/storage/plain.ts'
import { type Connect } from './port.ts'
import { Pool } from './pool.ts'

export interface ThreadsOptions<Thread, Purpose extends unknown[] = []> {
  /**
   * Starts one worker of the file that calls `exposeHandlers()`. Called again whenever one has to be replaced. The
   * address stands in the program, so that bundlers see it.
   */
  readonly spawn: (...purpose: Purpose) => Thread
  /**
   * How many threads, from 1. Default: as many as the machine has processors, and no more than the executor's
   * concurrency needs.
   */
  readonly size?: number
  /** How many jobs one thread runs at once, from 1. Default 1; more for handlers that mostly wait. */
  readonly jobsPerWorker?: number
  /** How long a worker may take from its spawn until it can run handlers, `setup()` included. Default `'10s'`. */
  readonly readyWithin?: Span
}

interface ThreadsSettings<Thread, Purpose extends unknown[]> {
  readonly spawn: (...purpose: Purpose) => Thread
  readonly size: number | undefined
  readonly jobsPerWorker: number
  readonly readyWithin: number
}

const READY_WITHIN = 10_000

const CHECKS = {
  spawn: callable,
  size: /* @__PURE__ */ integerFrom(1),
  jobsPerWorker: /* @__PURE__ */ integerFrom(1),
  readyWithin: /* @__PURE__ */ spanFrom(1),
}

/** Workers that were spawned for a runner. */
const spawned = /* @__PURE__ */ new WeakSet()

/** One worker for two threads would answer each with the results of the other. */
function spawnedOnce<Worker>(worker: Worker): Worker {
  if (!isObject(worker)) return worker
  if (spawned.has(worker)) throw invalidOption('spawn()', 'a worker that this call has started', worker)
  spawned.add(worker)
  return worker
}

/** @throws HOLDFAST_INVALID_OPTION */
export function threadsSettings<Thread, Purpose extends unknown[]>(
  what: string,
  options: ThreadsOptions<Thread, Purpose>,
): ThreadsSettings<Thread, Purpose> {
  const given = readOptions(what, options, CHECKS)
  const spawn = (given.spawn ?? callable(`${what}.spawn`, undefined)) as ThreadsOptions<Thread, Purpose>['spawn']
  return {
    spawn: (...purpose) => spawnedOnce(spawn(...purpose)),
    size: given.size,
    jobsPerWorker: given.jobsPerWorker ?? 1,
    readyWithin: given.readyWithin ?? READY_WITHIN,
  }
}

export interface Platform {
  readonly connect: Connect
  /** How many threads the machine runs at once. */
  readonly processors: number
  /** The executor has no more use for its threads. */
  readonly onClose?: () => void
}

/** `settings` for this executor. */
export function openPool(
  { size, jobsPerWorker, readyWithin }: ThreadsSettings<unknown, never[]>,
  { processors, ...platform }: Platform,
  host: RunnerHost,
): OpenRunner {
  const useful = Math.ceil(host.concurrency / jobsPerWorker)
  return new Pool({ host, ...platform, size: Math.min(size ?? processors, useful), jobsPerWorker, readyWithin })
}
