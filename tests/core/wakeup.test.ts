import { expect, test } from 'vitest'
import { Wakeup } from '../../src/core/wakeup.ts'
import { ManualClock } from '../../src/testing/index.ts'

function waking(seed = 1) {
  const clock = new ManualClock({ seed })
  const woken: number[] = []
  return { clock, woken, wakeup: new Wakeup(clock, () => void woken.push(clock.monotonic())) }
}

test('it wakes at the moment it was told', async () => {
  const { clock, woken, wakeup } = waking()
  wakeup.sleepUntil(clock.now() + 250)
  await clock.advance('5s')
  expect(woken).toEqual([250])
})

test.each([[null], [Infinity], [3_600_000]])('it wakes within a poll where that is %s ms away', async (away) => {
  for (let seed = 1; seed <= 20; seed++) {
    const { clock, woken, wakeup } = waking(seed)
    wakeup.sleepUntil(away === null ? null : clock.now() + away)
    await clock.advance('5s')
    expect(woken).toHaveLength(1)
    expect(woken[0]).toBeGreaterThanOrEqual(800)
    expect(woken[0]).toBeLessThanOrEqual(1200)
  }
})

test('executors that started together do not stay together', async () => {
  const moments = new Set<number | undefined>()
  for (let seed = 1; seed <= 20; seed++) {
    const { clock, woken, wakeup } = waking(seed)
    wakeup.sleepUntil(null)
    await clock.advance('5s')
    moments.add(woken[0])
  }
  expect(moments.size).toBeGreaterThan(15)
})

test('a wall clock that jumps costs a poll at most', async () => {
  const { clock, woken, wakeup } = waking()
  wakeup.sleepUntil(clock.now() + 500)
  clock.setWall(clock.now() - 3_600_000)
  await clock.advance('2s')
  expect(woken).toHaveLength(1)
})

test('the latest call counts, and a cancelled one does not wake', async () => {
  const { clock, woken, wakeup } = waking()
  wakeup.sleepUntil(clock.now() + 100)
  wakeup.sleepUntil(clock.now() + 200)
  await clock.advance(300)
  expect(woken).toEqual([200])
  wakeup.sleepUntil(clock.now() + 100)
  wakeup.cancel()
  await clock.advance('5s')
  expect(woken).toEqual([200])
})
