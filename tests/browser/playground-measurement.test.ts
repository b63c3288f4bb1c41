import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Measurement } from '../../playground/src/view/measurement.ts'

const tiny = { createdAt: 0, startedAt: 5 }

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a measurement ends with the last job that was wanted, and asks nobody', async () => {
  const measurement = new Measurement()
  const ended = measurement.until(4, () => Promise.reject(new Error('Nobody was to be asked')))
  for (const done of [1, 2, 3, 4]) {
    // Again and again something has ended since the last time that somebody could have been asked.
    await vi.advanceTimersByTimeAsync(400)
    measurement.add(tiny)
    expect(measurement.done).toBe(done)
  }
  await ended
})

test('a measurement ends also where other tabs run all of its jobs', async () => {
  let over = false
  let isResolved = false
  const measurement = new Measurement()
  const ended = measurement.until(2, async () => over).then(() => (isResolved = true))
  await vi.advanceTimersByTimeAsync(5000)
  expect(isResolved).toBe(false)
  over = true
  await vi.advanceTimersByTimeAsync(1000)
  await ended
  expect(measurement.done).toBe(0)
})

test('a measurement that cannot ask ends with the reason, and asks no more', async () => {
  const areOver = vi.fn(() => Promise.reject(new Error('The storage is away')))
  const ended = new Measurement().until(2, areOver)
  const rejected = expect(ended).rejects.toThrow('The storage is away')
  await vi.advanceTimersByTimeAsync(5000)
  await rejected
  expect(areOver).toHaveBeenCalledTimes(1)
})
