import type { Hint, Notifier } from './contract.ts'
import type { Log } from './log.ts'
import type { Replica } from './replica.ts'

/** What a replica learned, told to whoever listens: hints, by which nobody lives. */
export class LogHints implements Notifier {
  readonly #replica: Replica
  readonly #listeners = new Set<(hint: Hint) => void>()
  /** A process was found to be over since the last hint. */
  #ended = false

  constructor(replica: Replica) {
    this.#replica = replica
  }

  get isWanted(): boolean {
    return this.#listeners.size > 0
  }

  subscribe(listener: (hint: Hint) => void): () => void {
    this.#listeners.add(listener)
    this.#replica.observe(true)
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.#replica.observe(false)
    }
  }

  /** Looks after the processes that hold sessions; `over` hears first that one of them ended. Returns what ends it. */
  watchProcesses({ presence }: Log, over: () => void): () => void {
    const found = (): void => {
      over()
      this.#ended = true
      this.publish()
    }
    return presence?.watch(() => this.#processes(), found) ?? ((): void => undefined)
  }

  publish(): void {
    const replica = this.#replica
    const ready = replica.table.ready.takeGrown()
    const { changes, gap } = replica
    const ended = this.#ended
    replica.changes = []
    replica.gap = false
    this.#ended = false
    if (ready.length === 0 && changes.length === 0 && !gap && !ended) return
    const hint: Hint = { ready, changes, gap, ended }
    for (const listener of this.#listeners) listener(hint)
  }

  *#processes(): Generator {
    for (const { process } of this.#replica.table.tables.sessions.values()) if (process !== undefined) yield process
  }
}
