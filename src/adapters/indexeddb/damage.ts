import { quiet, quietly } from './quiet.ts'
import type { Handle } from './schema.ts'

/**
 * What stands in the stores and cannot be read, since somebody else wrote or removed it there. It is skipped, counted
 * once, and what is left of it is kept in `$damaged`, where people find it, before a snapshot replaces it.
 */
export class Damage {
  readonly #seen = new Set<string>()
  #fresh: (readonly [place: string, value: unknown])[] = []

  get count(): number {
    return this.#seen.size
  }

  /** @param place of the value, `<store>/<key>`; `undefined` for a value that is gone */
  add(place: string, value?: unknown): void {
    if (this.#seen.has(place)) return
    this.#seen.add(place)
    if (value !== undefined) this.#fresh.push([place, value])
  }

  /** Keeps what was found since. What cannot be kept now is tried again the next time. */
  async keep(handle: Handle): Promise<void> {
    if (this.#fresh.length === 0) return
    const kept = this.#fresh
    this.#fresh = []
    try {
      const transaction = quiet(handle.transaction('$damaged', 'readwrite', { durability: 'relaxed' }))
      for (const [place, value] of kept) quietly(transaction.store.put(value, place))
      await transaction.done
    } catch {
      this.#fresh.push(...kept)
    }
  }
}
