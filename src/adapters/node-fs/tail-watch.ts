/** Between looks at the file, ms: short while something happens, longer the longer nothing does. */
const BUSY = 5
const IDLE = 250

/**
 * Tells when the journal may have grown. The platform's notifications are a hint that makes it prompt; the looks are
 * what is certain.
 */
export class TailWatch {
  readonly #watchFolder: (changed: () => void) => () => void
  readonly #hasGrown: () => boolean
  #delay = BUSY
  #timer: NodeJS.Timeout | undefined

  constructor(watchFolder: (changed: () => void) => () => void, hasGrown: () => boolean) {
    this.#watchFolder = watchFolder
    this.#hasGrown = hasGrown
  }

  start(listener: () => void): () => void {
    const stopHints = this.#hints(() => this.#look(listener))
    this.#lookAgain(listener)
    return () => {
      stopHints()
      clearTimeout(this.#timer)
    }
  }

  /** A system that gives no hints (it has only so many to give) costs promptness. */
  #hints(changed: () => void): () => void {
    try {
      return this.#watchFolder(changed)
    } catch {
      return () => undefined
    }
  }

  /** One that fails is reported by the exchange that it leads to, and is no reason to hurry: it may fail for an hour. */
  #look(listener: () => void): void {
    try {
      if (!this.#hasGrown()) return
      this.#delay = BUSY
    } catch {
      // Told as growth is.
    }
    listener()
  }

  #lookAgain(listener: () => void): void {
    this.#timer = setTimeout(() => {
      this.#delay = Math.min(IDLE, 2 * this.#delay)
      this.#look(listener)
      this.#lookAgain(listener)
    }, this.#delay)
    // A queue that is only looked at keeps no process alive.
    this.#timer.unref()
  }
}
