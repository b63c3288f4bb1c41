/**
 * What processes that share serial queues, limits and keys note in one file, and what it says of them. A line is one
 * small append: the file has them in the order in which they were written, whoever wrote them. A start is noted after its
 * claim and an end before its outcome is stored, so two that overlap here ran at the same time.
 */
import { appendFileSync, readFileSync } from 'node:fs'

/** How many of a tenant may run at once. */
export const MOST_OF_TENANT = 2
/** How many of `pace` may start in a window. */
export const STARTS = 3
/** The window, ms. */
export const PER = 100
export const PACE = 'pace'

/**
 * `enqueued`: that was acknowledged. `collected`: that its item was put into the list of a key was. `start`, `end`: of a
 * handler. `killing`: the process is about to be killed, with all that it holds. `begin`: before there was any job.
 *
 * @typedef {object} Line
 * @property {'begin' | 'enqueued' | 'collected' | 'start' | 'end' | 'killing'} what
 * @property {string} who the process
 * @property {string} [id] of the job, or the item
 * @property {string} [thing] what the job takes a place in
 * @property {number} at monotonic ms, the same for all processes
 */

/** @param {string} file @param {Omit<Line, 'at'>} line */
export function note(file, line) {
  appendFileSync(file, `${JSON.stringify({ ...line, at: Number(process.hrtime.bigint()) / 1e6 })}\n`)
}

/** @param {string} file @returns {Line[]} */
export function linesIn(file) {
  // What stands behind the last line break is being written.
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}

/** @param {string} thing */
const mostOf = (thing) => (thing === PACE ? Infinity : thing.startsWith('tenant ') ? MOST_OF_TENANT : 1)

/** Who runs what, line by line. */
export class Holders {
  /** Runs that are too many, or too soon. @type {string[]} */
  problems = []
  /** Kills of processes that held a place in a line and one in a tenant. */
  deaths = 0
  /** By thing, who ran jobs of it. @type {Map<string, Set<string>>} */
  ranBy = new Map()
  /** Things of which as many ran as may. @type {Set<string>} */
  full = new Set()
  /** By thing, the runs that go on. @type {Map<string, Line[]>} */
  #running = new Map()
  /** @type {Set<string>} */
  #doomed = new Set()
  #begun = 0
  #starts = 0

  /** @param {readonly Line[]} lines */
  constructor(lines) {
    for (const line of lines) {
      if (line.what === 'begin') this.#begun = line.at
      else if (line.what === 'start') this.#start(line)
      else if (line.what === 'end') this.#over(({ who, id }) => who === line.who && id === line.id)
      else if (line.what === 'killing') this.#killing(line.who)
    }
  }

  /** Whether the process runs one of a line and one of a tenant. @param {string} who */
  holdsBoth(who) {
    const kinds = [...this.#running].filter(([, runs]) => runs.some((run) => run.who === who)).map(([thing]) => thing)
    return ['line ', 'tenant '].every((kind) => kinds.some((thing) => thing.startsWith(kind)))
  }

  /** @param {Line} line */
  #start(line) {
    const { who, thing = '' } = line
    const runs = this.#running.get(thing) ?? []
    this.ranBy.set(thing, (this.ranBy.get(thing) ?? new Set()).add(who))
    if (runs.length >= mostOf(thing))
      this.problems.push(`${thing}: ${line.id} by ${who} beside ${runs.map(({ id }) => id).join(', ')}`)
    // What it starts in its last moments ends with them.
    if (!this.#doomed.has(who)) this.#running.set(thing, [...runs, line])
    if (runs.length + 1 === mostOf(thing)) this.full.add(thing)
    if (thing === PACE) this.#paced(line)
  }

  /** @param {Line} line */
  #paced({ id, at }) {
    this.#starts += 1
    // A clock behind in a session that ended before others first looked frees one window (decision 52).
    const windows = 1 + Math.floor((at - this.#begun) / PER) + this.#doomed.size
    if (this.#starts > STARTS * windows) this.problems.push(`${PACE}: ${id} is number ${this.#starts}`)
  }

  /** @param {(run: Line) => boolean} which */
  #over(which) {
    for (const [thing, runs] of this.#running)
      this.#running.set(
        thing,
        runs.filter((run) => !which(run)),
      )
  }

  /** @param {string} who */
  #killing(who) {
    if (this.holdsBoth(who)) this.deaths += 1
    this.#doomed.add(who)
    this.#over((run) => run.who === who)
  }
}
