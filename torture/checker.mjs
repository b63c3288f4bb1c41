/**
 * Compares what processes were told with what the journal says. Each rule is a list of the cases that break it: all
 * lists empty is the only good answer. That every rule can fail is shown by the doctored histories in
 * tests/adapters/node-fs-torture.test.ts.
 */

/**
 * @typedef {object} Findings
 * @property {string[]} lost acknowledged jobs that did not complete
 * @property {string[]} acceptedTwice jobs of which more than one outcome was accepted
 * @property {string[]} fenceReused attempts (job and fence) that were started twice
 * @property {string[]} overlapping claims of a job that was running
 * @property {string[]} unasked jobs that nobody asked for
 * @property {string[]} unrecorded acknowledgements of which the journal knows nothing
 * @property {string[]} spoiled jobs whose payload was not the one that was enqueued
 * @property {string[]} failed jobs that ended failed or cancelled, which no job here should
 * @property {string[]} crowded serial queues in which two ran
 * @property {string[]} overtaken jobs that started while a strict one kept its place in their serial queue
 * @property {string[]} aboveLimit limits of which more ran than may
 * @property {string[]} keyShared keys with more than one holder
 * @property {string[]} forked segments that are missing or contradict the log before them
 *
 * @typedef {object} History
 * @property {readonly import('./acknowledgements.mjs').Ack[]} acks
 * @property {Pick<import('./replay.mjs').Journal, 'events' | 'problems' | 'broken'>} journal
 */

/** @param {History} history @returns {Findings} */
export function check({ acks, journal }) {
  const told = new Told(acks)
  const logged = new Logged(journal.events)
  return {
    lost: [...told.jobs].filter((id) => !logged.completed.has(id) && !logged.superseded.has(id)),
    acceptedTwice: [...new Set([...repeated(told.completed.map(({ id }) => id)), ...logged.completedAgain])],
    fenceReused: [...new Set([...repeated(told.started.map(attemptOf)), ...logged.fenceNotRisen])],
    overlapping: logged.overlapping,
    unasked: [...logged.created].filter((id) => !told.asked.has(id)),
    unrecorded: [
      ...[...told.jobs].filter((id) => !logged.created.has(id)).map((id) => `enqueue of ${id}`),
      ...told.started
        .map(attemptOf)
        .filter((attempt) => !logged.claims.has(attempt))
        .map((name) => `start of ${name}`),
      ...told.completed
        .map(attemptOf)
        .filter((attempt) => !logged.completions.has(attempt))
        .map((name) => `end of ${name}`),
    ],
    spoiled: told.spoiled,
    failed: logged.failed,
    ...journal.broken,
    forked: [...journal.problems],
  }
}

/** How many cases break a rule, over all rules. @param {Findings} findings */
export function brokenRules(findings) {
  return Object.values(findings).reduce((sum, cases) => sum + cases.length, 0)
}

/** What the processes were told. */
class Told {
  /** @type {Set<string>} */
  asked = new Set()
  /** Acknowledged jobs. @type {Set<string>} */
  jobs = new Set()
  /** @type {import('./acknowledgements.mjs').Ack[]} */
  started = []
  /** @type {import('./acknowledgements.mjs').Ack[]} */
  completed = []
  /** @type {string[]} */
  spoiled = []

  /** @param {readonly import('./acknowledgements.mjs').Ack[]} acks */
  constructor(acks) {
    for (const ack of acks) {
      if (ack.kind === 'asked') this.asked.add(ack.id)
      else if (ack.kind === 'enqueued') this.jobs.add(ack.id)
      else if (ack.kind === 'started') this.started.push(ack)
      else if (ack.kind === 'spoiled') this.spoiled.push(`${ack.id}: ${ack.text ?? ''}`)
      else if (ack.kind === 'completed') {
        this.completed.push(ack)
        // Stored in the same step as the outcome, so it is acknowledged with it.
        if (ack.chained !== undefined) this.jobs.add(ack.chained)
      }
    }
  }
}

/** What the journal says. */
class Logged {
  /** @type {Set<string>} */
  created = new Set()
  /** @type {Set<string>} */
  completed = new Set()
  /** Attempts that were claimed. @type {Set<string>} */
  claims = new Set()
  /** Attempts whose completion was accepted. @type {Set<string>} */
  completions = new Set()
  /** @type {string[]} */
  completedAgain = []
  /** @type {string[]} */
  fenceNotRisen = []
  /** @type {string[]} */
  overlapping = []
  /** @type {string[]} */
  failed = []
  /** Jobs that ended without completing since a newer one took their key. @type {Set<string>} */
  superseded = new Set()
  /** The highest fence of each job. @type {Map<string, number>} */
  #fences = new Map()

  /** @param {readonly import('./replay.mjs').JobEvent[]} events */
  constructor(events) {
    for (const event of events) {
      if (event.kind === 'created') this.#created(event)
      else if (event.kind === 'claimed') this.#claimed(event)
      else if (event.kind === 'ended') this.#ended(event)
    }
  }

  /** @param {import('./replay.mjs').JobEvent} event */
  #created({ id }) {
    // A job that was completed, removed and made again would run again.
    if (this.completed.has(id)) this.completedAgain.push(id)
    this.created.add(id)
  }

  /** @param {import('./replay.mjs').JobEvent} event */
  #claimed(event) {
    const highest = this.#fences.get(event.id) ?? 0
    if (event.fence <= highest) this.fenceNotRisen.push(attemptOf(event))
    this.#fences.set(event.id, Math.max(highest, event.fence))
    this.claims.add(attemptOf(event))
    if (event.overlapping) this.overlapping.push(attemptOf(event))
  }

  /** @param {import('./replay.mjs').JobEvent} event */
  #ended(event) {
    if (event.state === 'completed') {
      if (this.completed.has(event.id)) this.completedAgain.push(event.id)
      this.completed.add(event.id)
      this.completions.add(attemptOf(event))
    } else if (event.state === 'failed' && event.superseded) this.superseded.add(event.id)
    else if (event.state !== 'waiting') this.failed.push(`${event.id} ended ${event.state}`)
  }
}

/** @param {{ id: string, fence?: number }} attempt */
function attemptOf({ id, fence }) {
  return `${id} with fence ${fence}`
}

/** @param {readonly string[]} names */
function repeated(names) {
  const seen = new Set()
  return names.filter((name) => seen.size === seen.add(name).size)
}
