import { describe, expect, test } from 'vitest'
import { idMaker, systemEnvironment } from '../../src/core/environment.ts'
import { ManualClock } from '../../src/testing/index.ts'

describe('ids', () => {
  const make = (now: () => number): (() => string) => idMaker({ now, random: new ManualClock().random })

  test('are UUIDs of version 7, as RFC 9562 writes them', () => {
    const id = make(() => 0x017f22e279b0)()
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(id.slice(0, 13)).toBe('017f22e2-79b0')
  })

  test('sort in the order they were made, within a millisecond and beyond 4,096 of them', () => {
    const clock = new ManualClock()
    const next = make(clock.now)
    const ids = Array.from({ length: 10_000 }, () => next())
    expect(ids).toEqual([...ids].sort())
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('go on sorting when the clock steps back', () => {
    let now = 1_800_000_000_000
    const next = make(() => now)
    const before = next()
    now -= 3_600_000
    expect(next() > before).toBe(true)
  })

  test('of two makers at the same moment differ', () => {
    const environment = systemEnvironment()
    const [one, other] = [idMaker(environment), idMaker(environment)]
    const ids = Array.from({ length: 1000 }, () => [one(), other()]).flat()
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('have the right format whatever the random numbers', () => {
    for (const random of [0, 0.5, 1 - 2 ** -32]) {
      const id = idMaker({ now: () => 1_800_000_000_000, random: () => random })()
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    }
  })
})

describe("the platform's own environment", () => {
  const noTimers = { setTimeout: () => 0, clearTimeout: () => undefined }

  test('works where only timers are there', () => {
    const environment = systemEnvironment(noTimers)
    expect(environment.conditions()).toEqual(['online'])
    expect(environment.random()).toBeLessThan(1)
    expect(environment.monotonic()).toBeGreaterThan(0)
    environment.onConditionsChange(() => undefined)()
    expect([environment.hidden(), environment.frozen()]).toEqual([false, false])
    environment.onVisibilityChange(() => undefined)()
    expect(() => environment.report(new Error('nobody listens'))).not.toThrow()
  })

  test('gives random numbers from 0 to below 1, of the platform’s generator', () => {
    const { random } = systemEnvironment()
    const numbers = Array.from({ length: 2000 }, random)
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true)
    expect(new Set(numbers).size).toBeGreaterThan(1990)
  })

  test('makes ids on insecure origins, where `crypto` has random values and no `randomUUID`', () => {
    let calls = 0
    const getRandomValues = (array: Uint32Array) => array.fill(++calls)
    const environment = systemEnvironment({ ...noTimers, crypto: { getRandomValues } })
    expect(idMaker(environment)()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(calls).toBe(1)
  })

  test('says when the network goes and comes', () => {
    const listeners = new Map<string, () => void>()
    const navigator = { onLine: true }
    const environment = systemEnvironment({
      ...noTimers,
      navigator,
      addEventListener: (type, listener) => void listeners.set(type, listener),
      removeEventListener: (type) => void listeners.delete(type),
    })
    const heard: (readonly string[])[] = []
    const stop = environment.onConditionsChange(() => void heard.push(environment.conditions()))
    navigator.onLine = false
    listeners.get('offline')?.()
    navigator.onLine = true
    listeners.get('online')?.()
    expect(heard).toEqual([[], ['online']])
    stop()
    expect(listeners.size).toBe(0)
  })

  test('says whether the page is hidden, when that changes, and when a page that stood still goes on', () => {
    const listeners = new Map<string, () => void>()
    const events = {
      addEventListener: (type: string, listener: () => void) => void listeners.set(type, listener),
      removeEventListener: (type: string) => void listeners.delete(type),
    }
    const document = { ...events, visibilityState: 'visible' }
    const environment = systemEnvironment({ ...noTimers, ...events, document })
    const heard: boolean[] = []
    const stop = environment.onVisibilityChange(() => void heard.push(environment.hidden()))
    document.visibilityState = 'hidden'
    listeners.get('visibilitychange')?.()
    listeners.get('resume')?.()
    document.visibilityState = 'visible'
    listeners.get('pageshow')?.()
    expect(heard).toEqual([true, true, false])
    stop()
    expect(listeners.size).toBe(0)
  })

  test('says that the page was told to stand still, and until when', () => {
    const listeners = new Map<string, () => void>()
    const events = {
      addEventListener: (type: string, listener: () => void) => void listeners.set(type, listener),
      removeEventListener: (type: string) => void listeners.delete(type),
    }
    const document = { ...events, visibilityState: 'hidden' }
    const environment = systemEnvironment({ ...noTimers, ...events, document })
    const heard: (readonly [string, boolean])[] = []
    let event = ''
    const stop = environment.onVisibilityChange(() => heard.push([event, environment.frozen()]))
    const fire = (type: string): void => {
      event = type
      listeners.get(type)?.()
    }
    for (const type of ['freeze', 'visibilitychange', 'resume', 'pagehide', 'pageshow', 'freeze']) fire(type)
    document.visibilityState = 'visible'
    fire('visibilitychange')
    stop()
    expect(heard).toEqual([
      ['freeze', true],
      ['visibilitychange', true],
      ['resume', false],
      ['pagehide', true],
      ['pageshow', false],
      ['freeze', true],
      ['visibilitychange', false],
    ])
    expect(listeners.size).toBe(0)
  })

  test('what a page was told while somebody listened is not believed for ever when nobody hears the rest', () => {
    const [page, document] = [new EventTarget(), Object.assign(new EventTarget(), { visibilityState: 'visible' })]
    const environment = systemEnvironment({
      ...noTimers,
      addEventListener: (type, listener) => page.addEventListener(type, listener),
      removeEventListener: (type, listener) => page.removeEventListener(type, listener),
      document,
    })
    const stops = [environment.onVisibilityChange(() => undefined), environment.onVisibilityChange(() => undefined)]
    page.dispatchEvent(new Event('pagehide'))
    const seen = stops.map((stop) => {
      stop()
      return environment.frozen()
    })
    page.dispatchEvent(new Event('pageshow'))
    environment.onVisibilityChange(() => undefined)
    expect([...seen, environment.frozen()]).toEqual([true, false, false])
  })

  test('hands the platform no timer it cannot keep', () => {
    const delays: number[] = []
    const { startTimer } = systemEnvironment({ ...noTimers, setTimeout: (_, delay) => delays.push(delay) })
    for (const delay of [-5, 0, 1000, 1e12, Infinity]) startTimer(() => undefined, delay, false)
    expect(delays).toEqual([0, 0, 1000, 2 ** 31 - 1, 2 ** 31 - 1])
  })

  test('lets a process end that only waits for timers in the background', () => {
    let unrefs = 0
    const { startTimer } = systemEnvironment({ ...noTimers, setTimeout: () => ({ unref: () => (unrefs += 1) }) })
    startTimer(() => undefined, 1, false)
    startTimer(() => undefined, 1, true)
    expect(unrefs).toBe(1)
  })

  test('cancels a timer by its handle', () => {
    const cleared: unknown[] = []
    const { startTimer } = systemEnvironment({
      setTimeout: () => 'handle',
      clearTimeout: (timer) => cleared.push(timer),
    })
    startTimer(() => undefined, 1, false)()
    expect(cleared).toEqual(['handle'])
  })
})
