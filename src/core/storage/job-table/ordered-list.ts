const CHUNK = 512

/** Where a walk through a list stands. Void after the list changes. */
export interface Cursor<Item> {
  next(): Item | undefined
}

/**
 * Items in the order of `compare`, which must never answer 0 for two different items. Kept as sorted chunks of at most
 * 512, so that adding or removing one item moves a few hundred pointers whatever the length, and a million items weigh
 * about 10 MB.
 *
 * An item's sort fields must not change while it is in the list.
 */
export class OrderedList<Item> {
  readonly #compare: (a: Item, b: Item) => number
  /** None of them is empty, but for those at the front that are spent, and the last one of a list that was emptied. */
  readonly #chunks: Item[][] = []
  /** Chunks at the front that were emptied. They leave many at a time: each move of the others costs as much as they are. */
  #spent = 0
  #size: number

  /** `sorted`: items to begin with, in this order already. */
  constructor(compare: (a: Item, b: Item) => number, sorted: readonly Item[] = []) {
    this.#compare = compare
    this.#size = sorted.length
    for (let start = 0; start < sorted.length; start += CHUNK) this.#chunks.push(sorted.slice(start, start + CHUNK))
  }

  get size(): number {
    return this.#size
  }

  toArray(): Item[] {
    return ([] as Item[]).concat(...this.#chunks)
  }

  first(): Item | undefined {
    return this.#chunks[this.#spent]?.[0]
  }

  last(): Item | undefined {
    return this.#chunks.at(-1)?.at(-1)
  }

  /** The item before which `rank` others stand. */
  at(rank: number): Item | undefined {
    if (rank === 0) return this.first()
    return rank === this.#size - 1 ? this.last() : this.cursor(rank).next()
  }

  add(item: Item): void {
    this.#size += 1
    const last = this.#chunks.at(-1)
    const end = last?.at(-1)
    // Most items come in order, and need no search. Past the end of a full chunk a new one is started instead of halving it.
    if (end === undefined || this.#compare(item, end) > 0) {
      if (last !== undefined && last.length < CHUNK) last.push(item)
      else this.#chunks.push([item])
      return
    }
    const at = this.#chunkOf(item)
    const chunk = this.#chunks[at] as Item[]
    chunk.splice(this.#indexIn(chunk, item), 0, item)
    if (chunk.length > CHUNK) this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK / 2))
  }

  /** Removes the item; false when it is not in the list. */
  remove(item: Item): boolean {
    // Most items are taken from the front, and need no search.
    const at = this.first() === item ? this.#spent : this.#chunkOf(item)
    const chunk = this.#chunks[at]
    if (chunk === undefined) return false
    const index = chunk[0] === item ? 0 : this.#indexIn(chunk, item)
    if (chunk[index] !== item) return false
    this.#size -= 1
    // Taking the first moves nothing where the platform can trim an array.
    if (index === 0) chunk.shift()
    else chunk.splice(index, 1)
    if (this.#size > 0 && chunk.length === 0) this.#drop(at)
    return true
  }

  #drop(at: number): void {
    if (at > this.#spent) this.#chunks.splice(at, 1)
    else {
      this.#spent += 1
      if (this.#spent < this.#chunks.length / 2) return
      this.#chunks.splice(0, this.#spent)
      this.#spent = 0
    }
  }

  shift(): Item | undefined {
    const item = this.first()
    if (item !== undefined) this.remove(item)
    return item
  }

  /** A walk from the front, or from a rank on. */
  cursor(rank = 0): Cursor<Item> {
    const chunks = this.#chunks
    let { at, index } = this.#placeOf(rank)
    return {
      next(): Item | undefined {
        if (index === chunks[at]?.length) {
          at += 1
          index = 0
        }
        return chunks[at]?.[index++]
      },
    }
  }

  /** How many items stand before the first for which `isReached` holds, as it then does for all that follow. */
  rank(isReached: (item: Item) => boolean): number {
    if (this.#size === 0) return 0
    const chunks = this.#chunks
    const at = lowest(this.#spent, chunks.length, (index) => isReached((chunks[index] as Item[]).at(-1) as Item))
    const chunk = chunks[at] ?? []
    let rank = lowest(0, chunk.length, (index) => isReached(chunk[index] as Item))
    for (let index = this.#spent; index < at; index++) rank += (chunks[index] as Item[]).length
    return rank
  }

  /** The items from a rank on; with `-1`, those before it, backwards. Void after the list changes. */
  *walk(rank: number, step: 1 | -1): Generator<Item> {
    const chunks = this.#chunks
    let { at, index } = this.#placeOf(step === 1 ? rank : rank - 1)
    for (let chunk = chunks[at]; chunk !== undefined && index >= 0; chunk = chunks[at]) {
      for (; index >= 0 && index < chunk.length; index += step) yield chunk[index] as Item
      at += step
      index = step === 1 ? 0 : (chunks[at]?.length ?? 0) - 1
    }
  }

  #placeOf(rank: number): { at: number; index: number } {
    const chunks = this.#chunks
    let at = this.#spent
    let index = rank
    while (at < chunks.length && index >= (chunks[at] as Item[]).length) index -= (chunks[at++] as Item[]).length
    return { at, index }
  }

  *[Symbol.iterator](): Iterator<Item> {
    for (const chunk of this.#chunks) yield* chunk
  }

  /** The first chunk whose last item does not precede `item`; the last chunk when all do. */
  #chunkOf(item: Item): number {
    const last = this.#chunks.length - 1
    return lowest(this.#spent, last, (at) => this.#compare((this.#chunks[at] as Item[]).at(-1) as Item, item) >= 0)
  }

  #indexIn(chunk: readonly Item[], item: Item): number {
    return lowest(0, chunk.length, (index) => this.#compare(chunk[index] as Item, item) >= 0)
  }
}

/** The lowest number below `high` for which `isEnough` holds, as it does for all above it; `high` when there is none. */
export function lowest(low: number, high: number, isEnough: (number: number) => boolean): number {
  while (low < high) {
    const middle = (low + high) >> 1
    if (isEnough(middle)) high = middle
    else low = middle + 1
  }
  return low
}
