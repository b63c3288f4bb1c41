import Table from 'cli-table3'

const MOST_SHOWN = 5
const number = new Intl.NumberFormat('en')
const withoutLines = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' }

/** @type {Record<keyof import('./checker.mjs').Findings, string>} */
const RULES = {
  lost: 'acknowledged jobs lost',
  acceptedTwice: 'outcomes accepted twice',
  fenceReused: 'fences reused',
  overlapping: 'claims of a job that was running',
  unasked: 'jobs that nobody asked for',
  unrecorded: 'acknowledgements not in the journal',
  spoiled: 'payloads that came back different',
  failed: 'jobs that ended failed',
  crowded: 'serial queues in which two ran',
  overtaken: 'strict jobs that were overtaken',
  aboveLimit: 'limits of which more ran',
  keyShared: 'keys with two holders',
  forked: 'segments missing or contradicting the log',
}

/** What happened in a run, and whether all of it held. @param {import('./torture.mjs').Outcome} outcome */
export function summary({ deeds, journal, told, findings, problems, folder, missing, verdict }) {
  const table = new Table({ chars: withoutLines, style: { border: [] } })
  const add = (/** @type {string} */ name, /** @type {string} */ text) => table.push([name, text])
  add('processes', `${number.format(deeds.started)} started`)
  add('kills', `${number.format(deeds.kills)} (${deeds.killsInRolls} during a roll, ${deeds.massKills} × all at once)`)
  add('pauses', `${number.format(deeds.pauses)} (${deeds.pausesInRolls} during a roll)`)
  add('torn writes', `${number.format(deeds.tears)}, ${number.format(journal.damaged)} damaged lines read`)
  add('rolls', `${number.format(journal.seals)}; ${number.format(journal.late)} late lines behind seals`)
  add(
    'journal',
    `${number.format(journal.records)} records, ${journal.joined} of them in parts, ${number.format(journal.repeated)} copies; ${number.format(journal.voidUnits)} units lost a race`,
  )
  add('jobs', `${number.format(told.enqueued)} acknowledged, ${number.format(told.completed)} completions`)
  add('attempts', `${number.format(told.started)} started, ${told.interrupted} taken back, ${told.lost} told so later`)
  add('what was left', `done in ${(deeds.drained / 1000).toFixed(1)} s`)
  for (const [rule, name] of Object.entries(RULES))
    add(name, number.format(findings[/** @type {keyof typeof findings} */ (rule)].length))
  const lines = [table.toString(), ...problems, ...Object.entries(findings).flatMap(casesOf)]
  const ends = {
    broken: `BROKEN. Journal and acknowledgements: ${folder}`,
    'nothing shown': `NOTHING WAS SHOWN, though nothing broke: ${missing.join(', ')}.`,
    'too short': `Too short to show anything: ${missing.join(', ')}.`,
    held: 'All of it held.',
  }
  return [...lines, ends[verdict]].join('\n')
}

/** @param {[string, string[]]} finding */
function casesOf([rule, cases]) {
  const name = RULES[/** @type {keyof typeof RULES} */ (rule)]
  const more = cases.length > MOST_SHOWN ? [`${name}: and ${cases.length - MOST_SHOWN} more`] : []
  return [...cases.slice(0, MOST_SHOWN).map((text) => `${name}: ${text}`), ...more]
}
