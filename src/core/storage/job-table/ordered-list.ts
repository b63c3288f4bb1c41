const CHUNK = 512

/** Where a walk through a list stands. Void after the list changes. */
export interface Cursor<Item> {
  next(): Item | undefined
}

/**
 * Items in the order of `compare`, which must never answer 0 for two different items. Kept as sorted chunks of at most
 * 512, so that adding or removing one item moves a few hundred pointers whatever the length, an item added at the end
 * and one taken from the front cost nothing more, and a million items weigh about 10 MB.
 *
 * An item's sort fields must not change while it is in the list.
 */
export class OrderedList<Item> {
  readonly #compare: (a: Item, b: Item) => number
  readonly #chunks: Item[][] = []
  #size = 0

  constructor(compare: (a: Item, b: Item) => number) {
    this.#compare = compare
  }

  get size(): number {
    return this.#size
  }

  first(): Item | undefined {
    return this.#chunks[0]?.[0]
  }

  last(): Item | undefined {
    return this.#chunks.at(-1)?.at(-1)
  }

  add(item: Item): void {
    this.#size += 1
    const end = this.#chunks.at(-1)
    if (end === undefined) {
      this.#chunks.push([item])
      return
    }
    const last = end[end.length - 1] as Item
    if (this.#compare(item, last) > 0) {
      // Appending to a full chunk starts a new one instead of halving it: items mostly come in order.
      if (end.length >= CHUNK) this.#chunks.push([item])
      else end.push(item)
      return
    }
    const at = this.#chunkOf(item)
    const chunk = this.#chunks[at] as Item[]
    chunk.splice(this.#indexIn(chunk, item), 0, item)
    if (chunk.length > CHUNK) this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK >> 1))
  }

  /** Removes the item; false when it is not in the list. */
  remove(item: Item): boolean {
    if (this.#size === 0) return false
    const at = this.#chunkOf(item)
    const chunk = this.#chunks[at] as Item[]
    const index = this.#indexIn(chunk, item)
    if (chunk[index] !== item) return false
    if (index === 0) chunk.shift()
    else chunk.splice(index, 1)
    if (chunk.length === 0) this.#chunks.splice(at, 1)
    this.#size -= 1
    return true
  }

  shift(): Item | undefined {
    const item = this.first()
    if (item !== undefined) this.remove(item)
    return item
  }

  /** A walk from the front. */
  cursor(): Cursor<Item> {
    const chunks = this.#chunks
    let chunk = 0
    let index = 0
    return {
      next(): Item | undefined {
        const items = chunks[chunk]
        if (items === undefined) return undefined
        const item = items[index]
        index += 1
        if (index >= items.length) {
          chunk += 1
          index = 0
        }
        return item
      },
    }
  }

  *[Symbol.iterator](): Iterator<Item> {
    for (const chunk of this.#chunks) yield* chunk
  }

  /** The first chunk whose last item does not precede `item`; the last chunk when all do. */
  #chunkOf(item: Item): number {
    let low = 0
    let high = this.#chunks.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      const chunk = this.#chunks[middle] as Item[]
      if (this.#compare(chunk[chunk.length - 1] as Item, item) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  #indexIn(chunk: readonly Item[], item: Item): number {
    let low = 0
    let high = chunk.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#compare(chunk[middle] as Item, item) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}
