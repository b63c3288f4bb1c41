import type { Presence } from '../../core/storage/log.ts'
import { watchPage } from './page-life.ts'
import type { Locks, Platform } from './platform.ts'

export interface WebLockPresenceOptions {
  /** Of the IndexedDB database: locks of other databases are left alone. */
  readonly database: string
  /** Unique among all handles that ever open the database. */
  readonly writer: string
  readonly platform: Platform
}

/** Between looks for sessions whose lock is not waited for yet, ms; `look` brings one forward. */
const LOOK = 500

/** How long the own lock is waited for, ms. Nobody else asks for it, so only a browser in trouble takes so long. */
const LONGEST_WAIT = 1000

/**
 * Each handle holds a Web Lock of a name that nobody else ever holds, and waits for the locks of all others. The browser
 * releases a lock when its page or worker is gone, crashed ones too, and this class releases it when the page may stand
 * still: so who is granted another's lock has the proof that what was opened under that name is over. A lock that is
 * held proves nothing. [tests/adapters/indexeddb/presence.test.ts] [tests/browser/presence.engines.test.ts]
 *
 *     open ──▶ holds a name ──pagehide, freeze──▶ away ──pageshow, resume──▶ holds a new name ──▶ …
 *
 * Without Web Locks (insecure origins) nobody is proven to be over, and silence decides.
 */
export class WebLockPresence implements Presence {
  readonly #platform: Platform
  readonly #prefix: string
  readonly #own: string
  #names = 0
  #self: string | undefined
  #naming: Promise<void> | null = null
  /** Ends all that is held and waited for while the page is not away; `null` while it is. */
  #stay: AbortController | null = null
  #stopWatching: () => void = () => undefined
  /** Names whose lock is waited for. */
  readonly #waiting = new Set<string>()
  readonly #over = new Set<string>()
  #others: () => Iterable<unknown> = () => []
  #found: () => void = () => undefined

  constructor({ database, writer, platform }: WebLockPresenceOptions) {
    this.#platform = platform
    this.#prefix = `holdfast:${database}:`
    this.#own = `${this.#prefix}${writer}.`
  }

  /**
   * The name whose lock this handle holds. While the page is away it is the name of before, so that what is still written
   * tells others the truth; when it comes back, none until the new one is held.
   */
  get self(): unknown {
    return this.#self
  }

  get naming(): Promise<void> | null {
    return this.#naming
  }

  /**
   * Resolves when the own name is held, or cannot be: a name that is not held yet must not be in a session. Called again,
   * as after an opening of the log that failed, it takes another name.
   */
  open(): Promise<void> {
    this.#stopWatching()
    this.#stopWatching = watchPage(
      this.#platform,
      () => this.#leave(),
      () => void this.#takeName(),
    )
    return this.#takeName()
  }

  /** Releases the own name, and waits for nobody any more. */
  close(): Promise<void> {
    this.#stopWatching()
    this.#leave()
    this.#self = undefined
    return Promise.resolve()
  }

  isOver(process: unknown): boolean {
    return typeof process === 'string' && this.#over.has(process)
  }

  watch(others: () => Iterable<unknown>, found: () => void): () => void {
    this.#others = others
    this.#found = found
    let timer: unknown
    const look = (): void => {
      this.look()
      timer = this.#platform.setTimeout(look, LOOK)
    }
    look()
    return () => {
      this.#platform.clearTimeout(timer)
      this.#others = (): readonly [] => []
      this.#found = (): void => undefined
    }
  }

  /** Waits for the locks of those it does not know yet. For whoever has just read new sessions. */
  look(): void {
    const locks = this.#platform.navigator?.locks
    const stay = this.#stay
    if (locks === undefined || stay === null) return
    const named = this.#named()
    // Their sessions are gone, so nobody needs the proof any more.
    for (const name of this.#over) if (!named.has(name)) this.#over.delete(name)
    for (const name of named)
      if (!this.#over.has(name) && !this.#waiting.has(name)) void this.#wait(name, locks, stay.signal)
  }

  /** Shared, so that a page that was granted it and stands still keeps nobody else from learning the same. */
  async #wait(name: string, locks: Locks, signal: AbortSignal): Promise<void> {
    this.#waiting.add(name)
    try {
      await locks.request(name, { mode: 'shared', signal }, () => undefined)
      this.#waiting.delete(name)
      if (!this.#named().has(name)) return
      this.#over.add(name)
      this.#found()
    } catch {
      // The page left, or the browser will not have it; the next look asks again.
      this.#waiting.delete(name)
    }
  }

  /** Those of the others that mean something here. Own names of before prove nothing: this handle lives. */
  #named(): ReadonlySet<string> {
    const named = new Set<string>()
    for (const name of this.#others())
      if (typeof name === 'string' && name.startsWith(this.#prefix) && !name.startsWith(this.#own)) named.add(name)
    return named
  }

  #takeName(): Promise<void> {
    let timer: unknown
    const naming = Promise.race([
      this.#enter(),
      new Promise<void>((resolve) => (timer = this.#platform.setTimeout(resolve, LONGEST_WAIT))),
    ]).then(() => {
      this.#platform.clearTimeout(timer)
      if (this.#naming === naming) this.#naming = null
    })
    this.#naming = naming
    return naming
  }

  /** Resolves when the new name is held, or will not be. */
  #enter(): Promise<void> {
    const locks = this.#platform.navigator?.locks
    this.#self = undefined
    this.#stay?.abort()
    const stay = new AbortController()
    this.#stay = stay
    return new Promise((resolve) => {
      if (locks === undefined) return resolve()
      const name = `${this.#own}${++this.#names}`
      const hold = (): Promise<void> | undefined => {
        if (stay.signal.aborted) return undefined
        this.#self = name
        resolve()
        this.look()
        return new Promise((release) => stay.signal.addEventListener('abort', () => release()))
      }
      const ended = (): void => {
        // Taken from it while the page is here: by `steal`, or the browser gave up. The others see it as over.
        if (!stay.signal.aborted && this.#self === name) this.#self = undefined
        resolve()
      }
      locks.request(name, { mode: 'exclusive', signal: stay.signal }, hold).then(ended, ended)
    })
  }

  #leave(): void {
    this.#stay?.abort()
    this.#stay = null
    this.#naming = null
  }
}
