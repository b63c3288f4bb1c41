/**
 * Keeps every segment of a journal, whole, while the queue retires them. Loaded before a process under torture, with the
 * folder in ARCHIVE: whoever puts a tombstone in the place of a segment copies it first. Whoever only looked on would have to
 * see each segment before two more have come, and a machine may stand still for longer.
 */
import { existsSync } from 'node:fs'
import files, { copyFile, link, rm } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { basename, join } from 'node:path'
import { isSegment } from './segments.mjs'

const { ARCHIVE = '' } = process.env
const { rename } = files

/** @type {typeof rename} */
files.rename = async (from, to) => {
  const name = basename(String(to))
  if (isSegment(name)) await keep(String(to), join(ARCHIVE, name))
  await rename(from, to)
}
syncBuiltinESMExports()

/**
 * Only the first copy is kept, and under its name only when it is whole: until then nobody has put a tombstone there.
 *
 * @param {string} segment @param {string} kept
 */
async function keep(segment, kept) {
  if (existsSync(kept)) return
  const copy = `${kept}.${process.pid}`
  await copyFile(segment, copy)
  await link(copy, kept).catch((/** @type {NodeJS.ErrnoException} */ error) => {
    if (error.code !== 'EEXIST') throw error
  })
  await rm(copy)
}
