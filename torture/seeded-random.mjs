/**
 * Choices that a seed repeats. (When things happen is up to the machine: a seed repeats what is done, not the run.)
 */
export class SeededRandom {
  #state

  /** @param {number} seed */
  constructor(seed) {
    this.#state = seed >>> 0
  }

  /** From 0 to below 1 (mulberry32). */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A number from `least` to below `limit`. @param {number} least @param {number} limit */
  between(least, limit) {
    return least + this.next() * (limit - least)
  }

  /** A whole number from `least` to below `limit`. @param {number} least @param {number} limit */
  whole(least, limit) {
    return Math.floor(this.between(least, limit))
  }

  /** True in `share` of all cases. @param {number} share */
  chance(share) {
    return this.next() < share
  }

  /** One of `items`; `undefined` when there is none. @template Item @param {readonly Item[]} items */
  pick(items) {
    return items[this.whole(0, items.length)]
  }
}
