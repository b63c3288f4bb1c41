import { opendir, realpath } from 'node:fs/promises'
import { dirname, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

export const usage = `npm start [-- FOLDER] [--workers N]

Compresses every file below FOLDER (default: this repository), one job each, into .holdfast/quickstart/out, and writes
.holdfast/quickstart/manifest.json. Folders named .git, node_modules, .holdfast and dist are left out, links to folders
are not followed.

The jobs are kept in .holdfast/quickstart/jobs. End it at any moment, with Ctrl-C or kill -9: the same command carries
on where it was, also beside a run that is under way. Once all is done, the same command begins a new run, and so does
another FOLDER, which has to wait for a run that is under way.

  --workers N   work in N processes on the same jobs (default 1)

Exit code: 0 all files were compressed, 1 some failed, 2 the arguments are wrong or the run of another FOLDER is under way,
130 interrupted by Ctrl-C, 143 by SIGTERM, 141 by a reader of its output that went away.`

/** More processes than that only get into each other's way. */
const MOST_WORKERS = 64

/** The arguments ask for something that cannot be done. */
export class UsageError extends Error {}

/**
 * @param {string[]} args
 * @param {string} work where the quickstart writes
 * @returns {Promise<{ help: boolean, folder: string, workers: number }>}
 */
export async function whatToDo(args, work) {
  // Without the `--` npm takes what begins with two dashes for an option of its own, and hands on the rest.
  if (process.env.npm_lifecycle_event === 'start' && process.env.npm_config_workers !== undefined)
    throw new UsageError('npm took --workers for its own: type npm start -- --workers N')
  const { values, positionals } = parsed(args)
  if (values.help) return { help: true, folder: '', workers: 0 }
  const workers = Number(values.workers ?? 1)
  if (!Number.isInteger(workers) || workers < 1 || workers > MOST_WORKERS)
    throw new UsageError(`--workers has to be an integer from 1 to ${MOST_WORKERS}, and is ${values.workers}`)
  if (positionals.length > 1) throw new UsageError(`expected one FOLDER, got ${positionals.length}`)
  const [given] = positionals
  if (given === '') throw new UsageError('FOLDER is empty')
  // npm changes to the folder of the package; a relative path is meant from where the user stands.
  const here = process.env.npm_lifecycle_event === 'start' ? process.env.INIT_CWD : undefined
  const repository = fileURLToPath(new URL('..', import.meta.url))
  const folder = await readable(given === undefined ? repository : resolve(here ?? '.', given), given ?? repository)
  if (`${folder}${sep}`.startsWith(`${dirname(work)}${sep}`))
    throw new UsageError(`${given} is where the quickstart writes`)
  return { help: false, folder, workers }
}

/** @param {string[]} args */
function parsed(args) {
  try {
    const options = /** @type {const} */ ({ help: { type: 'boolean', short: 'h' }, workers: { type: 'string' } })
    return parseArgs({ args, allowPositionals: true, options })
  } catch (error) {
    const [sentence = ''] = /** @type {Error} */ (error).message.split('. ')
    throw new UsageError(`${sentence} (--help tells what there is)`)
  }
}

const reasons = { ENOENT: 'does not exist', ENOTDIR: 'is not a folder', EACCES: 'is not readable' }

/** The folder's real path. @param {string} path @param {string} given as the user wrote it */
async function readable(path, given) {
  try {
    await (await opendir(path)).close()
    return await realpath(path)
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error)
    throw new UsageError(`${given} ${reasons[/** @type {keyof reasons} */ (code)] ?? `cannot be read: ${message}`}`)
  }
}
