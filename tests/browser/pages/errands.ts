import { defineJob, type Executor, fixed, type HandlerContext, HoldfastError, type JobQueue, openQueue } from 'holdfast'
import { indexedDb } from 'holdfast/indexeddb'
import type { Order, Report } from './ledger.ts'

/**
 * How long a tab must be silent before its jobs run elsewhere. Short, since silence is all that tells that a tab is
 * gone; a frozen tab is silent for longer than this now and then.
 */
const LEASE = '2s'

/** Changes after which a tab writes a snapshot: often, so that others are in the middle of something then. */
const SNAPSHOT_AFTER = 300

const errand = defineJob({
  type: 'errand',
  leaseDuration: LEASE,
  maxRetries: 1000,
  maxInterruptions: 1000,
  backoff: fixed('100ms'),
})

/** What a job says of itself: how long it takes, ms. */
export interface Errand {
  readonly takes: number
}

/** What is found in the database at the end. */
export interface Finding {
  readonly id: string
  readonly status: string
  readonly fence: number
}

/** A page or worker with its queue, which tells the server all that happens. */
export class ErrandContext {
  readonly #name: string
  readonly #queue: JobQueue
  readonly #executor: Executor

  private constructor(name: string, queue: JobQueue) {
    this.#name = name
    this.#queue = queue
    this.#executor = queue.createExecutor({
      concurrency: 8,
      handlers: [errand.handler((payload, context) => this.#run(payload as Errand, context))],
    })
    queue.on('completed', ({ job }) => this.#tellLater({ what: 'accepted', id: job.id, fence: job.fence }))
    queue.on('error', ({ error, service }) =>
      this.#tellLater({ what: 'problem', text: `${codeOf(error)} (${service})` }),
    )
    addEventListener('unhandledrejection', ({ reason }) => {
      this.#tellLater({ what: 'problem', text: `unhandled: ${codeOf(reason)}` })
    })
  }

  /** @param name names this life of this context, and no other */
  static async open(name: string): Promise<ErrandContext> {
    const storage = indexedDb({ name: 'errands', snapshotAfter: SNAPSHOT_AFTER })
    const retention = { completed: { maxCount: Infinity } }
    return new ErrandContext(name, await openQueue({ storage, jobs: [errand], retention }))
  }

  async start(): Promise<void> {
    await this.#executor.start()
  }

  /** Enqueues what the server orders until there is no more. */
  async enqueueOrders(): Promise<void> {
    for (;;) {
      const orders = JSON.parse(await this.#tellAgain({ what: 'asked' })) as readonly Order[] | null
      if (orders === null) return
      if (orders.length === 0) await sleep(50)
      else await this.#enqueue(orders)
    }
  }

  /** Runs what is left, and answers all that is there. */
  async finish(): Promise<readonly Finding[]> {
    await this.#queue.idle({ includeScheduled: true })
    const findings: Finding[] = []
    for await (const { id, status, fence } of this.#queue.list()) findings.push({ id, status, fence })
    await this.#queue.close()
    return findings
  }

  async #enqueue(orders: readonly Order[]): Promise<void> {
    const ids = orders.map(({ id }) => id)
    try {
      await this.#queue.enqueueMany(
        orders.map(({ id, errand: payload }) => ({ job: errand, payload, options: { id } })),
      )
    } catch (error) {
      await this.#tellAgain({ what: 'refused', ids, text: `${codeOf(error)} (enqueue)` })
      return
    }
    await this.#tellAgain({ what: 'acknowledged', ids })
  }

  async #run({ takes }: Errand, { job, fence, signal }: HandlerContext): Promise<void> {
    await this.#tell({ what: 'started', id: job.id, fence })
    await sleep(takes)
    // Whoever was told that the job is another's does not go on with it.
    signal.throwIfAborted()
    await this.#tell({ what: 'ended', id: job.id, fence })
  }

  /** A page that is about to go is told nothing any more: what it does not get through counts as not told. */
  #tellLater(report: Report): void {
    this.#tell(report).catch(() => undefined)
  }

  /** Until it is heard: requests that a page has under way when it is frozen may fail. Only what may be told twice. */
  async #tellAgain(report: Report): Promise<string> {
    for (;;) {
      try {
        return await this.#tell(report)
      } catch {
        await sleep(50)
      }
    }
  }

  async #tell(report: Report): Promise<string> {
    const response = await fetch('/report', {
      method: 'POST',
      body: JSON.stringify({ ...report, context: this.#name }),
    })
    return response.text()
  }
}

function codeOf(error: unknown): string {
  return HoldfastError.is(error) ? error.code : String(error)
}

function sleep(ms: number): Promise<void> {
  return ms === 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms))
}
