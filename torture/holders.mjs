/**
 * Who holds what there is only one of, or a few: serial queues, limits, job keys. Told of each change of a job, in the
 * order of the log; asked after each unit, since only whole units are ever seen.
 */
import { LIMIT } from './limit.mjs'

/** @typedef {import('./replay.mjs').Row} Row */
/** @typedef {'crowded' | 'aboveLimit' | 'keyShared' | 'overtaken'} Rule */

export class Holders {
  /** The ids of those that hold a thing. @type {Map<string, { rule: Rule, most: number, ids: Set<string> }>} */
  #things = new Map()
  /** Strict jobs that were started and wait again, by their serial queue. @type {Map<string, string>} */
  #kept = new Map()
  /** @type {Set<string>} */
  #touched = new Set()
  /** @type {Record<Rule, string[]>} */
  broken = { crowded: [], aboveLimit: [], keyShared: [], overtaken: [] }

  /** @param {string} id @param {Row | undefined} before @param {Row | undefined} after */
  changed(id, before, after) {
    for (const [thing] of thingsOf(before)) this.#things.get(thing)?.ids.delete(id)
    for (const [thing, rule, most] of thingsOf(after)) {
      const held = this.#things.get(thing) ?? { rule, most, ids: new Set() }
      this.#things.set(thing, held)
      held.ids.add(id)
      this.#touched.add(thing)
    }
    this.#keep(id, before, after)
  }

  /** To be called when a unit is applied. */
  check() {
    for (const thing of this.#touched) {
      const held = this.#things.get(thing)
      if (held !== undefined && held.ids.size > held.most)
        this.broken[held.rule].push(`${thing} is held by ${[...held.ids].join(', ')}`)
    }
    this.#touched.clear()
  }

  /** @param {string} id @param {Row | undefined} before @param {Row | undefined} after */
  #keep(id, before, after) {
    const queue = before?.queueName ?? after?.queueName
    if (queue === undefined || queue === null) return
    const holder = this.#kept.get(queue)
    if (after?.state === 'running' && before?.state !== 'running' && holder !== undefined && holder !== id)
      this.broken.overtaken.push(`${id} started in ${queue} while ${holder} kept its place`)
    // Whoever replaces a job by its key writes its payload anew.
    const ended = after === undefined || (after.state ?? 'waiting') !== 'waiting'
    if (holder === id && (ended || after.payload !== before?.payload)) this.#kept.delete(queue)
    if (before?.state === 'running' && after?.state === 'waiting' && after.serial === 'strict')
      this.#kept.set(queue, id)
  }
}

/** What a job holds as it is. @param {Row | undefined} job @returns {[thing: string, rule: Rule, most: number][]} */
function thingsOf(job) {
  /** @type {[string, Rule, number][]} */
  const things = []
  if (job === undefined) return things
  const state = job.state ?? 'waiting'
  if (state === 'running' && job.queueName) things.push([`queue ${job.queueName}`, 'crowded', 1])
  if (state === 'running' && job.limitKey) things.push([`limit ${job.type} ${job.limitKey}`, 'aboveLimit', LIMIT])
  if (job.jobKey && state !== 'completed' && state !== 'cancelled') things.push([`key ${job.jobKey}`, 'keyShared', 1])
  return things
}
