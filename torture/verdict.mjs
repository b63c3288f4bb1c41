/** Shorter runs may end before the processes have done anything. s */
const LONG_ENOUGH = 5

/**
 * What has to have happened for a run to show anything. Rolls above all: while they were rare, a 40-second run looked
 * clean for a scheme that lost two thirds of the acknowledged jobs, so a run without any is no proof, whatever it found.
 *
 * @typedef {object} Happened how often
 * @property {number} kills
 * @property {number} pauses
 * @property {number} tears writes that were cut short
 * @property {number} rolls
 * @property {number} enqueued acknowledged
 * @property {number} completed acknowledged
 */

/** What did not happen. @param {Happened} happened @returns {string[]} */
export function missingIn(happened) {
  return Object.entries(NAMES).flatMap(([deed, name]) =>
    happened[/** @type {keyof Happened} */ (deed)] === 0 ? [name] : [],
  )
}

/** @type {Record<keyof Happened, string>} */
const NAMES = {
  kills: 'no kill',
  pauses: 'no pause',
  tears: 'no torn write',
  rolls: 'no roll (a smaller --roll-at makes more)',
  enqueued: 'no job acknowledged',
  completed: 'no job completed',
}

/** @typedef {'broken' | 'nothing shown' | 'too short' | 'held'} Verdict */

/** @param {{ seconds: number, wrong: number, missing: string[] }} run @returns {Verdict} */
export function verdictOn({ seconds, wrong, missing }) {
  if (wrong > 0) return 'broken'
  if (missing.length === 0) return 'held'
  return seconds >= LONG_ENOUGH ? 'nothing shown' : 'too short'
}
