import { crc32 } from 'node:zlib'
import { defineJob, fixed } from 'holdfast'

/**
 * @typedef {object} Work
 * @property {string} text
 * @property {number} sum of the id and the text: tells whether the payload came back as it was
 * @property {boolean} chains whether its completion enqueues another job
 */

/** The lease is the shortest there is: a process that is paused for longer loses its jobs. */
export const work = defineJob({ type: 'work', leaseDuration: '1s', backoff: fixed('20ms') })

/** @param {string} id @param {string} text */
export function checksum(id, text) {
  return crc32(`${id} ${text}`)
}

/** The job that the completion of `id` enqueues. @param {string} id */
export function chainedId(id) {
  return `${id}+`
}
