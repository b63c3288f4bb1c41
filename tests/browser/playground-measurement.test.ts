import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Measurement } from '../../playground/src/view/measurement.ts'
import type { Job } from '../../src/index.ts'

const tiny = { type: 'tiny', createdAt: 0, startedAt: 5 } as Job

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a measurement ends with the last job that was wanted, and asks nobody', async () => {
  const measurement = new Measurement()
  const ended = measurement.until(2, () => Promise.reject(new Error('Nobody was to be asked')))
  measurement.add(tiny)
  measurement.add({ ...tiny, type: 'errand' })
  measurement.add(tiny)
  await ended
  expect(measurement.done).toBe(2)
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
