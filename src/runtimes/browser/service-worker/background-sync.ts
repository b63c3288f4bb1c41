import { anything, callable, name, readOptions } from '../../../core/options.ts'
import type { JobQueue } from '../../../core/queue.ts'
import { guarded } from '../../../core/thenable.ts'
import type { ChangeEvent } from '../../../core/watching.ts'
import type { PagePlatform, WorkerRegistration } from './platform.ts'
import { SYNC_TAG, wakeMessage } from './wake-message.ts'

type PageQueue = Pick<JobQueue, 'on' | 'events' | 'list' | 'environment'>

/** How the service worker was asked: by Background Sync, by a message, or not at all, since there is none. */
export type AskedBy = 'sync' | 'message' | 'nobody'

export interface BackgroundSyncOptions {
  readonly queue: PageQueue
  /** The service worker that drains. Default: the one of this page, once it is ready. */
  readonly registration?: WorkerRegistration | PromiseLike<WorkerRegistration>
  /** Default `SYNC_TAG`: `'holdfast'`. */
  readonly tag?: string
  /** Told each time how the service worker was asked. */
  readonly onAsked?: (by: AskedBy) => void
  /** What stands for the window. Default: the global object. */
  readonly platform?: PagePlatform
}

/** Jobs that are looked at in one list. */
const LOT = 50

/**
 * Called once by a page: has the service worker drain the queue, also after the page was closed. When a job that
 * requires `online` waits once something was stored, by whomever and by whatever (an enqueue, a chain, an automation,
 * `retry`, or an attempt of this page that is to be made again), it registers a Background Sync; whether the browser has that is found out
 * by trying. Where it has not, the service worker gets a message. At once, when the platform goes online and when the
 * page becomes visible, it gets both, if such a job waits.
 *
 * Returns the function that ends it; what is registered stays so.
 *
 * @throws HOLDFAST_INVALID_OPTION
 */
export function registerBackgroundSync(options: BackgroundSyncOptions): () => void {
  const checks = { queue: anything, registration: anything, tag: name, onAsked: callable, platform: anything }
  const given = readOptions('registerBackgroundSync', options, checks)
  const platform = (given.platform ?? globalThis) as PagePlatform
  const bell = new Bell(given as BackgroundSyncOptions, platform)
  const look = (): void => bell.look()
  const seen = (): void => {
    if (platform.document?.visibilityState === 'visible') bell.look()
  }
  const ends = [
    // Attempts of this page. After those of the service worker the browser fires again by itself, not at once.
    ...(['retrying', 'released', 'interrupted'] as const).map((event) =>
      options.queue.on(event, ({ job }) => bell.ring(job.id)),
    ),
    () => bell.stop(),
    () => platform.removeEventListener?.('online', look),
    () => platform.document?.removeEventListener('visibilitychange', seen),
  ]
  platform.addEventListener?.('online', look)
  platform.document?.addEventListener('visibilitychange', seen)
  guarded(() => bell.listen(), options.queue.environment.report)
  return () => {
    for (const end of ends) end()
  }
}

/** Calls the service worker. Calls while it is being called become one more call after that. */
class Bell {
  readonly #options: BackgroundSyncOptions
  readonly #worker: Promise<WorkerRegistration | undefined>
  #ringing = false
  /** Jobs that may wait for the network since something was stored. */
  readonly #stored = new Set<string>()
  /** Jobs that run anywhere: that they wait again is known to whoever ran them. */
  readonly #running = new Set<string>()
  /** There may be others from before. */
  #looks = false
  #stopped = false
  #changes: AsyncIterableIterator<ChangeEvent> | null = null

  constructor(options: BackgroundSyncOptions, { navigator }: PagePlatform) {
    this.#options = options
    this.#worker = Promise.resolve(options.registration ?? navigator?.serviceWorker?.ready)
    // It is told to whoever rings.
    this.#worker.catch(() => undefined)
  }

  /** Looks at once, and hears of what is stored from now on, by whomever. */
  async listen(): Promise<void> {
    const changes = (this.#changes = this.#options.queue.events())
    this.look()
    let next = changes.next()
    for (;;) {
      let change: IteratorResult<ChangeEvent> | null = await next
      // What came together is one call.
      while (change !== null && change.done !== true) {
        this.#hear(change.value)
        next = changes.next()
        change = await Promise.race([next, Promise.resolve(null)])
      }
      if (change !== null) return
      this.#ring()
    }
  }

  look(): void {
    this.#looks = true
    this.#ring()
  }

  ring(id: string): void {
    this.#stored.add(id)
    this.#ring()
  }

  stop(): void {
    this.#stopped = true
    void this.#changes?.return?.()
  }

  #hear(change: ChangeEvent): void {
    if (change.name === 'gap') this.#looks = true
    else if (change.name === 'started') this.#running.add(change.id)
    else if (change.name !== 'updated') {
      const ran = this.#running.delete(change.id)
      if (change.name === 'enqueued' || (change.name === 'waiting' && !ran)) this.#stored.add(change.id)
    }
  }

  #ring(): void {
    if (this.#ringing) return
    this.#ringing = true
    guarded(() => this.#work(), this.#options.queue.environment.report)
  }

  async #work(): Promise<void> {
    try {
      while ((this.#looks || this.#stored.size > 0) && !this.#stopped) {
        const looking = this.#looks
        const stored = [...this.#stored]
        this.#looks = false
        this.#stored.clear()
        await this.#call(looking, stored)
      }
    } finally {
      this.#ringing = false
    }
  }

  async #call(looking: boolean, stored: readonly string[]): Promise<void> {
    const { queue, tag = SYNC_TAG, onAsked } = this.#options
    if (!(await waitsForNetwork(queue, looking ? null : stored))) return
    const worker = await this.#worker
    if (this.#stopped) return
    const synced = await isRegistered(worker, tag)
    // A sync may come minutes after the network: who has the page before them should not wait for it.
    const told = (looking || !synced) && isTold(worker, tag)
    onAsked?.(synced ? 'sync' : told ? 'message' : 'nobody')
  }
}

async function isRegistered(worker: WorkerRegistration | undefined, tag: string): Promise<boolean> {
  try {
    if (worker?.sync === undefined) return false
    await worker.sync.register(tag)
    return true
  } catch {
    // Present and switched off, as in web views, or there is no active worker yet.
    return false
  }
}

function isTold(worker: WorkerRegistration | undefined, tag: string): boolean {
  worker?.active?.postMessage(wakeMessage(tag))
  return worker?.active != null
}

/** @param among the ids of the jobs in question; `null`: all */
async function waitsForNetwork(queue: PageQueue, among: readonly string[] | null): Promise<boolean> {
  const status = { in: ['pending', 'scheduled'] } as const
  for (let at = 0; at < (among?.length ?? 1); at += LOT) {
    const where = among === null ? { status } : { status, id: { in: among.slice(at, at + LOT) } }
    for await (const { requires } of queue.list({ where, payloads: false }))
      if (requires.includes('online')) return true
  }
  return false
}
