// The timers of a hidden page, with a ticker that the test plays. In engines: ../browser/web-workers.engines.test.ts.
import { expect, test } from 'vitest'
import { ticked } from '../../src/runtimes/browser/page-ticks.ts'
import type { Port, PortEvents } from '../../src/runtimes/threads/port.ts'
import { MARK } from '../../src/runtimes/threads/protocol.ts'
import { ManualClock } from '../../src/testing/index.ts'
import { notedErrors } from '../core/doubles.ts'

interface Ticker extends PortEvents {
  ended: boolean
}

/** A page, its tickers, and what they were told. */
function page() {
  const clock = new ManualClock()
  const tickers: Ticker[] = []
  const told: unknown[] = []
  const { service, errors, log } = notedErrors()
  const connect = (events: PortEvents): Port => {
    const ticker = { ...events, ended: false }
    tickers.push(ticker)
    return {
      post: (message) => told.push((message as { readonly [MARK]: unknown })[MARK]),
      keep: () => undefined,
      terminate: async () => void (ticker.ended = true),
    }
  }
  // Whose own timers do not fire while it only sleeps.
  const environment = ticked(clock)
  const end = environment.beginTicks(connect, service)
  const say = (at: number, kind: string): void => tickers[at]?.message({ [MARK]: { kind } })
  return { clock, environment, tickers, told, errors, log, say, end }
}

test('a tick runs what is late, once, and nothing that is cancelled or still to come', () => {
  const { clock, environment, say } = page()
  clock.setHidden(true)
  const ran: string[] = []
  environment.startTimer(() => ran.push('late'), 100, true)
  environment.startTimer(() => ran.push('cancelled'), 100, true)()
  environment.startTimer(() => ran.push('to come'), 1001, true)
  clock.sleep(1000)
  say(0, 'tick')
  say(0, 'tick')
  expect(ran).toEqual(['late'])
  clock.sleep(1)
  say(0, 'tick')
  expect(ran).toEqual(['late', 'to come'])
})

test('a page is hidden until ticks come, and again when they have ceased for 5 s', () => {
  const { clock, environment, say } = page()
  expect(environment.hidden()).toBe(false)
  clock.setHidden(true)
  expect(environment.hidden()).toBe(true)
  say(0, 'tick')
  clock.sleep(5000)
  expect(environment.hidden()).toBe(false)
  clock.sleep(1)
  expect(environment.hidden()).toBe(true)
})

test('the ticker is spawned when the page is hidden first, and told when ticks are needed', () => {
  const { clock, tickers, told, say, end } = page()
  expect(tickers).toHaveLength(0)
  clock.setHidden(true)
  // Before it listens, what it is told may be lost.
  say(0, 'exposed')
  clock.setHidden(false)
  clock.setHidden(true)
  expect(told).toEqual([1000, 0, 1000].map((every) => ({ kind: 'tick', every })))
  expect(tickers).toHaveLength(1)
  end()
  clock.setHidden(true)
  expect(tickers.map(({ ended }) => ended)).toEqual([true])
})

test('who asks is told at once that ticks have begun, or that the ticker has died', () => {
  const { clock, environment, tickers, say } = page()
  const seen: boolean[] = []
  const stop = environment.onVisibilityChange(() => seen.push(environment.hidden()))
  clock.setHidden(true)
  say(0, 'tick')
  say(0, 'tick')
  tickers[0]?.died('why')
  expect(seen).toEqual([true, false, true])
  stop()
  clock.setHidden(false)
  expect(seen).toHaveLength(3)
})

test('one that has died while ticks are needed is spawned anew after a while, unless they have ended', async () => {
  const { clock, tickers, end } = page()
  clock.setHidden(true)
  tickers[0]?.died('why')
  await clock.advance(29_999)
  expect(tickers).toHaveLength(1)
  await clock.advance(1)
  expect(tickers).toHaveLength(2)
  tickers[1]?.died('why')
  end()
  await clock.advance(60_000)
  expect(tickers).toHaveLength(2)
})

test('one that has died is told of, and spawned anew when ticks are needed again', () => {
  const { clock, tickers, errors } = page()
  clock.setHidden(true)
  tickers[0]?.died('why')
  expect([errors, tickers.length]).toEqual([['why'], 1])
  clock.setHidden(false)
  clock.setHidden(true)
  expect(tickers).toHaveLength(2)
})

test('one that dies again and again is news once, until its successor ticks', async () => {
  const { clock, tickers, errors, log, say } = page()
  clock.setHidden(true)
  tickers[0]?.died('why')
  await clock.advance(30_000)
  tickers[1]?.died('why')
  await clock.advance(30_000)
  say(2, 'exposed')
  expect([errors, log]).toEqual([['why', 'why'], ['why']])
  say(2, 'tick')
  expect(log).toEqual(['why', 2])
})
