import type { AmendAnswer, EnqueueAnswer, JobRecord, SettleAnswer, Settlement } from './contract.ts'
import type { Call } from './call.ts'
import { digestOf } from './digest.ts'
import type { Operation } from './job-table/decide.ts'
import type { PayloadReader } from './job-table/query.ts'
import { type ShelvedJob, ShelvedPayload } from './job-table/rows.ts'
import type { PayloadChunk, PayloadStore } from './log.ts'
import { copyPlain, isObject } from './plain.ts'

/** Chunks that are kept in memory: a claim takes jobs that were enqueued together. */
const REMEMBERED = 64

/** Chunks that a search fetches before it goes on. */
const FIRST_FETCH = 16

/**
 * Payloads that are too much for a table in memory and for its snapshots: they stand in chunks beside the log, written
 * in the same step as the jobs, and the rows say where. A chunk holds many small ones, since whoever runs one of them
 * soon runs the next. [shelf: tests/core/shelf.test.ts]
 */
export class Shelf {
  readonly #store: PayloadStore
  readonly #writer: string
  readonly #remembered = new Map<string, readonly unknown[]>()
  #chunks = 0

  constructor(store: PayloadStore, writer: string) {
    this.#store = store
    this.#writer = writer
  }

  /** Takes what is too much for the table out of calls, once for each; see `shelve`. */
  shelveCalls(calls: readonly Call[]): void {
    const fresh = calls.filter(({ chunks }) => chunks === null)
    const shelved = this.shelve(fresh.map(({ operation }) => operation))
    for (const [at, call] of fresh.entries()) Object.assign(call, shelved[at])
  }

  /** The operations with their large payloads replaced by places, and the chunks that each of them needs. */
  shelve(operations: readonly Operation[]): readonly { operation: Operation; chunks: readonly PayloadChunk[] }[] {
    const weights = operations.map((operation) => jobsOf(operation).map(({ payload }) => weightOf(payload)))
    if (weights.flat().reduce((sum, weight) => sum + weight, 0) <= this.#store.above)
      return operations.map((operation) => ({ operation, chunks: [] }))
    const open: { chunk: { key: string; payloads: unknown[] } | null; weight: number } = { chunk: null, weight: 0 }
    return operations.map((operation, at) => {
      const chunks = new Set<PayloadChunk>()
      let index = 0
      const shelved = withJobs(operation, (job) => {
        const weight = weights[at]?.[index++] ?? 0
        if (job.jobKey !== null && Array.isArray(job.payload)) return job
        if (open.chunk === null || open.weight + weight > this.#store.above) {
          open.chunk = { key: `${this.#writer}.${++this.#chunks}`, payloads: [] }
          open.weight = 0
          // Megabytes of pictures are not kept in memory for whoever may ask for them.
          if (Number.isFinite(weight)) this.#remember(open.chunk.key, open.chunk.payloads)
        }
        open.weight += weight
        chunks.add(open.chunk)
        const place = open.chunk.payloads.push(copyPlain(job.payload)) - 1
        return { ...job, payload: place, shelf: open.chunk.key, digest: digestOf(job) }
      })
      return { operation: shelved, chunks: [...chunks] }
    })
  }

  /**
   * Puts the payloads of these records in their places. Returns the records whose payload is nowhere any more.
   *
   * @param own what a call brought that has taken effect: it needs no reading, and what cannot be read at the moment (of a
   * job that was there before) is no reason to tell its caller that it failed; that payload is `null` in the answer
   */
  async fill(records: readonly JobRecord[], own?: readonly PayloadChunk[]): Promise<readonly JobRecord[]> {
    const shelved = records.filter(({ payload }) => payload instanceof ShelvedPayload)
    if (shelved.length === 0) return []
    const keys = new Set(shelved.map(({ payload }) => (payload as ShelvedPayload).chunk))
    const chunks = new Map(own?.map(({ key, payloads }) => [key, payloads]))
    const missing = [...keys].filter((key) => !chunks.has(key) && !this.#remembered.has(key))
    if (missing.length > 0) {
      const read = this.#store.read(missing)
      for (const [key, payloads] of await (own === undefined ? read : read.catch(() => []))) chunks.set(key, payloads)
    }
    const lost: JobRecord[] = []
    for (const record of shelved) {
      const { chunk, place } = record.payload as ShelvedPayload
      let payload: unknown
      try {
        payload = copyPlain((chunks.get(chunk) ?? this.#remembered.get(chunk))?.[place])
      } catch {
        // No queue has stored that: somebody put it in the place of a payload.
      }
      if (payload === undefined)
        lost.push(record)
        // The record is the caller's own, made for this answer.
      ;(record as { payload: unknown }).payload = payload ?? null
    }
    // What somebody put there may not even let itself be weighed.
    if (lost.length > 0) return lost
    for (const [key, payloads] of chunks)
      if (payloads.every((payload) => Number.isFinite(weightOf(payload)))) this.#remember(key, payloads)
    return lost
  }

  /**
   * Repeats a search that looks into payloads until all that it needs are at hand: each time more are fetched at once,
   * so that it is repeated a few times only.
   */
  async search<Answer>(attempt: (payloads: PayloadReader) => Promise<Answer>): Promise<Answer> {
    const chunks = new Map<string, readonly unknown[]>()
    for (let most = FIRST_FETCH; ; most *= 4) {
      const missing = new Set<string>()
      const answer = await attempt({
        payloadOf: ({ shelf, payload }) => {
          if (shelf === null) return payload
          const payloads = chunks.get(shelf) ?? this.#remembered.get(shelf)
          if (payloads === undefined) missing.add(shelf)
          return payloads?.[payload as number]
        },
        get isFull() {
          return missing.size >= most
        },
      })
      if (missing.size === 0) return answer
      const read = await this.#store.read([...missing])
      // What is in none of them is lost: nothing stands under it.
      for (const key of missing) chunks.set(key, read.get(key) ?? [])
    }
  }

  #remember(key: string, payloads: readonly unknown[]): void {
    this.#remembered.set(key, payloads)
    if (this.#remembered.size > REMEMBERED) this.#remembered.delete(this.#remembered.keys().next().value as string)
  }
}

/** The end of a job that nobody can run any more. */
export function payloadLost({ id, fence }: JobRecord): Settlement {
  const code = 'HOLDFAST_PAYLOAD_LOST'
  const message = 'Somebody, or the browser, removed or replaced the payload'
  return { id, fence, kind: 'fail', counts: 'failure', error: { name: 'HoldfastError', code, message } }
}

/** The jobs in the answer of a call. Those of a claim are not among them: whoever claims has to know what is lost. */
export function toldBy({ name }: Operation, answer: unknown): readonly JobRecord[] {
  if (name === 'enqueue') {
    const enqueued = answer as EnqueueAnswer
    return enqueued.accepted ? enqueued.jobs.map(({ job }) => job) : []
  }
  if (name === 'settle') return (answer as readonly SettleAnswer[]).flatMap(({ became }) => became ?? [])
  return name === 'amend' ? (answer as readonly AmendAnswer[]).flatMap(({ jobs }) => jobs) : []
}

function jobsOf(operation: Operation): readonly ShelvedJob[] {
  if (operation.name === 'enqueue') return operation.request.jobs
  return operation.name === 'settle' ? operation.request.batch.flatMap(({ enqueue }) => enqueue ?? []) : []
}

function withJobs(operation: Operation, change: (job: ShelvedJob) => ShelvedJob): Operation {
  if (operation.name === 'enqueue') {
    const { request } = operation
    return { name: 'enqueue', request: { ...request, jobs: request.jobs.map(change) } }
  }
  if (operation.name !== 'settle') return operation
  const { request } = operation
  const batch = request.batch.map((item) =>
    item.enqueue === undefined ? item : { ...item, enqueue: item.enqueue.map(change) },
  )
  return { name: 'settle', request: { ...request, batch } }
}

/** About how much a payload is; what is not plain (a Blob, a Date, an ArrayBuffer) is always too much. */
function weightOf(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (!isObject(value)) return 8
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + weightOf(item), 8)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return Number.POSITIVE_INFINITY
  let sum = 8
  for (const key in value) sum += key.length + weightOf(value[key])
  return sum
}
