import { watchPage } from './page-life.ts'
import type { Channel, Platform } from './platform.ts'

export interface BroadcastHintsOptions {
  /** Of the IndexedDB database; each has a channel of its own. */
  readonly database: string
  readonly platform: Platform
}

/** The one message there is. Other versions may say other things, in the same words never. */
const GREW = 'holdfast 1: the log grew'

/**
 * Tells the other handles of a database, in this page and in others, that its log has grown. Messages may be lost, and
 * where there is no BroadcastChannel all are: they make it prompt, the looks of the log make it certain.
 * [tests/adapters/indexeddb/hints.test.ts]
 *
 * While the page is away the channel is closed: an open one keeps pages out of the back/forward cache.
 */
export class BroadcastHints {
  readonly #platform: Platform
  readonly #name: string
  #channel: Channel | null = null
  #stopWatching: () => void = () => undefined
  #listener: () => void = () => undefined

  constructor({ database, platform }: BroadcastHintsOptions) {
    this.#platform = platform
    this.#name = `holdfast:${database}`
  }

  open(): void {
    this.close()
    this.#channel = this.#connect()
    this.#stopWatching = watchPage(
      this.#platform,
      () => this.#disconnect(),
      () => {
        this.#channel = this.#connect()
        // Whatever was told meanwhile was not heard.
        this.#listener()
      },
    )
  }

  close(): void {
    this.#stopWatching()
    this.#disconnect()
  }

  /** The log has grown: to be called once that is durable enough for others to read it. */
  tell(): void {
    try {
      this.#channel?.postMessage(GREW)
    } catch {
      // A channel that the browser has closed loses hints, and nothing else.
    }
  }

  /** One listener at a time. Returns what ends it. */
  listen(listener: () => void): () => void {
    this.#listener = listener
    return () => {
      if (this.#listener === listener) this.#listener = (): void => undefined
    }
  }

  #connect(): Channel | null {
    const { BroadcastChannel } = this.#platform
    if (BroadcastChannel === undefined) return null
    try {
      const channel = new BroadcastChannel(this.#name)
      channel.onmessage = ({ data }) => {
        if (data === GREW) this.#listener()
      }
      channel.unref?.()
      return channel
    } catch {
      // Pages without an origin of their own may not have one.
      return null
    }
  }

  #disconnect(): void {
    this.#channel?.close()
    this.#channel = null
  }
}
