import type { Executor, ExecutorOptions } from '../core/executor.ts'
import { invalidOption, knownOptions } from '../core/errors.ts'
import type { BoundHandler, JobDefinition } from '../core/definition.ts'
import type { Job } from '../core/job.ts'
import { integerFrom, name, type Span } from '../core/options.ts'
import { type JobQueue, openQueue, type QueueOptions } from '../core/queue.ts'
import type { StorageAdapter } from '../core/storage/contract.ts'
import { MemoryStorage } from '../core/storage/memory-storage.ts'
import { ManualClock } from './manual-clock.ts'

type Definitions = readonly JobDefinition[]

export interface TestQueueOptions<Jobs extends Definitions>
  extends Omit<QueueOptions<Jobs>, 'storage' | 'environment'> {
  /** Default: a new one in memory. */
  readonly storage?: StorageAdapter
  /** What runs the jobs. Without handlers jobs are only stored. */
  readonly handlers?: readonly BoundHandler[]
  readonly concurrency?: number
  readonly state?: unknown
  /** Default: a new one. */
  readonly clock?: ManualClock
}

/** A queue for tests: in memory, with a clock that stands still. Its functions may be taken out of it. */
export interface TestQueue<Jobs extends Definitions> extends AsyncDisposable {
  readonly queue: JobQueue<Jobs>
  readonly clock: ManualClock
  /** Runs all jobs that are due now, and those they enqueue. Answers how many were run. */
  readonly drain: () => Promise<number>
  /** Lets time pass, running what becomes due on the way: `advance('2h')`. */
  readonly advance: (span: Span) => Promise<void>
  /** The jobs of a type, oldest first. */
  readonly jobs: (type: string) => Promise<readonly Job[]>
  /**
   * Closes the queue, also while handlers run: their signals are aborted at once, and the clock is moved on for those that
   * do not heed them, by their `killGrace`.
   */
  readonly close: () => Promise<void>
}

/** How far the clock is moved at once while handlers are waited for. ms */
const STEP = 100

const OPTIONS = [
  'storage',
  'handlers',
  'concurrency',
  'state',
  'clock',
  'jobs',
  'workersEnabled',
  'retention',
  'maxInterruptions',
  'payloadLimit',
  'binaryLimit',
  'logger',
]

/** Opens a queue for a test. The same options as `openQueue`, except that storage and clock have test defaults. */
export async function testQueue<const Jobs extends Definitions = Definitions>(
  options: TestQueueOptions<Jobs> = {},
): Promise<TestQueue<Jobs>> {
  knownOptions('testQueue', options, OPTIONS)
  const { handlers, concurrency, state, clock = new ManualClock(), storage = volatileStorage(), ...rest } = options
  if (concurrency !== undefined) integerFrom(1)('concurrency', concurrency)
  if (!((clock as unknown) instanceof ManualClock)) throw invalidOption('clock', 'a ManualClock', clock)
  const queue = await openQueue<Jobs>({ ...(rest as Omit<QueueOptions<Jobs>, 'storage'>), storage, environment: clock })
  const close = (): Promise<void> => closeBy(clock, queue, storage)
  let executor: Executor | null
  try {
    executor = handlers === undefined ? null : queue.createExecutor(executorOptions(handlers, concurrency, state))
  } catch (error) {
    await close()
    throw error
  }
  return {
    queue,
    clock,
    drain: () => drain(executor),
    advance: async (span) => {
      await executor?.start()
      await clock.advance(span)
    },
    jobs: async (type) => {
      const found: Job[] = []
      const where = { type: { eq: name('type', type) } }
      for await (const job of queue.list({ where, orderBy: { createdAt: 'asc' } })) found.push(job)
      return found
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Nobody else moves the clock for what a close waits for, while a test waits for the close. */
async function closeBy(clock: ManualClock, queue: JobQueue, storage: StorageAdapter): Promise<void> {
  const state = { closed: false }
  const closing = queue.close({ grace: 0 }).finally(() => (state.closed = true))
  closing.catch(() => undefined)
  await clock.settle()
  while (!state.closed) {
    // Where nothing runs it waits for the storage, to which this clock is nothing.
    const { running } = await storage.counts({ now: clock.now() }).catch(() => ({ running: 0 }))
    await (running > 0 ? clock.advance(STEP) : clock.settle())
  }
  return closing
}

function volatileStorage(): StorageAdapter {
  return new MemoryStorage({ name: 'test', payload: 'structured-clone' })
}

function executorOptions(
  handlers: readonly BoundHandler[],
  concurrency: number | undefined,
  state: unknown,
): ExecutorOptions {
  return { handlers, state, ...(concurrency === undefined ? {} : { concurrency }) }
}

async function drain(executor: Executor | null): Promise<number> {
  if (executor === null) throw invalidOption('handlers', 'given to testQueue() to drain jobs', undefined)
  return (await executor.processUntilIdle()).processed
}
