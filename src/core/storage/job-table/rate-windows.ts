import type { ClaimRequest } from '../contract.ts'
import type { GroupRow } from './rows.ts'

export type RateWindow = NonNullable<GroupRow['window']>

/** How far the moments of one host's clocks, read one after the other, may seem to be apart. ms */
const SLACK = 10

interface Seen {
  readonly window: RateWindow
  /** By the time of this handle. */
  readonly ends: number
}

type Look = Pick<ClaimRequest, 'requestId' | 'session' | 'now' | 'monotonic'>

/**
 * When rate windows end by the time of this handle, which is what passed on the monotonic clock of its claimers. The
 * moments in a window are its opener's. They are believed of the session that asks, and of others if they lie between two
 * looks of this handle; where those are further apart than the window is long, only of a session that is gone. A window that
 * cannot be dated so lasts its length from when it was first seen. So no clock that is wrong ends a window of others, nor
 * keeps its own from ending. [rates]
 */
export class RateWindows {
  /** Of the latest look; it never goes back. */
  #time = -Infinity
  /** Of the look before. */
  #before = -Infinity
  #look: Look | undefined
  /** Of each group the latest two: that of its row, and the one before it, or one that was taken back and may return. */
  readonly #seen = new Map<string, readonly Seen[]>()
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
    const seen = window === null ? undefined : this.#find(key, window)
    if (seen === undefined && (window !== null || this.#seen.has(key))) this.#unseen.set(key, window)
    else this.#unseen.delete(key)
    if (seen !== undefined) this.#keep(key, seen)
  }

  /** Forgets the groups that have no row; of those that no look has seen yet, it is told afterwards that they are gone. */
  retain(rows: ReadonlyMap<string, unknown>): void {
    for (const key of this.#seen.keys()) if (!rows.has(key)) this.#seen.delete(key)
  }

  /** When a window of which a look knows ends; until then it has no end. */
  ends(key: string, window: RateWindow): number {
    return this.#find(key, window)?.ends ?? Infinity
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
      else this.#see(key, window, look, isOpen)
    }
    this.#look = look
    const keys = [...this.#unseen.keys()]
    this.#unseen.clear()
    return keys
  }

  /** A window that the claim which looked last opens itself. */
  opens(key: string, window: RateWindow, lasts: number): void {
    this.#keep(key, { window, ends: this.#time + lasts })
  }

  #find(key: string, { since, until, by }: RateWindow): Seen | undefined {
    return this.#seen
      .get(key)
      ?.find(({ window }) => window.since === since && window.until === until && window.by === by)
  }

  #keep(key: string, seen: Seen): void {
    const [latest] = this.#seen.get(key) ?? []
    if (latest !== seen) this.#seen.set(key, latest === undefined ? [seen] : [seen, latest])
  }

  #timeOf({ now, monotonic }: Look): number {
    if (monotonic !== undefined) return Math.max(this.#time, monotonic)
    return this.#look === undefined ? now : this.timeAt(now)
  }

  #see(key: string, window: RateWindow, look: Look, isOpen: (session: string) => boolean): void {
    const { since, until, openedAt = since, by = '' } = window
    const age = look.now - openedAt
    const gap = this.#time - this.#before
    const isDated = by === look.session || (age <= gap + SLACK && (gap <= until - since || !isOpen(by)))
    this.#keep(key, { window, ends: this.#time + until - openedAt - (isDated && age > 0 ? age : 0) })
  }
}
