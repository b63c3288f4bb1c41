import type { ClaimRequest } from '../contract.ts'
import type { GroupRow } from './rows.ts'

export type RateWindow = NonNullable<GroupRow['window']>

/** How far the moments of one host's clocks, read one after the other, may seem to be apart. ms */
const SLACK = 10

interface Seen {
  readonly window: RateWindow
  /** By the time of this handle. */
  readonly ends: number
  /** The one before it, should this one be taken back. */
  readonly before?: Seen | undefined
}

type Look = Pick<ClaimRequest, 'requestId' | 'session' | 'now' | 'monotonic'>

/**
 * When rate windows end by the time of this handle, which is what passed on the monotonic clock of its claimers. The
 * moments in a window are its opener's: between two looks of this handle they can be checked, and what else they say is
 * believed only of a session that is gone or asks itself. A window that cannot be dated so lasts its length from when it
 * was first seen. So no clock that is wrong ends a window of others, nor keeps its own from ending. [rates]
 */
export class RateWindows {
  /** Of the latest look; it never goes back. */
  #time = -Infinity
  /** Of the look before. */
  #before = -Infinity
  #look: Look | undefined
  readonly #seen = new Map<string, Seen>()
  /** What changed since the latest look; `null`: it is gone. */
  readonly #unseen = new Map<string, RateWindow | null>()

  get time(): number {
    return this.#time
  }

  /** What the time would be at `now` if the wall clock was not set since the latest look. */
  timeAt(now: number): number {
    return this.#time + Math.max(0, now - (this.#look?.now ?? now))
  }

  /** To be called when the window of a group may be another one. */
  changed(key: string, window: RateWindow | null): void {
    if (window === null ? this.#seen.has(key) : this.ends(key, window) === Infinity) this.#unseen.set(key, window)
    else this.#unseen.delete(key)
  }

  /** When a window of which a look knows ends; until then it has no end. */
  ends(key: string, { openedAt, by }: RateWindow): number {
    for (let seen = this.#seen.get(key); seen !== undefined; seen = seen.before)
      if (seen.window.openedAt === openedAt && seen.window.by === by) return seen.ends
    return Infinity
  }

  isOver(key: string, window: RateWindow): boolean {
    return this.ends(key, window) <= this.#time
  }

  /** A claim looks: time goes on, and windows that were opened since the look before get their end. Returns their groups. */
  look(look: Look, isOpen: (session: string) => boolean): readonly string[] {
    const last = this.#look
    // Decided again, for having read or won nothing, it is the look it was.
    if (last?.requestId !== look.requestId) this.#before = this.#time
    this.#time = this.#timeOf(look)
    for (const [key, window] of this.#unseen) {
      if (window === null) this.#seen.delete(key)
      else this.#see(key, window, this.#openingOf(window, look, isOpen))
    }
    this.#look = look
    const keys = [...this.#unseen.keys()]
    this.#unseen.clear()
    return keys
  }

  /** A window that the claim which looked last opens itself. */
  opens(key: string, window: RateWindow): void {
    this.#see(key, window, this.#time)
  }

  #see(key: string, window: RateWindow, openedAt: number): void {
    const before = this.#seen.get(key)
    const ends = openedAt + window.until - window.openedAt
    this.#seen.set(key, { window, ends, before: before && { window: before.window, ends: before.ends } })
  }

  #timeOf({ now, monotonic }: Look): number {
    if (monotonic !== undefined) return Math.max(this.#time, monotonic)
    return this.#look === undefined ? now : this.timeAt(now)
  }

  #openingOf(window: RateWindow, look: Look, isOpen: (session: string) => boolean): number {
    const { since, until, openedAt, by } = window
    const age = look.now - openedAt
    const gap = this.#time - this.#before
    const isDated = by === look.session || (gap > until - since ? !isOpen(by) : age <= gap + SLACK)
    return isDated && age > 0 ? this.#time - age : this.#time
  }
}
