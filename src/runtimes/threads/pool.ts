import type { Attempt } from '../../core/attempt.ts'
import type { CancelTimer } from '../../core/environment.ts'
import type { OpenRunner, RunnerHost } from '../../core/runner.ts'
import type { Connect } from './port.ts'
import { Thread } from './thread.ts'

export interface PoolOptions {
  readonly host: RunnerHost
  readonly connect: Connect
  /** Threads, from 1. */
  readonly size: number
  readonly jobsPerWorker: number
  readonly readyWithin: number
  readonly onClose?: () => void
}

/** Between starts that fail one after the other: doubled from one to the next. ms */
const FIRST_PAUSE = 100
const LAST_PAUSE = 10_000

/**
 * The threads of an executor. One that is killed for a job is replaced at the kill, since its end takes as long as native
 * code in it does; as long as that there is one more than `size`, however many are killed together. One that died is
 * replaced at once when it had a job or had answered one, else after a pause.
 */
export class Pool implements OpenRunner {
  readonly ready: Promise<void>
  readonly kills = true
  readonly #options: PoolOptions
  readonly #threads = new Set<Thread>()
  readonly #pauses = new Set<CancelTimer>()
  /** Threads, one after the other up to now, that were of no use. */
  #useless = 0
  /** Whether one of the first was ready. */
  #opened = false
  #closing: Promise<void> | null = null

  constructor(options: PoolOptions) {
    this.#options = options
    for (let count = 0; count < options.size; count++) this.#spawn()
    // All run one file, and so the first that is ready, or cannot be, tells of the others.
    this.ready = Promise.race([...this.#threads].map(({ ready }) => ready)).then(
      () => {
        this.#opened = true
        // Those that were over meanwhile.
        this.#fill()
      },
      async (error: unknown) => {
        await this.close()
        throw error
      },
    )
    this.ready.catch(() => undefined)
  }

  get places(): number {
    if (this.#closing !== null) return 0
    let places = 0
    for (const thread of this.#threads)
      if (thread.state === 'ready') places += this.#options.jobsPerWorker - thread.running
    return places
  }

  /** In the thread that has least to do. */
  run(attempt: Attempt): void {
    let chosen: Thread | null = null
    for (const thread of this.#threads)
      if (thread.state === 'ready' && thread.running < (chosen?.running ?? this.#options.jobsPerWorker)) chosen = thread
    // The thread that had a place for it may have died since the job was asked for.
    if (chosen === null) this.#options.host.ends.gone(attempt, null)
    else chosen.run(attempt)
  }

  abort(attempt: Attempt): void {
    this.#threadOf(attempt)?.abort(attempt)
  }

  kill(attempt: Attempt): void {
    this.#threadOf(attempt)?.kill()
  }

  prolonged(): void {
    for (const thread of this.#threads) thread.prolonged()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    for (const cancel of this.#pauses) cancel()
    this.#options.onClose?.()
    // It is known to be closing before a thread that is given up could be replaced.
    await Promise.resolve()
    await Promise.all([...this.#threads].map((thread) => thread.close()))
  }

  #spawn(): void {
    const { host, connect, readyWithin } = this.#options
    this.#threads.add(new Thread({ host, connect, readyWithin, changed: (thread) => this.#changed(thread) }))
  }

  /** Spawns what is missing, as far as there may be more. */
  #fill(): void {
    if (this.#closing !== null || !this.#opened) return
    const { size } = this.#options
    const all = this.#threads.size + this.#pauses.size
    const ending = [...this.#threads].filter(({ state }) => state === 'ending').length
    for (let count = Math.min(ending, 1) + size - all; count > 0; count--) this.#spawn()
  }

  #changed(thread: Thread): void {
    const { state, cause, answered, running } = thread
    if (state === 'ready') return this.#options.host.onRoom()
    if (state === 'over') this.#threads.delete(thread)
    // One that fails at the start ends the start.
    if (this.#closing !== null || !this.#opened) return
    if (cause !== null) this.#options.host.errors.again(cause)
    const useless = cause !== null && answered + running === 0
    this.#useless = useless ? this.#useless + 1 : 0
    if (useless) this.#pause(Math.min(FIRST_PAUSE * 2 ** (this.#useless - 1), LAST_PAUSE))
    this.#fill()
  }

  #pause(delay: number): void {
    const cancel = this.#options.host.environment.startTimer(
      () => {
        this.#pauses.delete(cancel)
        this.#spawn()
      },
      delay,
      // It keeps the process alive: there may be jobs that wait for a thread.
      false,
    )
    this.#pauses.add(cancel)
  }

  #threadOf(attempt: Attempt): Thread | undefined {
    return [...this.#threads].find((thread) => thread.holds(attempt))
  }
}
