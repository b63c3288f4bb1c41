import type { ServiceOptions } from './queue-core.ts'

export interface ReconnectionOptions extends Omit<ServiceOptions, 'session'> {
  /** Conditions may have changed, and what could not be claimed before may be now. */
  readonly claim: () => void
}

const BATCH = 1000

/**
 * Looks for work when the conditions change. When `online` is among them again, jobs that did not reach the network do
 * not sit out their delay, which may have grown to minutes: they are due at once.
 */
export class Reconnection {
  readonly #options: ReconnectionOptions
  readonly #unsubscribe: () => void
  #online: boolean

  constructor(options: ReconnectionOptions) {
    this.#options = options
    this.#online = this.#isOnline
    this.#unsubscribe = options.environment.onConditionsChange(() => this.#changed())
  }

  stop(): void {
    this.#unsubscribe()
  }

  get #isOnline(): boolean {
    return this.#options.environment.conditions().includes('online')
  }

  #changed(): void {
    const { claim, errors } = this.#options
    const before = this.#online
    this.#online = this.#isOnline
    claim()
    if (this.#online && !before) this.#retryUnreached().then(claim, errors.once)
  }

  async #retryUnreached(): Promise<void> {
    const { storage, environment } = this.#options
    const batch = [{ kind: 'retryUnreached', requires: 'online', limit: BATCH }] as const
    let woken: number
    do {
      const [answer] = await storage.amend({ batch, now: environment.now() })
      woken = answer?.jobs.length ?? 0
    } while (woken === BATCH)
  }
}
