import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readAcks } from './acknowledgements.mjs'
import { brokenRules, check } from './checker.mjs'
import { Director } from './director.mjs'
import { replay } from './replay.mjs'
import { SeededRandom } from './seeded-random.mjs'
import { allSegments, segmentsIn } from './segments.mjs'
import { missingIn, verdictOn } from './verdict.mjs'

/** How long what is left may take once nobody is killed any more: leases have to run out first. ms */
const DRAIN_LIMIT = 60_000

/** Errors that a process which was paused beyond its lease has to expect. */
const EXPECTED = ['HOLDFAST_SESSION_ENDED', 'HOLDFAST_LEASE_LOST']

/**
 * @typedef {object} TortureOptions
 * @property {number} seconds
 * @property {number} processes
 * @property {number} seed
 * @property {number} rollAt bytes
 *
 * @typedef {object} Outcome
 * @property {import('./director.mjs').Deeds} deeds
 * @property {Omit<import('./replay.mjs').Journal, 'events' | 'problems' | 'broken'>} journal
 * @property {Record<import('./acknowledgements.mjs').AckKind, number>} told how often processes were told what
 * @property {import('./checker.mjs').Findings} findings
 * @property {string[]} problems of the processes themselves, and errors that nothing accounts for
 * @property {string} folder where everything of this run lies; removed when nothing is wrong with it
 * @property {string[]} missing what did not happen, so that nothing was shown
 * @property {import('./verdict.mjs').Verdict} verdict
 */

/** One run: torture, drain, check. @param {TortureOptions} options @returns {Promise<Outcome>} */
export async function torture({ seconds, processes, seed, rollAt }) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-torture-'))
  const places = { directory: join(folder, 'jobs'), archive: join(folder, 'archive'), acks: join(folder, 'acks') }
  for (const place of Object.values(places)) mkdirSync(place, { mode: 0o700 })

  const director = new Director({ ...places, processes, rollAt }, new SeededRandom(seed))
  try {
    const isShown = () => verdictOn({ seconds, wrong: 0, missing: missingNow(director, places) }) !== 'nothing shown'
    await director.torment(seconds, isShown)
    await director.drain(DRAIN_LIMIT)
  } finally {
    await director.endAll()
  }

  const acks = readAcks(places.acks)
  const { events, problems: forks, broken, ...journal } = replay(allSegments(places))
  const findings = check({ acks, journal: { events, problems: forks, broken } })
  const told = counted(acks)
  const problems = [...director.problems, ...unexpectedErrors(acks)]
  const { deeds } = director
  const missing = missingIn({ ...deeds, ...told, rolls: journal.seals })
  const verdict = verdictOn({ seconds, wrong: brokenRules(findings) + problems.length, missing })
  if (verdict !== 'broken') rmSync(folder, { recursive: true })
  return { deeds, journal, told, findings, problems, folder, missing, verdict }
}

/** @param {Director} director @param {{ directory: string, acks: string }} places */
function missingNow({ deeds }, { directory, acks }) {
  // Nothing is published but by a roll, except the first segment.
  const rolls = Math.max(0, (segmentsIn(directory).at(-1) ?? 0) - 1)
  return missingIn({ ...deeds, ...counted(readAcks(acks)), rolls })
}

/** @param {import('./acknowledgements.mjs').Ack[]} acks */
function unexpectedErrors(acks) {
  const errors = acks.filter(({ kind, id }) => kind === 'error' && !EXPECTED.some((code) => id.startsWith(code)))
  const kinds = [...new Set(errors.map(({ id }) => id))]
  return kinds.map((kind) => {
    const same = errors.filter(({ id }) => id === kind)
    return `${same.length} × ${kind}: ${same[0]?.text ?? ''}`
  })
}

/** @param {import('./acknowledgements.mjs').Ack[]} acks */
function counted(acks) {
  const counts = {
    asked: 0,
    enqueued: 0,
    started: 0,
    completed: 0,
    lost: 0,
    interrupted: 0,
    failed: 0,
    spoiled: 0,
    error: 0,
  }
  for (const { kind } of acks) counts[kind] += 1
  return counts
}
