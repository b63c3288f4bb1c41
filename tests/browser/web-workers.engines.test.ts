// Handlers in Web Workers, in real browsers.
import { describe, expect, inject, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import { defineJob, type Environment, HoldfastError, openQueue } from '../../src/index.ts'
import { webWorkers } from '../../src/runtimes/browser/index.ts'
import { dyingSuite } from '../runtimes/threads/dying-suite.ts'
import { checked, echo, waits } from '../runtimes/threads/jobs.ts'
import { bench, firstOf, jobs, runnerSuite } from '../runtimes/threads/suite.ts'

/** A worker's file as Vite serves it while one develops: each module by itself, which takes its time. */
const served = (): Worker =>
  new Worker(new URL('../runtimes/threads/jobs.worker.ts', import.meta.url), { type: 'module' })

const scripts = inject('workers')
const addresses = new Map<string, string>()

/** Starts the worker of `tests/runtimes/threads/NAME.ts` as a bundler leaves it: in one script. */
function spawnOf(name: keyof typeof scripts): Worker {
  const address = addresses.get(name) ?? URL.createObjectURL(new Blob([scripts[name]], { type: 'text/javascript' }))
  addresses.set(name, address)
  return new Worker(address)
}

const spawn = (): Worker => spawnOf('jobs.worker')

describe('the same handlers', () => {
  runnerSuite(() => ({ runner: webWorkers({ spawn, size: 2, jobsPerWorker: 4 }), jobs, killGrace: 50 }))
})

test('modules that are served one by one run jobs as well', async () => {
  await using at = await bench({ runner: webWorkers({ spawn: served, size: 1 }), jobs })
  expect((await at.ran(checked, 'text')).result).toBe('checked text')
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
  test.each(Object.entries(broken))('%s', async (why, start) => {
    await using queue = await openQueue({ storage: memory(), jobs })
    const { id } = await queue.enqueue(echo, null)
    const runner = webWorkers({ spawn: start, size: 1, readyWithin: why.includes('nothing') ? 300 : '30s' })
    const error: unknown = await queue
      .createExecutor({ runner })
      .start()
      .catch((thrown: unknown) => thrown)
    expect(HoldfastError.is(error, 'HOLDFAST_WORKER_NOT_READY')).toBe(true)
    expect(await queue.get(id)).toMatchObject({ status: 'pending', attempts: 0 })
  })
})

/** A page that is hidden or not, as the test says, and whose timers do not come while it is. */
class Page {
  readonly #watchers = new Set<() => void>()
  #hidden = false

  get environment(): Partial<Environment> {
    return {
      hidden: () => this.#hidden,
      onVisibilityChange: (watcher) => {
        this.#watchers.add(watcher)
        return () => this.#watchers.delete(watcher)
      },
      startTimer: (run, delay) => {
        const timer = setTimeout(() => this.#hidden || run(), delay)
        return () => clearTimeout(timer)
      },
    }
  }

  hide(): void {
    this.#hidden = true
    for (const watcher of this.#watchers) watcher()
  }
}

test('in a hidden page, whose timers are late, a session beats and jobs become due by the ticks of one more worker', async () => {
  const page = new Page()
  const purposes: string[] = []
  const counted = (purpose: string): Worker => {
    purposes.push(purpose)
    return spawn()
  }
  await using at = await bench(
    { runner: webWorkers({ spawn: counted, size: 1, jobsPerWorker: 4 }), jobs, killGrace: 0 },
    { environment: page.environment },
  )
  const [started, completed, ended] = [['started'], ['completed'], ['failed']].map((names) =>
    firstOf(at.queue, names as ['started']),
  ) as [Ending, Ending, Ending]
  const { id } = await at.queue.enqueue(waits, null, { leaseDuration: '1s', timeout: '1500ms' })
  await started(id)
  expect(purposes).toEqual(['jobs'])
  page.hide()
  expect(purposes).toEqual(['jobs', 'ticks'])
  const delayed = await at.queue.enqueue(echo, null, { delay: 500 })
  await completed(delayed.id)
  // From here on nothing is claimed, which would be a sign of life too.
  const beats = async (): Promise<unknown> => (await at.queue.sessions()).map((session) => session.beats)
  const before = await beats()
  await expect.poll(beats).not.toEqual(before)
  await ended(id)
  expect(await at.queue.get(id)).toMatchObject({ status: 'failed', error: { code: 'HOLDFAST_TIMEOUT' } })
})

type Ending = (id: string) => Promise<void>

const paint = defineJob({ type: 'paint' })

test.skipIf(typeof OffscreenCanvas === 'undefined')(
  'what no queue can store goes to a worker when it is spawned, and comes back as output',
  async () => {
    await using queue = await openQueue({ storage: memory(), jobs: [paint] })
    const runner = webWorkers({
      spawn: () => {
        const worker = spawnOf('canvas.worker')
        const canvas = new OffscreenCanvas(2, 2)
        worker.postMessage({ canvas }, [canvas])
        return worker
      },
      size: 1,
    })
    await queue.createExecutor({ runner }).start()
    const page = new OffscreenCanvas(2, 2).getContext('2d') as OffscreenCanvasRenderingContext2D
    queue.on('output', ({ value }) => page.drawImage(value as ImageBitmap, 0, 0))
    const { id } = await queue.enqueue(paint, '#00ff00')
    expect(await queue.result(id)).toEqual({ status: 'completed', result: [0, 255, 0, 255] })
    expect([...page.getImageData(0, 0, 1, 1).data]).toEqual([0, 255, 0, 255])
  },
)
