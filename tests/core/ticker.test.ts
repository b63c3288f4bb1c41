import { expect, test } from 'vitest'
import { Ticker } from '../../src/core/ticker.ts'
import { ManualClock } from '../../src/testing/index.ts'

/** A ticker whose runs the test decides, and what its service was told. */
function ticking(run: () => Promise<unknown>) {
  const clock = new ManualClock()
  const told: string[] = []
  const tell = (what: string) => () => void told.push(what)
  const errors = { once: tell('once'), again: tell('again'), over: tell('over') }
  return { clock, told, ticker: new Ticker({ environment: clock, interval: () => 1000, first: 0, run, errors }) }
}

test('each run tells whether it worked', async () => {
  let runs = 0
  const { clock, told, ticker } = ticking(async () => {
    runs += 1
    if (runs === 2) throw new Error('away')
  })
  await clock.advance(2500)
  await ticker.stop()
  expect([runs, told]).toEqual([3, ['over', 'again', 'over']])
})

test('a ticker that was stopped runs nothing more, and so does not say that its service works', async () => {
  let runs = 0
  const { clock, told, ticker } = ticking(async () => {
    runs += 1
    throw new Error('away')
  })
  await clock.advance(0)
  await ticker.stop()
  await ticker.now()
  await clock.advance('1m')
  expect([runs, told]).toEqual([1, ['again']])
})
