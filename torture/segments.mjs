/** The files of a journal, as the format's description names them. */
import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { linesIn } from './journal-lines.mjs'

const NAME = /^(\d{10})\.journal$/

/** @param {string} name */
export function isSegment(name) {
  return NAME.test(name)
}

/** Enough to hold a seal, and whatever was torn behind it. */
const TAIL = 4096

/** The numbers of the segments in a folder, rising. @param {string} folder */
export function segmentsIn(folder) {
  return readdirSync(folder)
    .map((name) => Number(NAME.exec(name)?.[1] ?? Number.NaN))
    .filter((number) => !Number.isNaN(number))
    .sort((a, b) => a - b)
}

/** @param {string} folder @param {number} number */
export function segmentPath(folder, number) {
  return join(folder, `${String(number).padStart(10, '0')}.journal`)
}

/**
 * Every segment there was, rising: those that were retired are in the archive.
 *
 * @param {{ directory: string, archive: string }} folders
 */
export function allSegments({ directory, archive }) {
  const retired = new Set(segmentsIn(archive))
  const numbers = [...new Set([...retired, ...segmentsIn(directory)])].sort((a, b) => a - b)
  return numbers.map((number) => ({
    number,
    bytes: readFileSync(segmentPath(retired.has(number) ? archive : directory, number)),
  }))
}

/**
 * Whether a roll is under way: a snapshot is being written aside, or the newest segment is sealed and has no successor.
 *
 * @param {string} folder
 */
export function rollUnderWay(folder) {
  const unpublished = readdirSync(folder).some((name) => isUnpublished(name))
  const newest = segmentsIn(folder).at(-1)
  return unpublished || (newest !== undefined && isSealed(segmentPath(folder, newest)))
}

/** A snapshot that was not linked under the name of a segment yet. @param {string} name */
export function isUnpublished(name) {
  return name.endsWith('.tmp')
}

/** @param {string} path */
function isSealed(path) {
  return [...linesIn(tailOf(path))].some((line) => line?.kind === 'seal')
}

/** Where the tail of a segment holds no line from its beginning. */
const STAND_IN = '00000000 {"kind":"record","id":"torn","format":1,"units":[[{"table":"jobs","key":"torn"'

/** Byte by byte, without its last one. @param {string} path */
function lastLineOf(path) {
  const lines = tailOf(path).toString('latin1').split('\n')
  return lines.findLast((line) => /^[0-9a-f]{8} \{/.test(line))?.slice(0, -1)
}

/** @param {string} path */
function tailOf(path) {
  const file = openSync(path, constants.O_RDONLY)
  try {
    const tail = Buffer.alloc(TAIL)
    const position = Math.max(0, fstatSync(file).size - TAIL)
    return tail.subarray(0, readSync(file, tail, 0, TAIL, position))
  } finally {
    closeSync(file)
  }
}

/**
 * Appends what a write leaves that a kill cut short: the beginning of a line that was written there, with nothing behind.
 *
 * @param {string} folder @param {(size: number) => number} cut how many bytes of `size` were written
 * @returns {boolean} false when there is no segment yet
 */
export function tearWrite(folder, cut) {
  const newest = segmentsIn(folder).at(-1)
  if (newest === undefined) return false
  const path = segmentPath(folder, newest)
  const line = Buffer.from(`\n${lastLineOf(path) ?? STAND_IN}`, 'latin1')
  // Without O_CREAT, as everybody who appends to a journal.
  const file = openSync(path, constants.O_WRONLY | constants.O_APPEND)
  try {
    writeSync(file, line, 0, cut(line.length))
    return true
  } finally {
    closeSync(file)
  }
}
