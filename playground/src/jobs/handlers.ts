import { deliver } from '../webhooks/client.ts'
import { errand, primes, tiny, webhook } from './definitions.ts'
import { fingerprinting, shrinking } from './files.ts'
import { nextTask, wait } from './pauses.ts'

/** The key of the delivery is the job's id: an endpoint that has seen it already may say so and do nothing twice. */
const delivering = webhook.handler(({ order }, { job, signal }) => deliver(job.id, { order }, signal))

/** How long it may keep this thread before it lets others run, ms. */
const SLICE = 12

const counting = primes.handler(async ({ below }, { progress, signal }) => {
  let found = 0
  let pause = performance.now() + SLICE
  for (let candidate = 2; candidate < below; candidate++) {
    if (isPrime(candidate)) found += 1
    if (performance.now() < pause) continue
    progress(candidate / below)
    await nextTask()
    signal.throwIfAborted()
    pause = performance.now() + SLICE
  }
  return { below, found }
})

const running = errand.handler(async ({ seconds }, { progress, signal }) => {
  const steps = Math.max(1, Math.round(seconds * 4))
  for (let step = 1; step <= steps; step++) {
    await wait(250, signal)
    progress(step / steps)
  }
  return `took ${seconds} s`
})

export const handlers = [fingerprinting, shrinking, delivering, counting, running, tiny.handler(() => null)]

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false
  return true
}
