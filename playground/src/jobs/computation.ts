import { endlessLoop, primes } from './definitions.ts'
import { nextTask } from './pauses.ts'

/** How long it may keep its thread before it says how far it is and hears whether it is to end, ms. */
const SLICE = 100

/** The name of the worker that this runs in, for people who watch. */
const worker = (): string => (globalThis as { readonly name?: string }).name ?? ''

const counting = primes.handler(async ({ below }, { log, progress, signal }) => {
  log('counts', { worker: worker() })
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

const looping = endlessLoop.handler((_, { log }) => {
  log('loops', { worker: worker() })
  for (;;);
})

/** What keeps a processor busy. It would run in any thread; here it runs in Web Workers. */
export const computations = [counting, looping]

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false
  return true
}
