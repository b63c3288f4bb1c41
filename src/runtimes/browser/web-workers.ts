import { invalidOption } from '../../core/errors.ts'
import type { Runner } from '../../core/runner.ts'
import { openPool, type ThreadsOptions, threadsSettings } from '../threads/options.ts'
import type { Port, PortEvents } from '../threads/port.ts'
import { ticked, type TickedEnvironment } from './page-ticks.ts'

export interface WebWorkersOptions extends ThreadsOptions<Worker, [purpose: 'jobs' | 'ticks']> {
  /**
   * Starts one worker of the file that calls `exposeHandlers()`. Called again whenever one has to be replaced, and with
   * `'ticks'` for the one that runs no jobs. The address stands in the program, so that bundlers see it.
   */
  readonly spawn: (purpose: 'jobs' | 'ticks') => Worker
}

/**
 * Runs the handlers of an executor in Web Workers, where one that does not heed its signal is ended after `killGrace`,
 * even in an endless loop:
 *
 *     const runner = webWorkers({
 *       spawn: () => new Worker(new URL('./jobs.worker.ts', import.meta.url), { type: 'module' }),
 *     })
 *     queue.createExecutor({ runner, jobs: [resize] })
 *
 * A page that is hidden has one more worker of the same file, which runs no jobs: it keeps the executor's timers on time,
 * whose own browsers would stretch to a minute.
 *
 * Chromium may keep a thread that is busy when it is terminated spinning for up to 2 s; nothing of it is heard any more.
 *
 * @throws HOLDFAST_INVALID_OPTION. `executor.start()` rejects with HOLDFAST_WORKER_NOT_READY
 */
export function webWorkers(options: WebWorkersOptions): Runner {
  const settings = threadsSettings('webWorkers', options)
  const spawning =
    (purpose: 'jobs' | 'ticks') =>
    (events: PortEvents): Port =>
      new WebWorkerPort(settings.spawn(purpose), events)
  return {
    environment: ticked,
    open: (host) => {
      // What `environment` has made.
      const { beginTicks } = host.environment as TickedEnvironment
      const onClose = beginTicks(spawning('ticks'), host.tickErrors)
      const processors = navigator.hardwareConcurrency || 1
      return openPool(settings, { connect: spawning('jobs'), processors, onClose }, host)
    },
  }
}

class WebWorkerPort implements Port {
  readonly #worker: Worker

  constructor(worker: Worker, events: PortEvents) {
    if (typeof (Object(worker) as Partial<Worker>).terminate !== 'function')
      throw invalidOption('spawn()', 'a Worker', worker)
    this.#worker = worker
    worker.addEventListener('message', ({ data }) => events.message(data))
    worker.addEventListener('messageerror', () => events.died(new Error('A message of the worker could not be read')))
    worker.addEventListener('error', (event) => {
      // It is told here, and needs no telling in the console.
      event.preventDefault()
      const { error, message: text } = event as { readonly error?: unknown; readonly message?: string }
      events.died(error ?? new Error(text === undefined || text === '' ? 'The worker could not be loaded' : text))
    })
  }

  post(message: unknown): void {
    this.#worker.postMessage(message)
  }

  keep(): void {
    return
  }

  terminate(): Promise<void> {
    this.#worker.terminate()
    return Promise.resolve()
  }
}
