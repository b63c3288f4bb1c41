import { type ChildProcess, fork } from 'node:child_process'
import cluster from 'node:cluster'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { NodeFsOptions } from '../../../src/adapters/node-fs/index.ts'
import type { EnqueueOptions, Job, JobCounts, PauseScope, Session } from '../../../src/index.ts'

export const root: string = fileURLToPath(new URL('../../..', import.meta.url))
const program = fileURLToPath(new URL('jobs-program.mjs', import.meta.url))

export interface Payload {
  readonly does: 'return' | 'throw once' | 'hang'
  readonly data?: unknown
}

export type JobEventName = 'started' | 'completed' | 'retrying' | 'released' | 'failed' | 'interrupted' | 'lost'

export interface JobEvent {
  readonly event: JobEventName
  readonly job: Job<Payload>
  /** When the process told it, epoch ms. */
  readonly at: number
}

interface Answer {
  readonly number: number
  readonly answer?: unknown
  readonly error?: string
}

interface Waiter {
  readonly event: JobEventName
  readonly id: string
  readonly resolve: (event: JobEvent) => void
}

export interface JobsProcessOptions {
  readonly directory: string
  /** The folder whose `dist` it runs. Default: this package. */
  readonly packageRoot?: string
  /** bytes */
  readonly rollAt?: number
  /** Default `disk`. */
  readonly durability?: NonNullable<NodeFsOptions['durability']>
  /** What listens in it is asked of this process, as node:cluster does unless told otherwise. Default false. */
  readonly clustered?: boolean
}

/** A worker of node:cluster, whose primary is this process. */
function forkInCluster(args: string[]): ChildProcess {
  cluster.setupPrimary({ exec: program, args, serialization: 'advanced' })
  return cluster.fork().process
}

/** A process that works on the jobs of a directory, seen from its parent. */
export class JobsProcess {
  /** What it told, in order. */
  readonly events: JobEvent[] = []
  readonly #child: ChildProcess
  readonly #answers = new Map<number, (answer: Answer) => void>()
  #waiters: Waiter[] = []
  #calls = 0

  private constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', (message: Answer | JobEvent) => {
      if ('event' in message) this.#told(message)
      else this.#answers.get(message.number)?.(message)
    })
  }

  /** Started, and its queue open. */
  static async open(options: JobsProcessOptions): Promise<JobsProcess> {
    const { directory, packageRoot = root, rollAt = 1 << 22, durability = 'disk', clustered = false } = options
    const args = [packageRoot, directory, String(rollAt), durability]
    const child = clustered ? forkInCluster(args) : fork(program, args, { serialization: 'advanced' })
    await once(child, 'message')
    const opened = new JobsProcess(child)
    await opened.reopen()
    return opened
  }

  /** Opens the queue anew, in the same process. */
  async reopen(): Promise<void> {
    await this.#call('open')
  }

  async enqueue(payload: Payload, options: EnqueueOptions = {}): Promise<Job> {
    return (await this.#call('enqueue', payload, options)) as Job
  }

  /** A job of the type `other`. */
  async enqueueOther(payload: Payload): Promise<Job> {
    return (await this.#call('enqueueOther', payload)) as Job
  }

  async enqueueMany(payloads: readonly Payload[]): Promise<readonly string[]> {
    return (await this.#call('enqueueMany', payloads)) as readonly string[]
  }

  /** Starts an executor. */
  async work(concurrency = 1): Promise<void> {
    await this.#call('work', concurrency)
  }

  async get(id: string): Promise<Job<Payload> | null> {
    return (await this.#call('get', id)) as Job<Payload> | null
  }

  async pause(scope: PauseScope): Promise<boolean> {
    return (await this.#call('pause', scope)) as boolean
  }

  async resume(scope: PauseScope): Promise<boolean> {
    return (await this.#call('resume', scope)) as boolean
  }

  async pauses(): Promise<readonly PauseScope[]> {
    return (await this.#call('pauses')) as readonly PauseScope[]
  }

  async sessions(): Promise<readonly Session[]> {
    return (await this.#call('sessions')) as readonly Session[]
  }

  async counts(): Promise<JobCounts> {
    return (await this.#call('counts')) as JobCounts
  }

  async idle(): Promise<void> {
    await this.#call('idle')
  }

  async close(options: { grace?: number } = {}): Promise<void> {
    await this.#call('close', options)
  }

  /** The first event of this name that it tells, or has told, of the job. */
  told(event: JobEventName, id: string): Promise<JobEvent> {
    const earlier = this.events.find((other) => other.event === event && other.job.id === id)
    if (earlier !== undefined) return Promise.resolve(earlier)
    return new Promise((resolve) => this.#waiters.push({ event, id, resolve }))
  }

  /** kill -9. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }

  #told(event: JobEvent): void {
    this.events.push(event)
    const meant = (waiter: Waiter): boolean => waiter.event === event.event && waiter.id === event.job.id
    for (const waiter of this.#waiters.filter(meant)) waiter.resolve(event)
    this.#waiters = this.#waiters.filter((waiter) => !meant(waiter))
  }

  async #call(call: string, ...args: unknown[]): Promise<unknown> {
    this.#calls += 1
    const number = this.#calls
    const answered = new Promise<Answer>((resolve, reject) => {
      this.#answers.set(number, resolve)
      // Who goes on calling may do so after the kill, whose last answers are still on their way: nobody answers that any more.
      this.#child.send({ call, number, args }, (failure) => {
        if (failure !== null && !this.#child.killed) reject(failure)
      })
    })
    const { answer, error } = await answered
    if (error !== undefined) throw new Error(`${call}: ${error}`)
    return answer
  }
}
