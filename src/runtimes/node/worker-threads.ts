import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { invalidOption } from '../../core/errors.ts'
import type { Runner } from '../../core/runner.ts'
import { openPool, type ThreadsOptions, threadsSettings } from '../threads/options.ts'
import type { Port, PortEvents } from '../threads/port.ts'

export type WorkerThreadsOptions = ThreadsOptions<Worker>

/**
 * Runs the handlers of an executor in worker_threads, where one that does not heed its signal is ended after
 * `killGrace`, even in an endless loop:
 *
 *     const runner = workerThreads({ spawn: () => new Worker(new URL('./jobs.worker.js', import.meta.url)) })
 *     queue.createExecutor({ runner, jobs: [resize] })
 *
 * Memory is bounded by the `resourceLimits` that `spawn` gives to its worker. Threads that run nothing do not keep the
 * process alive.
 *
 * @throws HOLDFAST_INVALID_OPTION. `executor.start()` rejects with HOLDFAST_WORKER_NOT_READY
 */
export function workerThreads(options: WorkerThreadsOptions): Runner {
  const settings = threadsSettings('workerThreads', options)
  const connect = (events: PortEvents): Port => new WorkerPort(settings.spawn(), events)
  return { open: (host) => openPool(settings, { connect, processors: availableParallelism() }, host) }
}

class WorkerPort implements Port {
  readonly #worker: Worker

  constructor(worker: unknown, events: PortEvents) {
    if (!(worker instanceof Worker)) throw invalidOption('spawn()', 'a Worker of node:worker_threads', worker)
    this.#worker = worker
    let cause: unknown
    worker.on('message', (data) => events.message(data))
    worker.on('messageerror', (error) => events.died(error))
    // Comes first where there is one; the exit follows.
    worker.on('error', (error) => (cause = error))
    // After every message that the worker has posted.
    worker.on('exit', (code) => events.died(cause ?? new Error(`The thread ended with exit code ${code}`)))
  }

  post(message: unknown): void {
    this.#worker.postMessage(message)
  }

  keep(alive: boolean): void {
    if (alive) this.#worker.ref()
    else this.#worker.unref()
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate()
  }
}
