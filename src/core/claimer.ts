import { HoldfastError } from './errors.ts'
import type { ServiceOptions } from './queue-core.ts'
import type { Slots } from './slots.ts'
import type { ClaimAnswer, JobRecord, Lane } from './storage/contract.ts'
import { Wakeup } from './wakeup.ts'

export interface ClaimerOptions extends ServiceOptions {
  readonly lanes: readonly Lane[]
  readonly slots: Pick<Slots, 'unsettled' | 'suspects'>
  /** How many jobs may be taken now. */
  readonly room: () => number
  readonly take: (job: JobRecord) => void
  /** The session of this name is gone: opens a new one. */
  readonly reopen: (ended: string) => Promise<void>
}

/**
 * How long claims may follow each other before timers and I/O of the thread get a turn. On a storage in memory, claiming,
 * running and settling short jobs are promises only, and nothing else would run until the queue is empty. ms
 */
const TURN = 25

/** How long to wait after a claim that failed. ms */
const RETRY = 1000

/**
 * Keeps the slots filled. One claim at a time; it is asked for when a slot falls free, when a hint says that something
 * is ready, when a delayed job's time comes, and by polling.
 *
 * Suspects (jobs that were interrupted twice) run alone: once one is due, no other job is taken until nothing runs;
 * then the suspect is, and nothing else until it has ended; then the others have their turn again.
 */
export class Claimer {
  readonly #options: ClaimerOptions
  readonly #wakeup: Wakeup
  #claims = 0
  #requestId: string | null = null
  #claiming: Promise<void> = Promise.resolve()
  #busy = false
  /** When this turn of the event loop began, as far as claims know; `null` once it is over. */
  #turn: number | null = null
  #again = false
  #queued = false
  #stopped = false
  #suspectTurn = false
  #answer: ClaimAnswer | null = null

  constructor(options: ClaimerOptions) {
    this.#options = options
    this.#wakeup = new Wakeup(options.environment, () => this.now())
  }

  /** The claim whose answer is still to come, by name. */
  get underWay(): readonly string[] {
    return this.#requestId === null ? [] : [this.#requestId]
  }

  /** Claims in this very turn, so that an enqueue that was just called and this claim share a flush. */
  now(): void {
    if (this.#busy) this.#again = true
    else if (!this.#stopped) this.#claiming = this.#claim()
  }

  /** Claims at the end of this turn: slots that fall free together are filled together. */
  soon(): void {
    if (this.#queued || this.#stopped) return
    this.#queued = true
    void Promise.resolve().then(() => {
      this.#queued = false
      this.now()
    })
  }

  /** One whole claim from now on; `null` when nothing could be asked: no room, or the storage is away. */
  async once(): Promise<ClaimAnswer | null> {
    await this.#claiming
    this.#answer = null
    this.now()
    await this.#claiming
    return this.#answer
  }

  /** Resolves when no claim is under way. One whose answer was lost is not repeated: a beat finds what it took. */
  async settled(): Promise<void> {
    await this.#claiming
    if (!this.#busy && this.#options.room() === 0) this.#requestId = null
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#wakeup.cancel()
    await this.#claiming
  }

  /** Over in the very turn that gives out the last answer: the next claim goes into a flush with the outcomes of that. */
  async #claim(): Promise<void> {
    this.#busy = true
    do {
      try {
        if (this.#turnIsLong())
          await new Promise<void>((resolve) => this.#options.environment.startTimer(resolve, 0, false))
        this.#again = false
        const only = this.#suspectTurn
        const limit = this.#limit()
        if (limit === 0) break
        const answer = await this.#ask(limit, only ? 'only' : 'none')
        if (answer !== null) this.#give(answer, limit, only)
      } catch (error) {
        this.#options.errors.again(error)
      }
      // Whoever asked meanwhile is not forgotten.
    } while (this.#again && !this.#stopped)
    this.#busy = false
  }

  #give(answer: ClaimAnswer, limit: number, only: boolean): void {
    this.#answer = answer
    for (const job of answer.jobs) this.#options.take(job)
    // A turn ends with its claim, whether it brought the suspect or somebody else had it.
    this.#suspectTurn = !only && answer.suspectDue
    if (this.#suspectTurn || (only && answer.jobs.length === 0)) this.#again = true
    if (answer.jobs.length < limit && !this.#stopped) this.#wakeup.sleepUntil(answer.nextRunAt)
  }

  #turnIsLong(): boolean {
    const { environment } = this.#options
    if (this.#turn !== null) return environment.monotonic() - this.#turn > TURN
    this.#turn = environment.monotonic()
    environment.startTimer(() => (this.#turn = null), 0, true)
    return false
  }

  #limit(): number {
    const { room, slots } = this.#options
    if (slots.suspects > 0) return 0
    if (this.#suspectTurn) return slots.unsettled.length === 0 ? Math.min(1, room()) : 0
    return room()
  }

  async #ask(limit: number, suspects: 'none' | 'only'): Promise<ClaimAnswer | null> {
    const { storage, environment, lanes, reopen, errors } = this.#options
    const session = this.#options.session()
    // A claim whose answer was lost is asked again under its name, and brings the same jobs.
    this.#requestId ??= `${session}.${++this.#claims}`
    try {
      const request = {
        requestId: this.#requestId,
        session,
        now: environment.now(),
        monotonic: environment.monotonic(),
        limit,
        lanes,
        have: environment.conditions(),
        suspects,
      }
      const answer = await storage.claim(request)
      this.#requestId = null
      errors.over()
      return answer
    } catch (error) {
      if (HoldfastError.is(error, 'HOLDFAST_SESSION_ENDED')) {
        this.#requestId = null
        await reopen(session).then(
          () => (this.#again = true),
          (cause: unknown) => this.#retryLater(cause),
        )
      } else this.#retryLater(error)
      return null
    }
  }

  #retryLater(error: unknown): void {
    const { environment, errors } = this.#options
    errors.again(error)
    if (!this.#stopped) this.#wakeup.sleepUntil(environment.now() + RETRY)
  }
}
