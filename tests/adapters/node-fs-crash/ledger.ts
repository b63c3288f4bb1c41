import type { JobRecord, NewJob } from '../../../src/core/storage/contract.ts'

/** How a job may be found. `live` covers waiting and running: a claim may be lost. */
export type End = 'absent' | 'live' | 'failed' | 'cancelled' | `completed ${string}`

interface Entry {
  /** What is possible after all that was asked and answered, and how many who asked for it have no answer. */
  readonly ends: Map<End, number>
  readonly contents: Set<string>
  /** Failed attempts that were acknowledged. */
  failures: number
  /** All that were ever handed out. */
  readonly fences: Set<number>
}

/** No refusal takes it back. */
const CERTAIN = Number.POSITIVE_INFINITY

/**
 * What the callers of a storage know, kept outside it: what they asked for and what was acknowledged. An answer narrows
 * what may be found to one thing; a question without one only adds to it.
 */
export class Ledger {
  /** What a storage did that it never may. */
  readonly problems: string[] = []
  /** How many answers there were. */
  answers = 0
  readonly #epochs = new Set<number>()
  readonly #jobs = new Map<string, Entry>()
  /** Ids that may hold a job key, by key. */
  readonly #holders = new Map<string, readonly string[]>()
  /** Whether a type may be paused, and may be not. */
  readonly #pauses = new Map<string, ReadonlySet<boolean>>()

  copy(): Ledger {
    const copy = new Ledger()
    for (const epoch of this.#epochs) copy.#epochs.add(epoch)
    copy.problems.push(...this.problems)
    for (const [id, { ends, contents, failures, fences }] of this.#jobs)
      copy.#jobs.set(id, { ends: new Map(ends), contents: new Set(contents), failures, fences: new Set(fences) })
    for (const [key, ids] of this.#holders) copy.#holders.set(key, ids)
    for (const [type, may] of this.#pauses) copy.#pauses.set(type, may)
    return copy
  }

  /** Ids of jobs that may hold the key. */
  holders(jobKey: string): readonly string[] {
    return this.#holders.get(jobKey) ?? []
  }

  mayHold(jobKey: string, id: string): void {
    this.#holders.set(jobKey, [...this.holders(jobKey).filter((other) => other !== id), id])
  }

  get acknowledged(): number {
    return [...this.#jobs.values()].filter(({ ends }) => !ends.has('absent')).length
  }

  /** Somebody asks for `end`. Returns what takes it back when that is refused for certain. */
  ask(id: string, end: End): () => void {
    const { ends } = this.#entry(id)
    ends.set(end, (ends.get(end) ?? 0) + 1)
    return () => {
      const asked = ends.get(end)
      if (asked === 1) ends.delete(end)
      else if (asked !== undefined) ends.set(end, asked - 1)
    }
  }

  acknowledge(id: string, end: End): void {
    this.answers += 1
    const { ends } = this.#entry(id)
    ends.clear()
    ends.set(end, CERTAIN)
  }

  /** It is stored; somebody else may have ended it by now. */
  acknowledgeStored(id: string): void {
    this.answers += 1
    const { ends } = this.#entry(id)
    ends.delete('absent')
    if (ends.has('live')) ends.set('live', CERTAIN)
  }

  askContent(id: string, content: string): () => void {
    const { contents } = this.#entry(id)
    if (contents.has(content)) return () => undefined
    contents.add(content)
    return () => void contents.delete(content)
  }

  askPriority(id: string, priority: number): readonly (() => void)[] {
    return [...this.#entry(id).contents].map((content) => {
      const [payload] = JSON.parse(content) as [unknown]
      return this.askContent(id, contentOf({ payload, priority }))
    })
  }

  acknowledgeContent(id: string, content: string): void {
    this.answers += 1
    const { contents } = this.#entry(id)
    contents.clear()
    contents.add(content)
  }

  askPause(type: string, paused: boolean): () => void {
    const before = this.#pauses.get(type) ?? new Set([false])
    this.#pauses.set(type, new Set([...before, paused]))
    return () => this.#pauses.set(type, before)
  }

  acknowledgePause(type: string, paused: boolean): void {
    this.answers += 1
    this.#pauses.set(type, new Set([paused]))
  }

  checkPauses(paused: readonly string[]): readonly string[] {
    return [...this.#pauses].flatMap(([type, may]) =>
      may.has(paused.includes(type)) ? [] : [`${type} is ${paused.includes(type) ? '' : 'not '}paused`],
    )
  }

  failed(id: string): void {
    this.#entry(id).failures += 1
  }

  /** A claim was answered. Answers to several processes may come in another order than their claims. */
  started({ id, fence }: Pick<JobRecord, 'id' | 'fence'>): void {
    this.answers += 1
    const { fences } = this.#entry(id)
    if (fences.has(fence)) this.problems.push(`the fence ${fence} of ${id} was handed out before`)
    fences.add(fence)
  }

  opened(epoch: number): void {
    this.answers += 1
    if (this.#epochs.has(epoch)) this.problems.push(`the epoch ${epoch} was given before`)
    this.#epochs.add(epoch)
  }

  /** The latest claim of all: nothing that came before may be as high. */
  startedLast({ id, fence }: Pick<JobRecord, 'id' | 'fence'>): void {
    const highest = Math.max(...this.#entry(id).fences)
    if (fence < highest) this.problems.push(`the fence ${fence} of ${id} is below ${highest}`)
  }

  /** Compares what is stored with what may be. */
  check(records: readonly JobRecord[]): readonly string[] {
    const found = new Map(records.map((record) => [record.id, record]))
    const problems: string[] = []
    for (const record of records) if (!this.#jobs.has(record.id)) problems.push(`a ghost: ${record.id}`)
    for (const [id, entry] of this.#jobs) {
      const record = found.get(id)
      const end = record === undefined ? 'absent' : endOf(record)
      if (!entry.ends.has(end))
        problems.push(`${id} is ${short(end)}, may be ${[...entry.ends.keys()].map(short).join(', ')}`)
      if (record === undefined) continue
      if (!entry.contents.has(contentOf(record))) problems.push(`${id} holds ${short(contentOf(record))}`)
      if (record.failures < entry.failures) problems.push(`${id} forgot a failed attempt`)
    }
    return problems
  }

  #entry(id: string): Entry {
    let entry = this.#jobs.get(id)
    if (entry === undefined) {
      entry = { ends: new Map([['absent', CERTAIN]]), contents: new Set(), failures: 0, fences: new Set() }
      this.#jobs.set(id, entry)
    }
    return entry
  }
}

export function endOf({ state, result, superseded }: Pick<JobRecord, 'state' | 'result' | 'superseded'>): End {
  if (state === 'completed') return completed(result)
  // One that lost its key while it ran is not run again when its session ends.
  return state === 'waiting' || state === 'running' || superseded ? 'live' : state
}

export function completed(result: unknown): End {
  return `completed ${JSON.stringify(result)}`
}

export function contentOf({ payload, priority }: Pick<NewJob, 'payload' | 'priority'>): string {
  return JSON.stringify([payload, priority])
}

function short(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
