import { type Automation, automationsOf, FILLED } from './automation-definition.ts'
import { HoldfastError, toErrorData } from './errors.ts'
import type { EnqueueOptions } from './intake.ts'
import { toJob } from './job.ts'
import { tooLarge } from './payload.ts'
import type { QueueCore } from './queue-core.ts'
import { testOf } from './storage/condition-test.ts'
import type { NewJob, Settlement } from './storage/contract.ts'
import { settled } from './storage/transitions.ts'
import { fill, fillName, type Source } from './template.ts'
import { isThenable } from './thenable.ts'

/** One thing that happened. */
export interface Happening {
  readonly event: string
  readonly document: unknown
  readonly previous?: unknown
  readonly now: number
  /** How many automations in a row led to it. */
  readonly depth: number
}

type FilledOptions = Omit<EnqueueOptions, 'id' | (typeof FILLED)[number]> & {
  readonly id: string
} & { [Option in (typeof FILLED)[number]]?: string }

/** Automations that trigger each other, and jobs that trigger themselves, end here. */
const MOST_AUTOMATIONS_IN_A_ROW = 16

/** How long a context goes by what it knows of automations that others may have defined. ms */
const KNOWN_FOR = 1000

/** The automations that follow jobs. Each outcome asks for them, so they are read once a second at most. */
export class JobAutomations {
  readonly #core: Pick<QueueCore, 'storage' | 'environment'>
  #known: readonly Automation[] | Promise<readonly Automation[]> = []
  #readAt = -Infinity

  constructor(core: Pick<QueueCore, 'storage' | 'environment'>) {
    this.#core = core
  }

  /** They were changed here, or could not be read. */
  forget(): void {
    this.#readAt = -Infinity
  }

  /** A promise only where they have to be read: an outcome and the claim for its slot go into one flush. */
  known(): readonly Automation[] | Promise<readonly Automation[]> {
    const now = this.#core.environment.monotonic()
    if (now - this.#readAt < KNOWN_FOR) return this.#known
    // From before it is read: what is changed meanwhile is read again.
    this.#readAt = now
    const reading = this.#read()
    this.#known = reading
    reading.then(
      (automations) => {
        if (this.#known === reading) this.#known = automations
      },
      () => undefined,
    )
    return reading
  }

  async #read(): Promise<readonly Automation[]> {
    try {
      return (await automationsOf(this.#core)).filter(({ on }) => on.startsWith('job:'))
    } catch (error) {
      this.forget()
      throw error
    }
  }
}

/** Outcomes with the jobs that automations make of them: both are stored in one step. */
export function withAutomations(
  core: QueueCore,
  batch: readonly Settlement[],
): readonly Settlement[] | Promise<readonly Settlement[]> {
  const known = core.jobAutomations.known()
  return !isThenable(known) && known.length === 0 ? batch : followed(core, batch, known)
}

async function followed(
  core: QueueCore,
  batch: readonly Settlement[],
  known: readonly Automation[] | Promise<readonly Automation[]>,
): Promise<readonly Settlement[]> {
  const automations = await known
  if (automations.length === 0) return batch
  const now = core.environment.now()
  const records = await core.storage.get(batch.map(({ id }) => id))
  return Promise.all(
    batch.map(async (settlement, at) => {
      const record = records[at] ?? null
      if (record === null) return settlement
      // One that would be retried fails if its key is taken, which may happen at any moment until the storage decides:
      // what follows that is brought along, and stored only then. [chain]
      const holder = { ...record, superseded: record.superseded || record.jobKey !== null }
      const job = toJob({ ...record, ...settled(holder, settlement, now) }, now)
      if (job.status !== 'completed' && job.status !== 'failed') return settlement
      const happening = { event: `job:${job.status}`, document: job, now, depth: record.depth }
      const jobs = await jobsAfter(core, happening, automations)
      return jobs.length === 0 ? settlement : { ...settlement, enqueue: [...(settlement.enqueue ?? []), ...jobs] }
    }),
  )
}

/** The jobs that automations make of what happened. */
export async function jobsAfter(
  core: QueueCore,
  happening: Happening,
  automations: readonly Automation[],
): Promise<readonly NewJob[]> {
  const { event } = happening
  const any = `*:${event.slice(event.indexOf(':') + 1)}`
  const jobs: NewJob[] = []
  for (const automation of automations) {
    const { on, enabled } = automation
    if (!enabled || (on !== event && (on !== any || event.startsWith('job:')))) continue
    const job = await jobOf(core, automation, happening)
    if (job !== null) jobs.push(job)
  }
  return jobs
}

/** `null`: its condition does not hold. What goes wrong is the automation's, and no harm to what happened. */
async function jobOf(core: QueueCore, automation: Automation, happening: Happening): Promise<NewJob | null> {
  const { where, enqueue, atomic } = automation
  const { job, settings = {} } = enqueue
  const { depth, event, now } = happening
  const id = core.newId()
  const lost = new Set<string>()
  let filled = 0
  const source: Source = {
    ...happening,
    facts: { $id: id, $event: event, $now: now },
    missing: (path) => lost.add(path),
    spend: (characters) => {
      filled += characters
      if (filled > core.payloadLimit) throw tooLarge('payload', filled, core.payloadLimit, 'or more')
    },
  }
  let payload: unknown = null
  const options: FilledOptions = { ...enqueue.options, id }
  try {
    if (!testOf(where, event.startsWith('job:'))(happening.document)) return null
    for (const option of FILLED) if (options[option] !== undefined) options[option] = fillName(options[option], source)
    payload = fill(enqueue.payload, source)
    if (depth >= MOST_AUTOMATIONS_IN_A_ROW) throw failure(automation, `${depth} automations led to it: it is a loop`)
    if (lost.size > 0) throw failure(automation, `the document has no ${[...lost].join(', ')}`)
    return await core.intake.prepareNamed(job, payload, settings, options, depth + 1)
  } catch (error) {
    const reason = HoldfastError.is(error, 'HOLDFAST_AUTOMATION') ? error : failure(automation, 'see the cause', error)
    if (atomic) throw reason
    return core.intake.broken(job, payload, settings, options, depth + 1, toErrorData(reason))
  }
}

function failure({ name: named, on }: Automation, why: string, cause?: unknown): HoldfastError {
  const message = `Automation \`${named}\` (${on}) made no job: ${why}`
  return new HoldfastError('HOLDFAST_AUTOMATION', message, cause === undefined ? {} : { cause })
}
