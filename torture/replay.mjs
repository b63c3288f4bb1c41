/**
 * What a journal means, told independently: segments in, the life of each job out. A unit is void when one of its rows
 * is not at the version it expects. Each segment's snapshot has to say what the segments before it add up to; where it
 * does not, the log has forked, and the replay goes on with what the snapshot says, as the queue itself does.
 */
import { isDeepStrictEqual } from 'node:util'
import { Holders } from './holders.mjs'
import { readSegment } from './journal-lines.mjs'

/**
 * @typedef {import('./journal-lines.mjs').Line} Line
 *
 * @typedef {object} JobEvent
 * @property {'created' | 'claimed' | 'ended' | 'removed'} kind
 * @property {string} id
 * @property {number} fence
 * @property {string} state of the job after it
 * @property {boolean} overlapping a claim of a job that was running
 * @property {boolean} superseded a newer job has its key, so it is not retried
 *
 * @typedef {object} Journal
 * @property {JobEvent[]} events in the order of the log
 * @property {string[]} problems where segments are missing or contradict one another
 * @property {Holders['broken']} broken what was held by more than may hold it
 * @property {number} segments
 * @property {number} seals
 * @property {number} records
 * @property {number} joined records that were written in parts
 * @property {number} repeated copies of records, which count for nothing
 * @property {number} voidUnits units that lost a race
 * @property {number} damaged lines
 * @property {number} late lines that came behind a seal
 */

/** @param {unknown} value @param {string[]} fields */
const all = (value, ...fields) => Object.fromEntries(fields.map((field) => [field, value]))

const JOB_DEFAULTS = {
  ...{ state: 'waiting', priority: 1, superseded: false, serial: 'relaxed', payloadVersion: 1 },
  ...all(
    0,
    'attempts',
    'failures',
    'depth',
    'interruptions',
    'unreached',
    'fence',
    'revision',
    'createdAt',
    'maxRetries',
  ),
  ...all(0, 'maxInterruptions', 'timeout', 'leaseDuration'),
  ...all(
    null,
    'delay',
    'expireAfter',
    'expireAt',
    'startedAt',
    'finishedAt',
    'session',
    'claimId',
    'outcome',
    'jobKey',
    'queueName',
    'limitKey',
  ),
  ...all(null, 'backoff', 'cancelRequested', 'progress', 'result', 'error'),
  ...all([], 'groups', 'requires', 'history', 'absorbed'),
}

/**
 * @param {{ number: number, bytes: Buffer }[]} segments by their number, rising
 * @returns {Journal}
 */
export function replay(segments) {
  const replica = new Replica()
  let before = 0
  for (const { number, bytes } of segments) {
    replica.segment(number, before, bytes)
    before = number
  }
  return replica.journal
}

/** @typedef {Record<string, any> & { version: number }} Row */

class Replica {
  /** @type {Journal} */
  journal = {
    events: [],
    problems: [],
    broken: { crowded: [], aboveLimit: [], keyShared: [], overtaken: [] },
    segments: 0,
    seals: 0,
    records: 0,
    joined: 0,
    repeated: 0,
    voidUnits: 0,
    damaged: 0,
    late: 0,
  }
  /** By table and key. @type {Map<string, Row>} */
  #rows = new Map()
  #holders = new Holders()

  constructor() {
    this.journal.broken = this.#holders.broken
  }

  /** @param {number} number @param {number} before the segment read before, 0 for none @param {Buffer} bytes */
  segment(number, before, bytes) {
    const text = readSegment(bytes)
    const { journal } = this
    journal.segments += 1
    journal.seals += Number(text.sealed)
    journal.records += text.records.length
    journal.joined += text.joined
    journal.repeated += text.repeated
    journal.damaged += text.damaged
    journal.late += text.void
    if (!text.whole) {
      const what = text.tombstone ? 'was retired before it was read' : 'does not begin with a whole snapshot'
      journal.problems.push(`segment ${number} ${what}`)
      return
    }
    if (before > 0 && number !== before + 1)
      journal.problems.push(`no segment between ${before} and ${number} was seen`)
    else if (before > 0 || text.rows.length > 0) this.#compare(number, text.rows)
    this.#rows = new Map(text.rows.map(([table, key, row]) => [keyOf(table, key), /** @type {Row} */ (row)]))
    for (const record of text.records) this.#applyAll(record.units)
  }

  /** @param {number} number @param {import('./journal-lines.mjs').SegmentText['rows']} snapshot */
  #compare(number, snapshot) {
    const differences = new Set(this.#rows.keys())
    for (const [table, key, row] of snapshot) {
      const name = keyOf(table, key)
      const own = this.#rows.get(name)
      if (own !== undefined && isDeepStrictEqual(whole(table, row), whole(table, own))) differences.delete(name)
      else differences.add(name)
    }
    const some = [...differences].slice(0, 3).join(', ')
    if (differences.size > 0)
      this.journal.problems.push(
        `the snapshot of segment ${number} contradicts the log before it in ${differences.size} rows: ${some}`,
      )
  }

  /** A unit falls with one of its record that is void and was to write a row that it names. @param {Line[][]} units */
  #applyAll(units) {
    /** @type {Set<string>} */
    const unwritten = new Set()
    for (const unit of units) {
      const builds = unit.some(({ table, key }) => unwritten.has(keyOf(table, key)))
      if (!builds && this.#apply(unit)) continue
      this.journal.voidUnits += 1
      for (const { table, key, to } of unit) if (to !== undefined) unwritten.add(keyOf(table, key))
    }
  }

  /** False when the unit is void. @param {Line[]} unit */
  #apply(unit) {
    const stands = unit.every(({ table, key, expect }) => (this.#rows.get(keyOf(table, key))?.version ?? 0) === expect)
    if (!stands) return false
    for (const change of unit) if (change.to !== undefined) this.#write(change)
    this.#holders.check()
    return true
  }

  /** @param {Line} change */
  #write({ table, key, to, version }) {
    const name = keyOf(table, key)
    const before = this.#rows.get(name)
    const after = to === null ? undefined : { ...before, ...to, version: before ? before.version + 1 : (version ?? 1) }
    if (after === undefined) this.#rows.delete(name)
    else this.#rows.set(name, after)
    if (table !== 'jobs') return
    this.#holders.changed(key, before, after)
    this.#tell(key, before, after, to?.state === 'running')
  }

  /** @param {string} id @param {Row | undefined} before @param {Row | undefined} after @param {boolean} claim */
  #tell(id, before, after, claim) {
    const [was, is] = [stateOf(before), stateOf(after)]
    const kind =
      was === 'absent' ? 'created' : is === 'absent' ? 'removed' : claim ? 'claimed' : is !== was ? 'ended' : null
    if (kind === null) return
    const overlapping = kind === 'claimed' && was === 'running'
    const superseded = after?.superseded === true
    const fence = after?.fence ?? before?.fence ?? 0
    this.journal.events.push({ kind, id, fence, state: is, overlapping, superseded })
  }
}

/** @param {string} table @param {string} key */
function keyOf(table, key) {
  return `${table}/${key}`
}

/** A row says only what is not the default. @param {Row | undefined} row */
function stateOf(row) {
  return row === undefined ? 'absent' : (row.state ?? 'waiting')
}

/**
 * A row with what it leaves out: a job says only what is not the default. Its place in the order of enqueues is not in
 * the units, and its id is its key.
 *
 * @param {string} table @param {Line} row
 */
function whole(table, row) {
  if (table !== 'jobs') return row
  /** @type {Line} */
  const fields = { ...JOB_DEFAULTS, runAt: row.createdAt ?? 0, ...row }
  delete fields.sequence
  delete fields.id
  return fields
}
