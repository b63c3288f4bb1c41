// Loaded before the quickstart, in its threads too: keeps a run from its end. While the file that BRAKE names is there, no
// more files are read than it says, so that a test can act on a run that is under way however late it comes to that. Where
// it says `folder`, not even the folder is read.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import files from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import os from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

const { BRAKE = '', OUT = '' } = process.env
const { open, readdir } = files

const written = () => (existsSync(OUT) ? readdirSync(OUT).length : 0)

/** What the brake says; `null`: it is released, perhaps at this very moment. */
function brake() {
  try {
    return readFileSync(BRAKE, 'utf8')
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return null
    throw error
  }
}

function isOn() {
  const files = brake()
  return files !== null && written() >= Number(files)
}

/** @type {typeof open} */
files.open = async (path, ...more) => {
  // Those that are compressed, and no journal.
  while (String(path).endsWith('.txt') && isOn()) await sleep(10)
  return open(path, ...more)
}

/** @type {any} */
const list = readdir
files.readdir = /** @type {typeof readdir} */ (
  async (/** @type {unknown} */ path, /** @type {unknown} */ options) => {
    // Where files are sought: of the queue's own folders none is named by bytes.
    while (Buffer.isBuffer(path) && brake() === 'folder') await sleep(10)
    return list(path, options)
  }
)

// However many processors there are: so many files are under way at once, and a brake that is on is passed by no more.
os.availableParallelism = () => 2

syncBuiltinESMExports()
