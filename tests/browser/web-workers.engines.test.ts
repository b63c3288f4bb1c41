// Handlers in Web Workers, in real browsers.
import { describe, expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import { HoldfastError, openQueue } from '../../src/index.ts'
import { webWorkers } from '../../src/runtimes/browser/index.ts'
import { dyingSuite } from '../runtimes/threads/dying-suite.ts'
import { echo } from '../runtimes/threads/jobs.ts'
import { jobs, runnerSuite } from '../runtimes/threads/suite.ts'

/** What of the DOM is used here, where the unit tests' types have none. */
const spawn = (): Worker =>
  new Worker(new URL('../runtimes/threads/jobs.worker.ts', import.meta.url), { type: 'module' })

describe('the same handlers', () => {
  runnerSuite(() => ({ runner: webWorkers({ spawn, size: 2, jobsPerWorker: 4 }), jobs, killGrace: 50 }))
})

describe('workers that end', () => {
  // A browser that runs out of memory ends the page, or tells nobody.
  dyingSuite({
    options: () => ({ runner: webWorkers({ spawn, size: 1, jobsPerWorker: 4 }), killGrace: 0 }),
    deadly: ['exit', 'crash', 'rejection'],
  })
})

const broken: Readonly<Record<string, () => Worker>> = {
  'since its file throws': () =>
    new Worker(new URL('../runtimes/threads/throws.worker.ts', import.meta.url), { type: 'module' }),
  'since its file exposes nothing': () =>
    new Worker(new URL('../runtimes/threads/exposes-nothing.worker.ts', import.meta.url), { type: 'module' }),
  'since its file cannot be loaded': () => new Worker('/nowhere.js', { type: 'module' }),
  'since its setup throws': () =>
    new Worker(new URL('../runtimes/threads/bad-setup.worker.ts', import.meta.url), { type: 'module' }),
}

describe('a worker that cannot run the jobs', () => {
  test.each(Object.entries(broken))('%s', async (_, start) => {
    await using queue = await openQueue({ storage: memory(), jobs })
    const { id } = await queue.enqueue(echo, null)
    const runner = webWorkers({ spawn: start, size: 1, readyWithin: '2s' })
    const error: unknown = await queue
      .createExecutor({ runner })
      .start()
      .catch((thrown: unknown) => thrown)
    expect(HoldfastError.is(error, 'HOLDFAST_WORKER_NOT_READY')).toBe(true)
    expect(await queue.get(id)).toMatchObject({ status: 'pending', attempts: 0 })
  })
})
