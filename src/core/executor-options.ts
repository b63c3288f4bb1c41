import { invalidOption } from './errors.ts'
import { byType, handlersByType } from './handlers.ts'
import { inline } from './inline-runner.ts'
import type { Intake } from './intake.ts'
import type { BoundHandler, JobDefinition } from './definition.ts'
import { anything, integerFrom, listOf, type Read, readOptions, type Span, spanToMs } from './options.ts'
import type { Runner } from './runner.ts'

export interface ExecutorOptions {
  /**
   * One handler per type, to be run in this thread. The executor claims these types and no others. Needed unless
   * `runner` is given.
   */
  readonly handlers?: readonly BoundHandler[]
  /** Runs the handlers in other threads, which have them: `workerThreads()`, `webWorkers()`. */
  readonly runner?: Runner
  /** With `runner`: the jobs whose handlers it is to have. Default: those that the queue was opened with. */
  readonly jobs?: readonly JobDefinition[]
  /** Jobs at once, from 1. Default 4. */
  readonly concurrency?: number
  /** Handed to every handler as `ctx.state`. Not with `runner`, whose threads make their own. */
  readonly state?: unknown
  /**
   * How long a handler may go on after its signal was aborted before its attempt is settled without it, from 0.
   * Default 1 s. A runner then ends its thread. A handler in this thread cannot be stopped from outside: its slot stays
   * taken until it ends.
   */
  readonly killGrace?: Span
}

/** The options of an executor, checked and complete. */
export interface ExecutorSettings {
  /** What it runs, by type. */
  readonly definitions: ReadonlyMap<string, JobDefinition>
  /** Where. */
  readonly runner: Runner
  readonly concurrency: number
  readonly state: unknown
  readonly killGrace: number
}

const DEFAULT_CONCURRENCY = 4
const DEFAULT_KILL_GRACE = 1000

const CHECKS = {
  handlers: anything,
  runner: checkRunner,
  jobs: anything,
  concurrency: /* @__PURE__ */ integerFrom(1),
  state: anything,
  killGrace: spanToMs,
}

type KnownJobs = Pick<Intake, 'known' | 'listed'>

export function executorSettings(options: unknown, intake: KnownJobs): ExecutorSettings {
  const given = readOptions('createExecutor', options, CHECKS, '')
  return {
    ...(given.runner === undefined ? workHere(given, intake) : workElsewhere(given, given.runner, intake)),
    concurrency: given.concurrency ?? DEFAULT_CONCURRENCY,
    state: given.state,
    killGrace: given.killGrace ?? DEFAULT_KILL_GRACE,
  }
}

type Given = Read<typeof CHECKS>
type Work = Pick<ExecutorSettings, 'definitions' | 'runner'>

function workHere({ handlers: given, jobs }: Given, intake: KnownJobs): Work {
  if (jobs !== undefined) throw invalidOption('jobs', 'given together with `runner`', jobs)
  const handlers = handlersByType('handlers', given, intake)
  const definitions = [...handlers].map(([type, { definition }]) => [type, definition] as const)
  return { definitions: new Map(definitions), runner: inline(handlers) }
}

function workElsewhere({ handlers, state, jobs }: Given, runner: Runner, intake: KnownJobs): Work {
  if (handlers !== undefined) throw invalidOption('handlers', 'absent when `runner` is given: it has its own', handlers)
  if (state !== undefined) throw invalidOption('state', 'absent when `runner` is given: its threads make theirs', state)
  const rule = 'an array of at least one definition, whose handlers the runner has'
  const known = listOf('jobs', jobs ?? intake.listed(), (at, job) => intake.known(at, job), rule, 1)
  return { definitions: byType('jobs', known), runner }
}

function checkRunner(field: string, value: unknown): Runner {
  if (typeof (Object(value) as Partial<Runner>).open === 'function') return value as Runner
  throw invalidOption(field, 'a runner, for instance workerThreads()', value)
}
