import { parseArgs } from 'node:util'

export const usage = `npm run torture [-- --seconds 60 --processes 8 --seed N --roll-at BYTES]

Real processes enqueue and execute jobs in one directory, are killed, paused and disturbed at random, and an independent
reader of their journal compares what it holds with what they were told. Then a job that kills its process each time.

  --seconds N     how long the torture lasts (60); up to a minute longer where something has not happened by then
  --processes N   how many processes there are at any time (8)
  --seed N        repeats the choices of an earlier run, though not its timing (a new one)
  --roll-at BYTES how long a log grows before it is rolled (16384)

Exit code: 0 everything held, 1 it did not, or 5 s and more brought no kill, no pause, no torn write, no roll, no
acknowledged or no completed job, 2 the arguments are wrong.`

const DEFAULTS = { seconds: 60, processes: 8, 'roll-at': 16_384 }

/** The arguments ask for something that cannot be done. */
export class UsageError extends Error {}

/** @param {string[]} args @returns {import('./torture.mjs').TortureOptions | null} `null`: only help is asked for */
export function tortureOptions(args) {
  const values = parsed(args)
  if (values.help) return null
  return {
    seconds: whole('seconds', values.seconds ?? DEFAULTS.seconds, 1),
    processes: whole('processes', values.processes ?? DEFAULTS.processes, 1),
    seed: whole('seed', values.seed ?? Math.floor(Math.random() * 2 ** 32), 0),
    rollAt: whole('roll-at', values['roll-at'] ?? DEFAULTS['roll-at'], 1),
  }
}

/** @param {string[]} args */
function parsed(args) {
  const text = /** @type {const} */ ({ type: 'string' })
  const options = /** @type {const} */ ({
    seconds: text,
    processes: text,
    seed: text,
    'roll-at': text,
    help: { type: 'boolean', short: 'h' },
  })
  try {
    return parseArgs({ args, options }).values
  } catch (error) {
    const [sentence = ''] = /** @type {Error} */ (error).message.split('. ')
    throw new UsageError(`${sentence} (--help tells what there is)`)
  }
}

/** @param {string} name @param {string | number} given @param {number} least */
function whole(name, given, least) {
  const value = Number(given)
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new UsageError(`--${name} has to be an integer from ${least}, and is ${given}`)
}
