import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Cursor, OrderedList } from '../../src/core/storage/job-table/ordered-list.ts'

interface Item {
  readonly value: number
  readonly sequence: number
}

const compare = (a: Item, b: Item): number => a.value - b.value || a.sequence - b.sequence

function walked(cursor: Cursor<Item>): Item[] {
  const items: Item[] = []
  for (let item = cursor.next(); item !== undefined; item = cursor.next()) items.push(item)
  return items
}

/** Everything there is to see of a list. */
function seen(list: OrderedList<Item>): unknown {
  const rank = list.rank(({ value }) => value >= 25)
  return {
    size: list.size,
    first: list.first(),
    last: list.last(),
    items: [...list],
    ranked: Array.from({ length: list.size + 1 }, (_, at) => list.at(at)),
    walked: walked(list.cursor()),
    rank,
    rest: [...list.walk(rank, 1)],
    walkedRest: walked(list.cursor(rank)),
  }
}

function expected(items: readonly Item[]): unknown {
  const rank = items.filter(({ value }) => value < 25).length
  return {
    size: items.length,
    first: items[0],
    last: items.at(-1),
    items,
    ranked: [...items, undefined],
    walked: items,
    rank,
    rest: items.slice(rank),
    walkedRest: items.slice(rank),
  }
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('add' as const), values: fc.array(fc.nat(50), { maxLength: 400 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('remove' as const), picks: fc.array(fc.nat(), { maxLength: 400 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('shift' as const), count: fc.nat(600) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('append' as const), count: fc.nat(1500) }) },
)

describe('an ordered list', () => {
  test('holds what a sorted array would', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const list = new OrderedList(compare)
        let items: Item[] = []
        let sequence = 0
        const add = (value: number): void => {
          const item = { value, sequence: ++sequence }
          list.add(item)
          items.push(item)
        }
        for (const one of steps) {
          if (one.do === 'add') one.values.forEach(add)
          else if (one.do === 'append') for (let n = 0; n < one.count; n++) add(1000 + sequence)
          else if (one.do === 'shift') {
            items.sort(compare)
            for (let n = 0; n < one.count; n++) expect(list.shift()).toBe(items[n])
            items = items.slice(one.count)
          } else {
            for (const pick of one.picks) {
              const [item] = items.splice(pick % Math.max(1, items.length), 1)
              if (item !== undefined) expect(list.remove(item)).toBe(true)
            }
          }
          items.sort(compare)
          expect(seen(list)).toEqual(expected(items))
        }
      }),
      { numRuns: 60 },
    )
  })

  test('removes nothing that is not in it', () => {
    const list = new OrderedList(compare)
    expect(list.remove({ value: 1, sequence: 1 })).toBe(false)
    for (let sequence = 0; sequence < 2000; sequence += 2) list.add({ value: 5, sequence })
    expect(list.remove({ value: 5, sequence: 1 })).toBe(false)
    expect(list.remove({ value: 5, sequence: 2 })).toBe(false)
    expect(list.remove({ value: 9, sequence: 0 })).toBe(false)
    expect(list.size).toBe(1000)
  })

  test('empty it has neither first nor last', () => {
    const list = new OrderedList(compare)
    expect(seen(list)).toEqual(expected([]))
    expect(list.shift()).toBe(undefined)
    const item = { value: 1, sequence: 1 }
    list.add(item)
    list.remove(item)
    expect(seen(list)).toEqual(expected([]))
  })

  test('takes all from the front in order, also when more comes in meanwhile', () => {
    const list = new OrderedList(compare)
    for (let sequence = 0; sequence < 3000; sequence++) list.add({ value: 1, sequence })
    const taken: number[] = []
    for (let sequence = 3000; sequence < 6000; sequence++) {
      taken.push(list.shift()?.sequence ?? -1)
      list.add({ value: 1, sequence })
    }
    for (let item = list.shift(); item !== undefined; item = list.shift()) taken.push(item.sequence)
    expect(taken).toEqual(Array.from({ length: 6000 }, (_, n) => n))
  })
})
