import { crc32 } from 'node:zlib'
import { defineJob, fixed } from 'holdfast'
import { LIMIT } from './limit.mjs'

/**
 * @typedef {object} Work
 * @property {string} text
 * @property {string} name the id, or the key of the job: what is replaced keeps its id
 * @property {string} tenant
 * @property {number} sum of the name and the text: tells whether the payload came back as it was
 * @property {boolean} chains whether its completion enqueues another job
 */

/** The lease is the shortest there is: a process that is paused for longer loses its jobs. */
export const work = defineJob({ type: 'work', leaseDuration: '1s', backoff: fixed('20ms') })

/** Few of one tenant run at once. */
export const limited = defineJob({
  type: 'limited',
  leaseDuration: '1s',
  backoff: fixed('20ms'),
  limit: { concurrency: LIMIT, key: (payload) => /** @type {Work} */ (payload).tenant },
})

/** @param {string} name @param {string} text */
export function checksum(name, text) {
  return crc32(`${name} ${text}`)
}

/** The job that the completion of `id` enqueues. @param {string} id */
export function chainedId(id) {
  return `${id}+`
}
