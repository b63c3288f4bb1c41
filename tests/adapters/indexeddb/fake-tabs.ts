import type { Channel, Events, Locks, Platform } from '../../../src/adapters/indexeddb/platform.ts'
import type { ManualClock } from '../../../src/testing/index.ts'

type Mode = 'exclusive' | 'shared'

interface LockRequest {
  readonly tab: FakeTab
  readonly name: string
  readonly mode: Mode
  /** Calls the callback; the lock is let go when that has ended. */
  readonly grant: () => void
}

/** What the tabs of one origin share: locks, granted in the order of requests, and channels. */
export class FakeOrigin {
  readonly channels: Set<FakeChannel> = new Set()
  readonly held: Set<LockRequest> = new Set()
  waiting: LockRequest[] = []

  tab(clock: ManualClock): FakeTab {
    return new FakeTab(this, clock)
  }

  /** Names of the locks that are held now. */
  get heldNames(): readonly string[] {
    return [...this.held].map(({ name }) => name)
  }

  ask(request: LockRequest): void {
    this.waiting.push(request)
    this.grantNext()
  }

  drop(isDropped: (request: LockRequest) => boolean): void {
    for (const request of this.held) if (isDropped(request)) this.held.delete(request)
    this.waiting = this.waiting.filter((request) => !isDropped(request))
    this.grantNext()
  }

  grantNext(): void {
    const passed = new Set<string>()
    for (const request of this.waiting) {
      const mayJoin = [...this.held].every(
        ({ name, mode }) => name !== request.name || (mode === 'shared' && request.mode === 'shared'),
      )
      if (!mayJoin || passed.has(request.name)) {
        passed.add(request.name)
        continue
      }
      this.waiting = this.waiting.filter((one) => one !== request)
      this.held.add(request)
      request.tab.run(() => {
        if (this.held.has(request)) request.grant()
      })
    }
  }
}

class Target implements Events {
  readonly #listeners: (readonly [type: string, listener: () => void])[] = []

  get listeners(): number {
    return this.#listeners.length
  }

  addEventListener(type: string, listener: () => void): void {
    this.#listeners.push([type, listener])
  }

  removeEventListener(type: string, listener: () => void): void {
    const at = this.#listeners.findIndex((one) => one[0] === type && one[1] === listener)
    if (at >= 0) this.#listeners.splice(at, 1)
  }

  fire(type: string): void {
    for (const [heard, listener] of [...this.#listeners]) if (heard === type) listener()
  }
}

/** A page as a browser would give it to the storage; the test freezes, caches, kills and shows it. */
export class FakeTab extends Target implements Platform {
  readonly origin: FakeOrigin
  readonly clock: ManualClock
  readonly document: Target & { visibilityState: string } = Object.assign(new Target(), { visibilityState: 'visible' })
  readonly navigator: { locks?: Locks }
  BroadcastChannel?: new (
    name: string,
  ) => Channel
  #standsStill = false
  #dead = false
  #later: (() => void)[] = []

  constructor(origin: FakeOrigin, clock: ManualClock) {
    super()
    this.origin = origin
    this.clock = clock
    this.navigator = { locks: { request: (...request) => this.#request(...request) } }
    this.BroadcastChannel = channelOf(this)
  }

  setTimeout(run: () => void, delay: number): unknown {
    return this.clock.startTimer(run, delay)
  }

  clearTimeout(cancel: unknown): void {
    ;(cancel as (() => void) | undefined)?.()
  }

  /** In a turn of this tab, as soon as it has one. */
  run(task: () => void): void {
    if (this.#dead) return
    if (this.#standsStill) this.#later.push(task)
    else queueMicrotask(task)
  }

  /** Hidden and frozen: the listeners' microtasks are run, then nothing is. */
  async freeze(): Promise<void> {
    this.#show('hidden')
    this.document.fire('freeze')
    await this.clock.settle()
    this.#standsStill = true
  }

  /** Stands still without having been told, as where the whole process is stopped. */
  stall(): void {
    this.#standsStill = true
  }

  resume(): void {
    this.#goOn()
    this.document.fire('resume')
    this.#show('visible')
  }

  /** The user goes to another page, and this one may be kept. */
  async leave(): Promise<void> {
    this.fire('pagehide')
    this.#show('hidden')
    await this.clock.settle()
    this.#standsStill = true
  }

  comeBack(): void {
    this.#goOn()
    this.#show('visible')
    this.fire('pageshow')
  }

  /** Without a word, as closed and crashed tabs: only the browser sees it. */
  die(): void {
    this.#dead = true
    for (const channel of this.origin.channels) if (channel.tab === this) channel.close()
    this.origin.drop(({ tab }) => tab === this)
  }

  get allListeners(): number {
    return this.listeners + this.document.listeners
  }

  #goOn(): void {
    this.#standsStill = false
    for (const task of this.#later.splice(0)) this.run(task)
  }

  #show(state: 'visible' | 'hidden'): void {
    this.document.visibilityState = state
    this.document.fire('visibilitychange')
    // The executor, which starts when the storage is open, comes after that to the same events.
    this.clock.setHidden(state === 'hidden')
  }

  #request(name: string, options: { mode: Mode; signal: AbortSignal }, callback: () => unknown): Promise<unknown> {
    if (name.startsWith('-')) return Promise.reject(new Error('NotSupportedError'))
    if (options.signal.aborted) return Promise.reject(new Error('AbortError'))
    return new Promise((resolve, reject) => {
      const drop = (): void => this.origin.drop((one) => one === request)
      const request: LockRequest = {
        tab: this,
        name,
        mode: options.mode,
        grant: () => {
          options.signal.removeEventListener('abort', abort)
          void Promise.resolve(callback()).then((value) => {
            drop()
            resolve(value)
          }, reject)
        },
      }
      const abort = (): void => {
        drop()
        reject(new Error('AbortError'))
      }
      options.signal.addEventListener('abort', abort)
      this.run(() => this.origin.ask(request))
    })
  }
}

class FakeChannel implements Channel {
  onmessage: Channel['onmessage'] = null
  readonly tab: FakeTab
  readonly #name: string

  constructor(tab: FakeTab, name: string) {
    this.tab = tab
    this.#name = name
    tab.origin.channels.add(this)
  }

  postMessage(message: unknown): void {
    const { channels } = this.tab.origin
    if (!channels.has(this)) throw new Error('InvalidStateError')
    for (const other of channels) {
      if (other === this || other.#name !== this.#name) continue
      other.tab.run(() => channels.has(other) && other.onmessage?.({ data: structuredClone(message) }))
    }
  }

  close(): void {
    this.tab.origin.channels.delete(this)
  }
}

function channelOf(tab: FakeTab): new (name: string) => Channel {
  return class extends FakeChannel {
    constructor(name: string) {
      super(tab, name)
    }
  }
}
