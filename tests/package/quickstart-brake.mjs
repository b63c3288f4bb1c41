// Loaded before the quickstart, in its threads too: keeps a run from its end. While the file that BRAKE names is there, no
// more files are read than it says, so that a test can act on a run that is under way however late it comes to that.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import files from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'

const { BRAKE = '', OUT = '' } = process.env
const { open } = files

const written = () => (existsSync(OUT) ? readdirSync(OUT).length : 0)
const isOn = () => existsSync(BRAKE) && written() >= Number(readFileSync(BRAKE, 'utf8'))

/** @type {typeof open} */
files.open = async (path, ...more) => {
  // Those that are compressed, and no journal.
  while (String(path).endsWith('.txt') && isOn()) await sleep(10)
  return open(path, ...more)
}
syncBuiltinESMExports()
