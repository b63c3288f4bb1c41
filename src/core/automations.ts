import { Administration } from './administration.ts'
import {
  type Automation,
  automationFrom,
  automationOf,
  type AutomationOptions,
  automationsOf,
} from './automation-definition.ts'
import { type Happening, jobsAfter } from './automation-jobs.ts'
import { documentCopy } from './document.ts'
import { invalidOption } from './errors.ts'
import { anything, boolean, name, readOptions } from './options.ts'
import type { EnqueuedJob } from './queue.ts'
import type { DefineRequest, NewJob } from './storage/contract.ts'

export interface EmitOptions {
  /** The document before an update or delete: `${old.status}`. */
  readonly previous?: unknown
}

/** Jobs that follow events, by what is stored under a name; see docs/automations.md. */
export abstract class Automated extends Administration {
  /** Does nothing for no jobs. */
  protected abstract store(jobs: readonly NewJob[]): Promise<readonly EnqueuedJob[]>
  protected abstract takesJobs(): void

  /**
   * Stores an automation: from when this resolves, and after a restart too, each event it fits enqueues its job. The end
   * of a job in another process or tab does so a second later at the latest.
   *
   * @throws HOLDFAST_INVALID_OPTION naming the place, HOLDFAST_UNKNOWN_JOB, HOLDFAST_SCHEMA_MISMATCH where no document
   * could make the payload fit its schema, HOLDFAST_WORKERS_DISABLED; nothing was stored
   */
  async automate(options: AutomationOptions): Promise<Automation> {
    return (await this.toAutomate(options))()
  }

  /** @internal */
  async toAutomate(options: AutomationOptions): Promise<() => Promise<Automation>> {
    this.takesJobs()
    const { name: named, ...value } = await automationOf(this.open(), options)
    return async () => {
      await this.#define({ name: named, value })
      return automationFrom(named, value)
    }
  }

  /** All automations, by name. */
  async automations(): Promise<readonly Automation[]> {
    return automationsOf(this.open())
  }

  /** Keeps an automation and makes it do nothing, or (`true`) do its work again. False when there is none of the name. */
  async enableAutomation(called: string, enabled: boolean): Promise<boolean> {
    return this.#define({ name: name('name', called), change: { enabled: boolean('enabled', enabled) } })
  }

  /** False when there was none of the name. */
  async removeAutomation(called: string): Promise<boolean> {
    return this.#define({ name: name('name', called), value: null })
  }

  /** Whether there was one of the name before. */
  async #define(item: DefineRequest['batch'][number]): Promise<boolean> {
    const { storage, jobAutomations } = this.open()
    const [known = false] = await storage.define({ kind: 'automation', batch: [item] })
    jobAutomations.forget()
    return known
  }

  /**
   * Tells that something happened: `insert:users`, `update:users` or `delete:users`. Answers the jobs that automations
   * made of it, those that could not be made among them: they are `failed` with `HOLDFAST_AUTOMATION`. The document, and
   * the one before, is taken as it is at the call and may be anything: a Date is its ISO text, an object its own
   * properties; what else JSON has no value for, or is larger than a payload, matters only where it is filled in.
   *
   * @throws HOLDFAST_INVALID_OPTION; HOLDFAST_AUTOMATION when an automation that is `atomic` refuses, and nothing was stored
   */
  async emit(event: string, document: unknown, options: EmitOptions = {}): Promise<readonly EnqueuedJob[]> {
    return this.emitFrom(0, event, document, options)
  }

  /** @internal */
  async emitFrom(
    depth: number,
    event: string,
    document: unknown,
    options: EmitOptions,
  ): Promise<readonly EnqueuedJob[]> {
    this.takesJobs()
    const core = this.open()
    const { previous } = readOptions('emit', options, { previous: anything })
    if (!/^(?:insert|update|delete):./.test(name('event', event)))
      throw invalidOption('event', 'insert:TABLE, update:TABLE or delete:TABLE', event)
    const happening: Happening = {
      event,
      document: documentCopy(document),
      previous: documentCopy(previous),
      now: core.environment.now(),
      depth,
    }
    return this.store(await jobsAfter(core, happening, await automationsOf(core)))
  }
}
