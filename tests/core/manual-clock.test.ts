import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../src/testing/index.ts'
import { problemOf } from './doubles.ts'

describe('the manual clock', () => {
  test('stands still until it is told to go', async () => {
    const clock = new ManualClock({ start: 1000 })
    await new Promise((resolve) => setImmediate(resolve))
    expect([clock.now(), clock.monotonic()]).toEqual([1000, 0])
    await clock.advance('2h')
    expect([clock.now(), clock.monotonic()]).toEqual([7_201_000, 7_200_000])
  })

  test('runs timers at their moments, in order, and those they start', async () => {
    const clock = new ManualClock()
    const ran: string[] = []
    const note = (name: string): void => void ran.push(`${name} ${clock.monotonic()}`)
    clock.startTimer(() => note('late'), 300)
    clock.startTimer(() => note('early'), 100)
    clock.startTimer(() => {
      note('chain')
      clock.startTimer(() => note('link'), 50)
    }, 200)
    clock.startTimer(() => note('early too'), 100)
    await clock.advance(300)
    expect(ran).toEqual(['early 100', 'early too 100', 'chain 200', 'link 250', 'late 300'])
  })

  test('runs what follows from a timer before the next one', async () => {
    const clock = new ManualClock()
    const ran: string[] = []
    clock.startTimer(() => {
      void (async () => {
        for (let turn = 0; turn < 50; turn++) await Promise.resolve()
        ran.push('followed')
      })()
    }, 1)
    clock.startTimer(() => ran.push('next'), 1)
    await clock.advance(1)
    expect(ran).toEqual(['followed', 'next'])
  })

  test('a cancelled timer does not run', async () => {
    const clock = new ManualClock()
    const cancel = clock.startTimer(() => expect.unreachable(), 10)
    cancel()
    cancel()
    await clock.advance(100)
  })

  test('a timer of the past runs at once and time does not go back', async () => {
    const clock = new ManualClock()
    await clock.advance(100)
    const at: number[] = []
    clock.startTimer(() => at.push(clock.monotonic()), -50)
    await clock.advance(0)
    expect(at).toEqual([100])
  })

  test('shows whole milliseconds, whatever timers were asked for', async () => {
    const clock = new ManualClock()
    const seen: number[] = []
    clock.startTimer(() => seen.push(clock.now(), clock.monotonic()), 10.4)
    await clock.advance(20)
    expect(seen.every(Number.isInteger)).toBe(true)
  })

  test('the wall clock alone can be set', async () => {
    const clock = new ManualClock({ start: 1000 })
    clock.setWall(5)
    await clock.advance(10)
    expect([clock.now(), clock.monotonic()]).toEqual([15, 10])
  })

  test('the same seed gives the same numbers, another seed others', () => {
    const numbers = (seed?: number): number[] => {
      const clock = new ManualClock(seed === undefined ? {} : { seed })
      return Array.from({ length: 100 }, clock.random)
    }
    expect(numbers(7)).toEqual(numbers(7))
    expect(numbers(7)).not.toEqual(numbers(8))
    expect(numbers().every((number) => number >= 0 && number < 1)).toBe(true)
  })

  test('conditions change when they are set, and listeners hear of it', () => {
    const clock = new ManualClock()
    const heard: (readonly string[])[] = []
    const stop = clock.onConditionsChange(() => heard.push(clock.conditions()))
    clock.setConditions([])
    clock.setConditions(['online', 'charging'])
    stop()
    clock.setConditions([])
    expect(heard).toEqual([[], ['online', 'charging']])
  })

  test('in a sleep nothing runs, and what became due runs afterwards, late', async () => {
    const clock = new ManualClock({ start: 0 })
    const seen: number[] = []
    clock.startTimer(() => seen.push(clock.monotonic()), 1000)
    clock.startTimer(() => seen.push(clock.monotonic()), 3_600_500)
    clock.sleep('1h')
    expect([seen, clock.monotonic(), clock.now()]).toEqual([[], 3_600_000, 3_600_000])
    await clock.advance('1s')
    expect(seen).toEqual([3_600_000, 3_600_500])
  })

  test('the page is hidden and shown when the test says so, and listeners hear of it each time', () => {
    const clock = new ManualClock()
    const heard: boolean[] = []
    const stop = clock.onVisibilityChange(() => heard.push(clock.hidden()))
    clock.setHidden(true)
    clock.setHidden(false)
    clock.setHidden(false)
    stop()
    clock.setHidden(true)
    expect(heard).toEqual([true, false, false])
  })

  test.each<[field: string, use: (clock: ManualClock) => unknown]>([
    ['ManualClock.strat', () => new ManualClock({ strat: 0 } as never)],
    ['ManualClock.start', () => new ManualClock({ start: Number.NaN })],
    ['ManualClock.seed', () => new ManualClock({ seed: 0.5 })],
    ['moment', (clock) => clock.setWall('tomorrow' as never)],
    ['conditions', (clock) => clock.setConditions('online' as never)],
    ['conditions[0]', (clock) => clock.setConditions([''])],
  ])('refuses a bad %s', async (field, use) => {
    expect(await problemOf(() => use(new ManualClock()))).toEqual({ code: 'HOLDFAST_INVALID_OPTION', field })
  })

  test.each([[-1], ['soon'], [Number.NaN]])('refuses to advance by %s', async (span) => {
    const problem = await problemOf(() => new ManualClock().advance(span as number))
    expect(problem.code).toBe('HOLDFAST_INVALID_OPTION')
  })
})
