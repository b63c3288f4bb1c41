import type { Job } from '../../../core/job.ts'
import { anything, callable, name, readOptions } from '../../../core/options.ts'
import type { JobQueue } from '../../../core/queue.ts'
import { guarded } from '../../../core/thenable.ts'
import type { PagePlatform, WorkerRegistration } from './platform.ts'
import { SYNC_TAG, wakeMessage } from './wake-message.ts'

type PageQueue = Pick<JobQueue, 'on' | 'list' | 'environment'>

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

/**
 * Called once by a page: has the service worker drain the queue, also after the page was closed. When a job that
 * requires `online` is stored, it registers a Background Sync; whether the browser has that is found out by trying.
 * Where it has not, the service worker gets a message. At once, when the platform goes online and when the page becomes
 * visible, it gets both, if such a job waits.
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
    options.queue.on('enqueued', ({ job }) => {
      if (requiresNetwork(job)) bell.ring()
    }),
    () => bell.stop(),
    () => platform.removeEventListener?.('online', look),
    () => platform.document?.removeEventListener('visibilitychange', seen),
  ]
  platform.addEventListener?.('online', look)
  platform.document?.addEventListener('visibilitychange', seen)
  look()
  return () => {
    for (const end of ends) end()
  }
}

/** Calls the service worker. Calls while it is being called become one more call after that. */
class Bell {
  readonly #options: BackgroundSyncOptions
  readonly #worker: Promise<WorkerRegistration | undefined>
  #ringing = false
  /** What was asked for meanwhile. */
  #next: 'nothing' | 'ring' | 'look' = 'nothing'
  #stopped = false

  constructor(options: BackgroundSyncOptions, { navigator }: PagePlatform) {
    this.#options = options
    this.#worker = Promise.resolve(options.registration ?? navigator?.serviceWorker?.ready)
    // It is told to whoever rings.
    this.#worker.catch(() => undefined)
  }

  /** A job was stored. */
  ring(): void {
    this.#ask(this.#next === 'look' ? 'look' : 'ring')
  }

  /** There may be jobs from before. */
  look(): void {
    this.#ask('look')
  }

  stop(): void {
    this.#stopped = true
  }

  #ask(next: 'ring' | 'look'): void {
    this.#next = next
    if (this.#ringing) return
    this.#ringing = true
    guarded(() => this.#work(), this.#options.queue.environment.report)
  }

  async #work(): Promise<void> {
    try {
      // What is stored in one turn is one call.
      await Promise.resolve()
      while (this.#next !== 'nothing' && !this.#stopped) {
        const next = this.#next
        this.#next = 'nothing'
        await this.#call(next === 'look')
      }
    } finally {
      this.#ringing = false
    }
  }

  async #call(looking: boolean): Promise<void> {
    const { queue, tag = SYNC_TAG, onAsked } = this.#options
    if (looking && !(await waitsForNetwork(queue))) return
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

async function waitsForNetwork(queue: PageQueue): Promise<boolean> {
  const where = { status: { in: ['pending', 'scheduled'] } }
  for await (const job of queue.list({ where })) if (requiresNetwork(job)) return true
  return false
}

function requiresNetwork({ requires }: Job): boolean {
  return requires.includes('online')
}
