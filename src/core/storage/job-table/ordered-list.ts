const CHUNK = 512

/** How many emptied places are tolerated at the front of the list of chunks before they are given up. */
const SLACK = 64

/** Where a walk through a list stands. Void after the list changes. */
export interface Cursor<Item> {
  next(): Item | undefined
}

/** A sorted run of items. Places before `start` are empty: their items were taken from the front. */
interface Chunk<Item> {
  items: (Item | undefined)[]
  start: number
}

/**
 * Items in the order of `compare`, which must never answer 0 for two different items. Kept as sorted chunks of at most
 * 512, so that adding or removing one item moves a few hundred pointers whatever the length, an item added at the end
 * or taken from the front moves none, and a million items weigh about 10 MB.
 *
 * An item's sort fields must not change while it is in the list.
 */
export class OrderedList<Item> {
  readonly #compare: (a: Item, b: Item) => number
  #chunks: Chunk<Item>[] = []
  /** Index of the first chunk that holds something. */
  #first = 0
  #size = 0

  constructor(compare: (a: Item, b: Item) => number) {
    this.#compare = compare
  }

  get size(): number {
    return this.#size
  }

  first(): Item | undefined {
    const chunk = this.#chunks[this.#first]
    return chunk?.items[chunk.start]
  }

  last(): Item | undefined {
    return this.#size === 0 ? undefined : this.#chunks.at(-1)?.items.at(-1)
  }

  add(item: Item): void {
    this.#size += 1
    const last = this.#chunks.at(-1)
    const end = last?.items.at(-1)
    if (last === undefined || end === undefined || this.#compare(item, end) > 0) {
      // Appending to a full chunk starts a new one instead of halving it: items mostly come in order.
      if (last === undefined || last.items.length >= CHUNK) this.#chunks.push({ items: [item], start: 0 })
      else last.items.push(item)
      return
    }
    const at = this.#chunkOf(item)
    const chunk = this.#chunks[at] as Chunk<Item>
    const index = this.#indexIn(chunk, item)
    if (index === chunk.start && index > 0) {
      chunk.start -= 1
      chunk.items[chunk.start] = item
      return
    }
    chunk.items.splice(index, 0, item)
    if (chunk.items.length > CHUNK) this.#split(at)
  }

  /** Removes the item; false when it is not in the list. */
  remove(item: Item): boolean {
    if (this.#size === 0) return false
    const at = this.#chunkOf(item)
    const chunk = this.#chunks[at] as Chunk<Item>
    const index = this.#indexIn(chunk, item)
    if (chunk.items[index] !== item) return false
    this.#size -= 1
    if (index > chunk.start) chunk.items.splice(index, 1)
    else {
      // The place is emptied, so that the list does not hold what it gave up, and nothing is moved.
      chunk.items[index] = undefined
      chunk.start += 1
    }
    if (chunk.start === chunk.items.length) this.#drop(at)
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
    let at = this.#first
    let index = chunks[at]?.start ?? 0
    return {
      next(): Item | undefined {
        const chunk = chunks[at]
        if (chunk === undefined) return undefined
        const item = chunk.items[index]
        index += 1
        if (index >= chunk.items.length) {
          at += 1
          index = chunks[at]?.start ?? 0
        }
        return item
      },
    }
  }

  *[Symbol.iterator](): Iterator<Item> {
    const cursor = this.cursor()
    for (let item = cursor.next(); item !== undefined; item = cursor.next()) yield item
  }

  #split(at: number): void {
    const { items, start } = this.#chunks[at] as Chunk<Item>
    const middle = (start + items.length) >> 1
    const halves = [
      { items: items.slice(start, middle), start: 0 },
      { items: items.slice(middle), start: 0 },
    ]
    this.#chunks.splice(at, 1, ...halves.filter((half) => half.items.length > 0))
  }

  #drop(at: number): void {
    if (at > this.#first) {
      this.#chunks.splice(at, 1)
      return
    }
    this.#chunks[at] = { items: [], start: 0 }
    this.#first += 1
    const half = this.#chunks.length >> 1
    if (this.#first === this.#chunks.length || (this.#first > SLACK && this.#first > half)) {
      this.#chunks = this.#chunks.slice(this.#first)
      this.#first = 0
    }
  }

  /** The first chunk whose last item does not precede `item`; the last chunk when all do. */
  #chunkOf(item: Item): number {
    let low = this.#first
    let high = this.#chunks.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      const { items } = this.#chunks[middle] as Chunk<Item>
      if (this.#compare(items[items.length - 1] as Item, item) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  #indexIn({ items, start }: Chunk<Item>, item: Item): number {
    let low = start
    let high = items.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#compare(items[middle] as Item, item) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}
