import { answerOf, type Operation, type Part, partsOf } from './job-table/decide.ts'
import type { PayloadChunk } from './log.ts'

/** What a full storage refuses before it refuses anything else. */
const NEW_WORK: ReadonlySet<Operation['name']> = /* @__PURE__ */ new Set<Operation['name']>([
  'enqueue',
  'tick',
  'define',
])

/** Told the answer, and the payloads that the call itself brought and that are kept outside the table. */
export type Resolve = (answer: never, chunks: readonly PayloadChunk[]) => void

/** A mutating call on its way through flushes. */
export class Call {
  operation: Operation
  /** Payloads of its jobs that are kept outside the table. */
  chunks: readonly PayloadChunk[] | null = null
  readonly #answers: unknown[]
  readonly #resolve: Resolve
  readonly #reject: (error: unknown) => void
  /** Its caller was told of an error. What was decided for it may be in the log all the same. */
  rejected = false
  /** Indexes of the parts that are not in the log yet. */
  open: readonly number[]
  /** What was decided for them in the latest flush. */
  parts: Part[] = []
  tries = 0
  /** A flush that it was in was refused for what one of its calls brought: it goes into the next ones by itself. */
  isAlone = false
  #hadReserve = false
  races = 0

  constructor(operation: Operation, resolve: Resolve, reject: (error: unknown) => void) {
    this.operation = operation
    this.#answers = []
    this.#resolve = resolve
    this.#reject = reject
    this.open = partsOf(operation)
  }

  /** Whether it may have what the log keeps for a full storage: once, and not for new work. */
  takeReserve(): boolean {
    if (this.rejected || this.#hadReserve || this.bringsWork) return false
    this.#hadReserve = true
    return true
  }

  get bringsWork(): boolean {
    return NEW_WORK.has(this.operation.name)
  }

  reject(error: unknown): void {
    this.rejected = true
    this.#reject(error)
  }

  /** How many things it asks for, by which a flush is bounded. */
  get items(): number {
    const { request } = this.operation
    return 'jobs' in request ? request.jobs.length : 'batch' in request ? request.batch.length : 1
  }

  /** Takes over the answers of all parts but those at `voided`, which stay open. True when none is left. */
  accept(voided: readonly number[]): boolean {
    for (const [at, part] of this.parts.entries()) this.#answers[this.open[at] as number] = part.answer
    this.open = voided.map((at) => this.open[at] as number)
    return this.open.length === 0
  }

  resolve(): void {
    this.#resolve(answerOf(this.operation, this.#answers) as never, this.chunks ?? [])
  }
}
