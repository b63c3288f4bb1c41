/**
 * What processes were told by the package, kept outside of it: one line per event, each process its own file. A line
 * is one small append, so a kill leaves it whole or absent, and at worst cuts the last one, which then says nothing.
 *
 * What is asked for is written before the call, what was acknowledged after it: so nothing acknowledged that the
 * checker counts was not, and nothing that happened was not asked for.
 */
import { openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/**
 * `asked`: about to enqueue `id`. `enqueued`: that was acknowledged. `started`: a handler began, so a claim was
 * acknowledged. `completed`: the outcome was accepted, and with it the job `chained`, if any. `lost`: the attempt was
 * told that it no longer holds the job. `interrupted`: the process took the job from one that fell silent. `failed`:
 * the job ended that way. `spoiled`: the payload was not the one that was enqueued. `error`: the package told of an
 * error, whose code is `id`.
 *
 * @typedef {'asked' | 'enqueued' | 'started' | 'completed' | 'lost' | 'interrupted' | 'failed' | 'spoiled' | 'error'} AckKind
 *
 * @typedef {object} Ack
 * @property {AckKind} kind
 * @property {string} id
 * @property {number} [fence]
 * @property {string} [chained]
 * @property {string} [text]
 */

export class AckLog {
  #file

  /** @param {string} path */
  constructor(path) {
    this.#file = openSync(path, 'a', 0o600)
  }

  /** @param {Ack[]} acks */
  write(...acks) {
    writeSync(this.#file, acks.map((ack) => `${JSON.stringify(ack)}\n`).join(''))
  }
}

/** Everything that all processes noted. @param {string} folder @returns {Ack[]} */
export function readAcks(folder) {
  return readdirSync(folder).flatMap((name) => acksIn(readFileSync(join(folder, name), 'utf8')))
}

/** @param {string} text @returns {Ack[]} */
export function acksIn(text) {
  // What stands behind the last line break was cut by a kill.
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}
